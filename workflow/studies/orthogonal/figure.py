import job

job.start(snakemake)

from ntkfield import store
from ntkfield.figures import orthogonal, style

found, trained = [store.load(path) for path in snakemake.input.depth], store.load(snakemake.input.trained)
style.save(orthogonal.depth(found), snakemake.output.png, snakemake.output.pdf)
style.note(orthogonal.finding(found), snakemake.output.finding)
style.save(orthogonal.trained(trained), snakemake.output.trained_png, snakemake.output.trained_pdf)
style.note(orthogonal.finding_trained(trained), snakemake.output.trained_finding)
