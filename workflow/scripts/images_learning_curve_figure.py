import job

job.start(snakemake)

from ntkfield import store
from ntkfield.figures import accuracy, style

style.save(accuracy.plot(store.load(snakemake.input[0])), snakemake.output.pdf, snakemake.output.png)
