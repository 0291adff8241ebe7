import job

job.start(snakemake)

import functools

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.composition import element_counts
from ntkfield.dynamics.learning_curve import join, learning_curve
from ntkfield.infinite.tiles import TiledGram

params = snakemake.params
models, rivals = job.plain(params.models), job.plain(params.rivals)
blocks = [store.load(block) for block in snakemake.input.blocks]
energies, numbers, n_atoms = (
    np.concatenate([block[name].values for block in blocks]) for name in ("atomization_energy", "numbers", "n_atoms")
)
counts = element_counts(numbers, n_atoms)
files = [*snakemake.input.tiles, *snakemake.input.rivals]
tiles = {tuple(path.removesuffix(store.SUFFIX).split("/")[-3:]): path for path in files}


@functools.lru_cache(maxsize=256)
def tile(room: str, name: str, i: int, j: int) -> xr.Dataset:
    return store.load(tiles[room, name, f"{i}_{j}"])


def gram(room: str, name: str, variable: str, select: dict) -> TiledGram:
    return TiledGram(functools.partial(tile, room, name), params.tile_size, variable, select)


curves, labels = [], []


def add(kernels: list[TiledGram], diag_reg: float | list[float], composition: bool, **label: str) -> None:
    splits = (list(params.train_sizes), params.test_size, list(params.split_seeds))
    curves.append(learning_curve(kernels, energies, *splits, diag_reg, counts if composition else None, params.dense))
    labels.append(label | {"composition": composition})


for model in models:
    for kernel in ("ntk", "nngp"):
        grams = [gram("tiles", model["network"], kernel, {"matching": model["matching"]})]
        label = {"network": model["network"], "matching": model["matching"], "kernel": kernel}
        add(grams, model["diag_reg"], model["composition"], **label)
for rival, candidates in rivals.items():
    grams = [gram("rivals", rival, "kernel", {"candidate": number}) for number in range(len(candidates))]
    add(grams, params.diag_reg, params.composition, network=rival, matching="element", kernel="ridge")
result = join(curves, labels).assign_attrs(source=blocks[0].attrs["source"])
for name in ("mean_absolute_error", "baseline", "composition_error", "solver_error"):
    result[name].attrs["units"] = "eV"
settings = {key: getattr(params, key) for key in ("test_size", "split_seeds", "networks", "signals")}
store.save(result, snakemake.output.dataset, config=job.plain(settings) | {"models": models, "rivals": rivals})
errors = ["mean_absolute_error", "composition_error", "baseline", "solver_error"]
table = (
    result[[*errors, "chosen_gram", "chosen_diag_reg", "residual"]].to_dataframe().reset_index().drop(columns="model")
)
for name in errors:
    table[f"{name}_meV"] = 1000 * table.pop(name)
table.to_csv(snakemake.output.table, index=False, float_format="%.6g")
