import job

job.start(snakemake)

from ntkfield.diagrams.recursions import recursion
from ntkfield.figures import style

name, number = snakemake.wildcards.name, int(snakemake.wildcards.number)
found = recursion(name)
count = len(found.diagrams)
if not 1 <= number <= count:
    raise ValueError(f"diagram number {number} of {name} is refused: expected 1 to {count}")
style.save(found.draw(number - 1, terms=False), *snakemake.output)
