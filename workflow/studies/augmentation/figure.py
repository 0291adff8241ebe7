import job

job.start(snakemake)

from ntkfield import store
from ntkfield.figures import augmentation, style

result = store.load(snakemake.input[0])
style.save(augmentation.plot(result), snakemake.output.pdf, snakemake.output.png)
style.note(augmentation.finding(result), snakemake.output.finding)
