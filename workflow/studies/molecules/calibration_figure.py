import job

job.start(snakemake)

from ntkfield import store
from ntkfield.figures import calibration, style

result = store.load(snakemake.input[0])
style.save(calibration.plot(result), snakemake.output.pdf, snakemake.output.png)
style.note(calibration.finding(result), snakemake.output.finding)
