import job

job.start(snakemake)

from ntkfield import store
from ntkfield.figures import augmentation, style

style.save(augmentation.plot(store.load(snakemake.input[0])), snakemake.output.pdf, snakemake.output.png)
