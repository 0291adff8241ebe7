import job

job.start(snakemake)

import numpy as np

from ntkfield import store
from ntkfield.datasets import qm9

seed, size, block = snakemake.params.pool_seed, snakemake.params.size, int(snakemake.wildcards.block)
everything = store.load(snakemake.input.qm9)
order = np.random.default_rng(seed).permutation(everything.sizes["molecule"])
chosen = qm9.select(everything, order[block * size : (block + 1) * size])
store.save(chosen, snakemake.output[0], config={"block": block, "size": size}, seed=seed)
