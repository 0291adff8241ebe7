import job

job.start(snakemake)

import functools

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.classification import accuracy_curve
from ntkfield.dynamics.learning_curve import join
from ntkfield.infinite.tiles import TiledCross, TiledGram

params = snakemake.params
train, test = ([store.load(path) for path in paths] for paths in (snakemake.input.train, snakemake.input.test))
labels = {
    part: np.concatenate([block["label"].values for block in blocks])
    for part, blocks in {"train": train, "test": test}.items()
}
attributes = train[0].attrs
tiles = {tuple(path.removesuffix(store.SUFFIX).split("/")[-2:]): path for path in snakemake.input.tiles}


@functools.lru_cache(maxsize=256)
def tile(network: str, part: str, i: int, j: int) -> xr.Dataset:
    return store.load(tiles[network, f"{part}_{i}_{j}"])


curves, models = [], []
for network, settings in params.networks.items():
    for kernel in ("ntk", "nngp"):
        pool = TiledGram(functools.partial(tile, network, "train"), params.tile_size, kernel, {"view": "upright"})
        across = {
            view: TiledCross(functools.partial(tile, network, "test"), params.tile_size, kernel, {"view": view})
            for view in ("upright", "turned")
        }
        curve = accuracy_curve(
            pool,
            across,
            labels["train"],
            labels["test"][: params.test_size],
            attributes["n_classes"],
            list(params.train_sizes),
            list(params.subset_seeds),
            params.diag_reg,
        )
        curves.append(curve)
        models.append({"network": network, "group": settings["group"], "kernel": kernel})
result = join(curves, models).assign_attrs(
    source=attributes["source"], n_classes=attributes["n_classes"], test_size=params.test_size
)
store.save(
    result,
    snakemake.output.dataset,
    config=job.plain({key: getattr(params, key) for key in ("test_size", "subset_seeds", "diag_reg", "networks")}),
)
table = result.to_dataframe().reset_index().drop(columns="model")
table["accuracy_percent"] = 100 * table.pop("accuracy")
table.to_csv(snakemake.output.table, index=False, float_format="%.6g")
