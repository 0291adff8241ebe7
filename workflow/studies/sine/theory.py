import job

job.start(snakemake)

import warnings

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.predict import predict
from ntkfield.networks.mlp import MLP

params = snakemake.params
network, problem = MLP(**job.plain(params.network)), job.plain(params.problem)
x, times = np.array(problem["train_points"])[:, None], problem["times"]
grid, y = np.linspace(-np.pi, np.pi, problem["grid"])[:, None], np.sin(x[:, 0])
trace = float(np.trace(network.kernel(x).ntk))
coordinates = {"time": times, "point": grid[:, 0], "train": x[:, 0]}
if network.activation.smooth:
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # of a width that stands for all
        found, moved = (
            predict(network, x, y, at, times, width=1, errors=True, ntk=ntk, rtol=params.rtol)
            for at, ntk in ((grid, False), (x, True))
        )
    names = ("mean_0", "mean_1", "mean_1_error", "variance_0", "variance_1", "variance_1_error")
    values = {name: (("time", "point"), found[name].values) for name in names}
    first, error = (np.trace(moved[name].values, axis1=1, axis2=2) for name in ("ntk_1", "ntk_1_error"))
    values |= {"drift_1": ("time", (first - first[0]) / trace), "drift_1_error": ("time", (error + error[0]) / trace)}
    values |= {"mean_ratio": ("time", found["mean_ratio"].values)}
else:  # the tensors R, S, T, U are infinite: the limit alone
    found = predict(network, x, y, grid, times)
    values = {f"{name}_0": (("time", "point"), found[name].values) for name in ("mean", "variance")}
theory = xr.Dataset(values | {"target": ("train", y), "ntk_trace": ((), trace)}, coordinates)
config = {"network": job.plain(params.network), "problem": problem, "rtol": params.rtol}
store.save(theory, snakemake.output[0], config=config)
