import job

job.start(snakemake)

import numpy as np
import xarray as xr
from sklearn.datasets import load_digits

from ntkfield import store

settings = job.plain(snakemake.params.images)
digits = load_digits()
images = (digits.images - digits.images.mean()) / digits.images.std()
rng = np.random.default_rng(settings["seed"])
first, second = (rng.permutation(np.flatnonzero(digits.target == label)) for label in settings["classes"])
alternating = np.stack([k[: min(len(first), len(second))] for k in (first, second)], axis=1).ravel()
count = settings["train"] + settings["test"]
if count > len(alternating):
    raise ValueError(f"augmentation.images.train and test = {count} is refused: expected at most {len(alternating)}")
chosen = alternating[:count]
noise = rng.normal(size=(settings["noise"], 8, 8))
sets = ["train"] * settings["train"] + ["test"] * settings["test"] + ["noise"] * settings["noise"]
sign = np.where(digits.target[chosen] == settings["classes"][0], 1.0, -1.0)
target = np.concatenate([sign - sign[: settings["train"]].mean(), np.zeros(len(noise))])
dataset = xr.Dataset(
    {
        "image": (("input", "row", "column"), np.concatenate([images[chosen], noise])),
        "target": ("input", target, {"comment": "zero for noise, which has none"}),
    },
    coords={"set": ("input", sets)},
)
store.save(dataset, snakemake.output[0], config=settings, seed=settings["seed"])
