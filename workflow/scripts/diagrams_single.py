import job

job.start(snakemake)

import ntkfield as nf
from ntkfield.figures import style

name, number = snakemake.wildcards.name, int(snakemake.wildcards.number)
recursion = nf.recursion(name)
count = len(recursion.diagrams)
if not 1 <= number <= count:
    raise ValueError(f"diagram number {number} of {name} is refused: expected 1 to {count}")
style.save(recursion.draw(number - 1, terms=False), *snakemake.output)
