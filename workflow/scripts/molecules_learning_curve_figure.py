import job

job.start(snakemake)

from ntkfield import store
from ntkfield.figures import learning_curve, style

style.save(learning_curve.plot(store.load(snakemake.input[0])), snakemake.output.pdf, snakemake.output.png)
