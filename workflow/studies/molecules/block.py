import job

job.start(snakemake)

import numpy as np

from ntkfield import store
from ntkfield.datasets import qm9

seed, size, block = snakemake.params.pool_seed, snakemake.params.size, int(snakemake.wildcards.block)
everything = store.load(snakemake.input.molecules)
count = everything.sizes["molecule"]
if block * size >= count:
    raise ValueError(
        f"block {block} of {size} molecules is refused: there are {count} molecules; ask for fewer to train"
    )
order = np.random.default_rng(seed).permutation(count)
chosen = qm9.select(everything, order[block * size : (block + 1) * size])
store.save(chosen, snakemake.output[0], config={"block": block, "size": size}, seed=seed)
