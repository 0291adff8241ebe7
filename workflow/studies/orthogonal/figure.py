import job

job.start(snakemake)

from ntkfield import store
from ntkfield.figures import orthogonal, style

found = [store.load(path) for path in snakemake.input]
style.save(orthogonal.depth(found), snakemake.output.png, snakemake.output.pdf)
style.note(orthogonal.finding(found), snakemake.output.finding)
