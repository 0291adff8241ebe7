import job

job.start(snakemake)

from ntkfield import store
from ntkfield.figures import accuracy, style

result = store.load(snakemake.input[0])
style.save(accuracy.plot(result), snakemake.output.pdf, snakemake.output.png)
style.note(accuracy.finding(result), snakemake.output.finding)
