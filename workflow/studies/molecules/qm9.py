import job

job.start(snakemake)

from ntkfield import store
from ntkfield.datasets import qm9

store.save(qm9.read_qm9pack(snakemake.params.path), snakemake.output[0])
