import job

job.start(snakemake)

import functools

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.learning_curve import join, learning_curve
from ntkfield.infinite.tiles import TiledGram

params = snakemake.params
blocks = [store.load(block) for block in snakemake.input.blocks]
energies = np.concatenate([block["atomization_energy"].values for block in blocks])
tiles = {tuple(path.removesuffix(store.SUFFIX).split("/")[-2:]): path for path in snakemake.input.tiles}


@functools.lru_cache(maxsize=256)
def tile(network: str, i: int, j: int) -> xr.Dataset:
    return store.load(tiles[network, f"{i}_{j}"])


curves, labels = [], []
for model in params.models:
    for kernel in ("ntk", "nngp"):
        load = functools.partial(tile, model["network"])
        gram = TiledGram(load, params.tile_size, kernel, {"matching": model["matching"]})
        curve = learning_curve(
            gram, energies, list(params.train_sizes), params.test_size, list(params.split_seeds), params.diag_reg
        )
        curves.append(curve)
        labels.append(job.plain(model) | {"kernel": kernel})
result = join(curves, labels).assign_attrs(source=blocks[0].attrs["source"])
result["mean_absolute_error"].attrs = {"units": "eV", "long_name": "mean absolute test error"}
store.save(
    result,
    snakemake.output.dataset,
    config=job.plain(
        {key: getattr(params, key) for key in ("test_size", "split_seeds", "diag_reg", "models", "networks", "signals")}
    ),
)
table = result.to_dataframe().reset_index().drop(columns="model")
table["mean_absolute_error_meV"] = 1000 * table.pop("mean_absolute_error")
table["baseline_meV"] = 1000 * table.pop("baseline")
table.to_csv(snakemake.output.table, index=False, float_format="%.6g")
