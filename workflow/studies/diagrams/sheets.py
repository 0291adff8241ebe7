import job

job.start(snakemake)

from pathlib import Path

from ntkfield.diagrams.recursions import recursion
from ntkfield.figures import style

for name in snakemake.params.recursions:
    style.save(recursion(name).draw(), *(path for path in snakemake.output if Path(path).stem == name))
