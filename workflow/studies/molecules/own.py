import job

job.start(snakemake)

from ntkfield import store
from ntkfield.datasets import qm9

store.save(qm9.read_molecules(snakemake.input[0]), snakemake.output[0])
