import job

job.start(snakemake)

import numpy as np
import pandas as pd
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.comparison import less_start, unbiased_mean_square
from ntkfield.dynamics.gradient_flow import gradient_flow
from ntkfield.networks.mlp import MLP

params = snakemake.params
network, widths = MLP(**job.plain(params.network)), list(params.widths)
theory = store.load(snakemake.input.theory)
parts = {width: [store.load(p) for p in snakemake.input.trained if p.split("/")[-2] == str(width)] for width in widths}
x, times = theory["train"].values[:, None], theory["time"].values
# What the infinitely wide network makes of its start, zero on average, is taken off: it is most of the spread.
kernels = network.kernel(x).ntk, network.kernel(theory["point"].values[:, None], x).ntk
influence = np.asarray(gradient_flow(*kernels, np.eye(len(x)), times))

layout = ("width", "time", "point")
found = {name: [] for name in ("mean", "mean_error", "variance", "variance_error", "drift", "drift_error")}
squares = {name: [] for name in ("off_0", "off_1") if name == "off_0" or "mean_1" in theory}
for width in widths:
    trained = xr.concat(parts[width], "member")
    output, trace = trained["output"].values, trained["ntk_trace"].values
    reduced = less_start(output, trained["start"].values, influence)
    drift = (trace - trace[:, :1]) / float(theory["ntk_trace"])
    root, variance = len(output) ** 0.5, output.var(axis=0, ddof=1)
    squared = (output - output.mean(axis=0)) ** 2
    for name, value, sample in (
        ("mean", reduced.mean(axis=0), reduced),
        ("variance", variance, squared),
        ("drift", drift.mean(axis=0), drift),
    ):
        found[name].append(value)
        found[f"{name}_error"].append(sample.std(axis=0, ddof=1) / root)
    for name, several in squares.items():  # over all points and all times but the start, where no mean is off
        expected = theory["mean_0"].values + (theory["mean_1"].values / width if name == "off_1" else 0.0)
        several.append(unbiased_mean_square((reduced - expected)[:, 1:].reshape(len(reduced), -1)))
dims = {name: ("width", "time") if name.startswith("drift") else layout for name in found}
values = {f"sampled_{name}": (dims[name], several) for name, several in found.items()}
for name, several in squares.items():
    values |= {f"{name}_squared": ("width", [each.value for each in several])}
    values |= {f"{name}_squared_error": ("width", [each.error for each in several])}
values |= {"members": ("width", [sum(part.sizes["member"] for part in parts[width]) for width in widths])}
summary = theory.assign_coords(width=widths).assign(values)
config = {"network": job.plain(params.network), "widths": widths}
store.save(summary, snakemake.output.dataset, config=config)
rows = summary[["sampled_drift", "sampled_drift_error"]].to_dataframe().reset_index()
rows["predicted_drift"] = np.nan
if "drift_1" in summary:
    rows["predicted_drift"] = summary["drift_1"].sel(time=rows["time"].values).values / rows["width"]
pd.DataFrame(rows[rows["time"] > 0]).to_csv(snakemake.output.table, index=False, float_format="%.6g")
