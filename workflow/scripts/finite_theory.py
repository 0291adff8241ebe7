import job

job.start(snakemake)

import numpy as np

import ntkfield as nf
from ntkfield import store

run = job.plain(snakemake.params.run)
theory = nf.finite_width(nf.MLP(**run["network"]), np.array(run["inputs"]), run["tensors"], rtol=snakemake.params.rtol)
store.save(theory, snakemake.output[0], config=run)
