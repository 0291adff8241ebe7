import job

job.start(snakemake)

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.comparison import sampling_floor, squared_difference, unbiased_squared_difference

widths = list(snakemake.params.widths)
analytic = store.load(snakemake.input.analytic)
kinds, groups = ("test", "noise"), ("c1", "c4")
chosen = {kind: analytic["set"].values == kind for kind in kinds}
raw, steady = {}, {}  # outputs; outputs less what the exact flow makes of their start, which is zero on average
for group in groups:
    for width in widths:
        paths = [p for p in snakemake.input.trained if p.split("/")[-3:-1] == [group, str(width)]]
        trained = xr.concat([store.load(path) for path in paths], "member", data_vars="minimal")
        output = trained["output"].values
        forgotten = np.einsum("tip,mp->mti", analytic[f"influence_{group}"].values, trained["start"].values)
        raw[group, width], steady[group, width] = output, output - (output[:, :1] - forgotten)
members = len(raw[groups[0], widths[0]])
sizes = [2**k for k in range(1, int(np.log2(members)) + 1)]
shape = (len(widths), len(kinds), len(sizes), analytic.sizes["time"])
falling, falling_error, expected = np.zeros(shape), np.zeros(shape), np.zeros(shape)
floor, floor_error = (np.zeros((len(widths), len(kinds), analytic.sizes["time"])) for _ in range(2))
for i, width in enumerate(widths):
    for j, kind in enumerate(kinds):
        a, b = (raw[group, width][..., chosen[kind]] for group in groups)
        floor[i, j], floor_error[i, j] = unbiased_squared_difference(
            *(steady[group, width][..., chosen[kind]] for group in groups), seed=snakemake.params.seed
        )
        for k, size in enumerate(sizes):
            disjoint = [slice(start, start + size) for start in range(0, members - size + 1, size)]
            found = np.stack([squared_difference(a[part], b[part]) for part in disjoint])
            falling[i, j, k] = found.mean(axis=0)
            # Too few subsets show no spread: then the whole ensemble's bootstrap, as if sampling error were all.
            falling_error[i, j, k] = (
                found.std(axis=0, ddof=1) / len(found) ** 0.5
                if len(found) > 3
                else unbiased_squared_difference(a, b, seed=snakemake.params.seed).error * members / size
            )
            expected[i, j, k] = sampling_floor(a, b) * members / size
result = xr.Dataset(
    {
        "squared_difference": (("width", "set", "members", "time"), falling),
        "squared_difference_error": (("width", "set", "members", "time"), falling_error),
        "sampling": (("width", "set", "members", "time"), expected),
        "floor": (("width", "set", "time"), floor),
        "floor_error": (("width", "set", "time"), floor_error),
        "disagreement": analytic["disagreement"],
    },
    coords={"width": widths, "set": list(kinds), "members": sizes, "time": analytic["time"].values},
)
store.save(result, snakemake.output.dataset, config={"widths": widths, "members": members}, seed=snakemake.params.seed)
table = result[["floor", "floor_error"]].to_dataframe().reset_index()
table.drop(columns="disagreement", errors="ignore").to_csv(snakemake.output.table, index=False, float_format="%.6g")
