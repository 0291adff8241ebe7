import job

job.start(snakemake)

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.comparison import error_of_mean

widths, theory = list(snakemake.params.widths), store.load(snakemake.input.theory)
dims, order = ("width", "network", "target", "time"), ("member", "network", "target", "time", "query")
truth, limit = (theory[name].broadcast_like(theory["mean_0"]).values for name in ("truth", "mean_0"))
sampled = {name: [] for name in ("mean", "single", "from_limit", "from_series")}
for width in widths:
    parts = [store.load(path) for path in snakemake.input.trained if path.split("/")[-2] == str(width)]
    trained = xr.concat(parts, "member").transpose(*order)
    mean, square = trained["mean"].values, trained["square"].values
    single = (square - 2 * truth * mean + truth**2).mean(axis=-1)
    sampled["single"].append((single.mean(axis=0), single.std(axis=0, ddof=1) / len(single) ** 0.5))
    series = limit + theory["mean_1"].values / width
    for name, other in (("mean", truth), ("from_limit", limit), ("from_series", series)):
        sampled[name].append(error_of_mean(mean, other))
variables = {}
for name, found in sampled.items():
    variables |= {f"sampled_{name}": (dims, [each[0] for each in found])}
    variables |= {f"sampled_{name}_error": (dims, [each[1] for each in found])}
result = xr.Dataset(variables, {"width": widths, "members": len(mean)})
series = theory["mean_0"] + theory["mean_1"] / result["width"]
result["corrected"] = ((series - theory["truth"]) ** 2).mean("query").transpose(*dims)
result["mean_ratio"] = np.sqrt((theory["mean_1"] ** 2).mean("query") / (theory["mean_0"] ** 2).mean("query"))
result = xr.merge([result, theory[["error_0", "linear_1", "cubic_1", "spread_0", "spread_1"]]])
store.save(result, snakemake.output.dataset, config={"widths": widths, "members": len(mean)})
table = result.drop_vars("members").to_dataframe().reset_index()
table[table["time"] > 0].to_csv(snakemake.output.table, index=False, float_format="%.6g")
