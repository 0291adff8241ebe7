import job

job.start(snakemake)

from ntkfield.diagrams.recursions import recursion
from ntkfield.figures import style

style.save(recursion(snakemake.wildcards.name).draw(), *snakemake.output)
