import job

job.start(snakemake)

import numpy as np

from ntkfield import store
from ntkfield.networks.mlp import MLP
from ntkfield.sampling.statistics import sample_statistics

BATCH = 64  # networks at once; parts of a run start at multiples of it

run, part = job.plain(snakemake.params.run), int(snakemake.wildcards.part)
share = min(run["networks_per_job"], run["networks"] - part * run["networks_per_job"])
sample = sample_statistics(
    MLP(**run["network"]),
    np.array(run["inputs"]),
    run["width"],
    share,
    run["seed"],
    run["tensors"],
    batch=BATCH,
    skip=part * -(-run["networks_per_job"] // BATCH) * BATCH,
)
store.save(sample, snakemake.output[0], config=run, seed=run["seed"])
