import job

job.start(snakemake)

import numpy as np

from ntkfield import store

seed, size, block = snakemake.params.order_seed, snakemake.params.size, int(snakemake.wildcards.block)
everything = store.load(snakemake.input[0])
order = np.random.default_rng(seed).permutation(everything.sizes["sample"])
# Test images from the front of the order, training images from its back: more of either adds blocks and changes none.
order = order if snakemake.wildcards.half == "test" else order[::-1]
chosen = order[block * size : (block + 1) * size]
if len(chosen) < size:
    raise ValueError(f"images.dataset holds {len(order)} images, too few for the test_size and train_sizes asked for")
config = {"part": snakemake.wildcards.half, "block": block, "size": size}
store.save(everything.isel(sample=chosen), snakemake.output[0], config=config, seed=seed)
