import job

job.start(snakemake)

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.datasets.plane import TARGETS, training_and_test
from ntkfield.dynamics.gradient_flow import gradient_flow
from ntkfield.dynamics.mean_field import mean_field
from ntkfield.networks.mlp import MLP

params, target = snakemake.params, TARGETS[snakemake.wildcards.target]
plane, settings = job.plain(params.plane), job.plain(params.mean_field)
network, n = MLP(**job.plain(params.network)), plane["train"]
x, queries = training_and_test(n, plane["test"], plane["radius"])
y, truth = target(x), target(queries)


def size(values):
    """Root mean square of test outputs."""
    return np.sqrt(np.mean(np.asarray(values)[n:] ** 2))


parts = []
for richness in [0.0, *params.richness]:
    found = mean_field(network, x, y, richness, [plane["time"]], queries, **settings).isel(time=0)
    output = found["output"].values
    left = np.sqrt(np.mean((output[:n] - y) ** 2))
    off = size(found["output_error"])  # by the triangle inequality the error is known as well as that
    parts.append({"error": size(output - np.r_[y, truth]), "error_error": off, "training_error": left})
theory = xr.Dataset(
    {name: ("richness", [part[name] for part in parts]) for name in parts[0]}, {"richness": [0.0, *params.richness]}
)
gram = np.asarray(network.kernel(np.concatenate([x, queries])).ntk)
theory["lazy_end"] = size(gradient_flow(gram[:n, :n], gram[:, :n], y, np.inf) - np.r_[y, truth])
theory["constant"] = np.sqrt(np.mean((truth - y.mean()) ** 2))
config = {"plane": plane, "target": snakemake.wildcards.target} | settings
store.save(theory, snakemake.output[0], config=config, seed=settings["seed"])
