import job

job.start(snakemake)

from ntkfield import store
from ntkfield.figures import learning_curve, style

result = store.load(snakemake.input[0])
style.save(learning_curve.plot(result), snakemake.output.pdf, snakemake.output.png)
style.note(learning_curve.finding(result), snakemake.output.finding)
