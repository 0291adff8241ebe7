import job

job.start(snakemake)

from ntkfield import store
from ntkfield.figures import orbit, style

result = store.load(snakemake.input[0])
style.save(orbit.plot(result), snakemake.output.pdf, snakemake.output.png)
style.note(orbit.finding(result), snakemake.output.finding)
