import job

job.start(snakemake)

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.comparison import difference_by_size, less_start, unbiased_squared_difference

widths, seed = list(snakemake.params.widths), snakemake.params.seed
analytic = store.load(snakemake.input.analytic)
falls, floors = [], []
for width in widths:
    raw, steady = [], []
    for group in ("c1", "c4"):
        paths = [p for p in snakemake.input.trained if p.split("/")[-3:-1] == [group, str(width)]]
        trained = xr.concat([store.load(path) for path in paths], "member", data_vars="minimal")
        raw.append(trained["output"].values)
        steady.append(less_start(raw[-1], trained["start"].values, analytic[f"influence_{group}"].values))
    for kind in ("test", "noise"):
        chosen = analytic["set"].values == kind
        falls.append(difference_by_size(*(output[..., chosen] for output in raw), seed=seed))
        floors.append(unbiased_squared_difference(*(output[..., chosen] for output in steady), seed=seed))
shape = len(widths), 2, -1, analytic.sizes["time"]
fall, floor = ("width", "set", "members", "time"), ("width", "set", "time")
result = xr.Dataset(
    {
        "squared_difference": (fall, np.reshape([each.found.value for each in falls], shape)),
        "squared_difference_error": (fall, np.reshape([each.found.error for each in falls], shape)),
        "sampling": (fall, np.reshape([each.sampling for each in falls], shape)),
        "floor": (floor, np.reshape([each.value for each in floors], (len(widths), 2, -1))),
        "floor_error": (floor, np.reshape([each.error for each in floors], (len(widths), 2, -1))),
        "disagreement": analytic["disagreement"],
    },
    coords={"width": widths, "set": ["test", "noise"], "members": falls[0].sizes, "time": analytic["time"].values},
)
store.save(result, snakemake.output.dataset, config={"widths": widths, "members": len(raw[0])}, seed=seed)
table = result[["floor", "floor_error"]].to_dataframe().reset_index()
table.drop(columns="disagreement", errors="ignore").to_csv(snakemake.output.table, index=False, float_format="%.6g")
