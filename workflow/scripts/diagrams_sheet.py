import job

job.start(snakemake)

import ntkfield as nf
from ntkfield.figures import style

style.save(nf.recursion(snakemake.wildcards.name).draw(), *snakemake.output)
