import job

job.start(snakemake)

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.datasets.plane import TARGETS, training_and_test
from ntkfield.dynamics.learning import error_series, trained_on_each
from ntkfield.networks.mlp import MLP

params = snakemake.params
problem, networks = job.plain(params.problem), job.plain(params.networks)
x, queries = training_and_test(problem["train"], problem["test"], problem["radius"])
y, truth = (np.stack([TARGETS[name](points) for name in problem["targets"]]) for points in (x, queries))
truth = xr.DataArray(truth, {"target": problem["targets"]}, ("target", "query"))
parts = []
for settings in networks.values():
    found = trained_on_each(MLP(**settings), x, y, queries, problem["times"], params.rtol)
    parts.append(xr.merge([found.rename(cubic_1="mean_cubic_1"), error_series(found, truth)]))
theory = xr.concat(parts, "network").assign_coords(network=list(networks), target=problem["targets"])
theory["truth"] = truth
config = {"networks": networks, "problem": problem, "rtol": params.rtol}
store.save(theory, snakemake.output[0], config=config)
