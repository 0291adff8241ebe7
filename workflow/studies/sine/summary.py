import job

job.start(snakemake)

import numpy as np
import pandas as pd
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.comparison import Estimate, inverse_law
from ntkfield.dynamics.predict import predict
from ntkfield.networks.mlp import MLP

params = snakemake.params
problem, network, widths = job.plain(params.problem), MLP(**job.plain(params.network)), list(params.widths)
parts = {width: [store.load(p) for p in snakemake.input.trained if p.split("/")[-2] == str(width)] for width in widths}
trained = {width: xr.concat(parts[width], "member") for width in widths}
x, times = np.array(problem["train_points"])[:, None], problem["times"]
grid = trained[widths[0]]["point"].values[:, None]
exact = predict(network, x, np.sin(x[:, 0]), grid, times)

change, error, sampled, spread, count = [], [], [], [], []
for width in widths:
    ntk, output = trained[width]["ntk"].values, trained[width]["output"]
    norm = np.linalg.norm(ntk - ntk[:, :1], axis=(2, 3)) / np.linalg.norm(ntk[:, :1], axis=(2, 3))
    change.append(norm.mean(axis=0))
    error.append(norm.std(axis=0, ddof=1) / len(norm) ** 0.5)
    sampled.append(output.mean("member").values)
    spread.append(output.std("member", ddof=1).values)
    count.append(len(norm))
change, error = np.array(change), np.array(error)
summary = xr.Dataset(
    {
        "mean": (("time", "point"), exact["mean"].values),
        "deviation": (("time", "point"), np.sqrt(exact["variance"].values)),
        "sampled_mean": (("width", "time", "point"), sampled),
        "sampled_deviation": (("width", "time", "point"), spread),
        "members": ("width", count),
        "ntk_change": (("width", "time"), change),
        "ntk_change_error": (("width", "time"), error),
        "target": ("train", np.sin(x[:, 0])),
    },
    coords={"width": widths, "time": times, "point": grid[:, 0], "train": x[:, 0]},
)
if len(widths) > 2:  # through two points the law goes whatever they are
    law = inverse_law(np.array(widths), Estimate(change[:, -1], error[:, -1]))
    summary["law"] = "order", [law.leading.value, law.next.value], {"long_name": "coefficients of 1/n and 1/n^2"}
    summary["law_error"] = "order", [law.leading.error, law.next.error]
    summary["chi_squared"] = (), law.chi_squared, {"degrees_of_freedom": law.freedom}
    summary = summary.assign_coords(order=[1, 2])
config = {"network": job.plain(params.network), "problem": problem, "widths": widths}
store.save(summary, snakemake.output.dataset, config=config)
rows = summary[["ntk_change", "ntk_change_error"]].to_dataframe().reset_index()
rows = rows[rows["time"] > 0]
pd.DataFrame(rows).to_csv(snakemake.output.table, index=False, float_format="%.6g")
