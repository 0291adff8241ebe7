import job

job.start(snakemake)

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.lazy import lazy_correction
from ntkfield.dynamics.mean_field import mean_field
from ntkfield.networks.mlp import MLP

params = snakemake.params
line, settings = job.plain(params.line), job.plain(params.mean_field)
network, time, n = MLP(**job.plain(params.network)), line["time"], len(line["train_points"])
x, queries = np.array(line["train_points"])[:, None], np.linspace(-line["reach"], line["reach"], line["grid"])[:, None]
y = np.sin(line["frequency"] * x[:, 0])
start, parts = np.asarray(network.kernel(x).ntk), []
least = 0.1 * settings["rtol"]
lazy = lazy_correction(network, x, y, [time], rtol=least)["ntk_2"].values[0]


def size(kernel):
    """Relative to the kernel at the start."""
    return np.linalg.norm(kernel) / np.linalg.norm(start)


for richness in [0.0, *params.richness]:
    found = mean_field(network, x, y, richness, [time], queries, **settings).isel(time=0)
    one = {name: ("query", found[name].values[n:]) for name in ("output", "output_error")}
    change = error = np.zeros((n, n))
    if richness > 0:  # where changes are small beside the kernel it is asked for to more digits
        finer = settings | {"rtol": np.clip(richness * settings["rtol"], least, settings["rtol"])}
        found = mean_field(network, x, y, richness, [time], **finer).isel(time=0)
        change, error = found["ntk"].values - start, found["ntk_error"].values
    one |= {"change": size(change), "change_error": size(error)}
    one |= {"lazy_change": size(richness**2 * lazy), "lazy_off": size(richness**2 * lazy - change)}
    parts.append(xr.Dataset(one))
theory = xr.concat(parts, "richness").assign_coords(richness=[0.0, *params.richness], query=queries[:, 0])
theory["start_square"] = np.mean(start**2)
theory["train_x"], theory["train_y"] = ("point", x[:, 0]), ("point", y)
store.save(theory, snakemake.output[0], config={"line": line} | settings, seed=settings["seed"])
