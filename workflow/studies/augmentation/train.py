import job

job.start(snakemake)

import jax.numpy as jnp
import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.augmentation import turned_copies
from ntkfield.dynamics.ensembles import Task, stream, train
from ntkfield.dynamics.finite_networks import finite_network
from ntkfield.networks.group_cnn import GroupCNN

params, group, width = snakemake.params, snakemake.wildcards.group, int(snakemake.wildcards.width)
settings, times, members = job.plain(params.network), job.plain(params.times), range(*params.members)
data = store.load(snakemake.input.images)
unit = 1 / store.load(snakemake.input.analytic)["largest_eigenvalue"].item()
images, training = data["image"].values[..., None], data["set"].values == "train"
x, y = images[training], data["target"].values[training]
order = 1
if group == "c1":
    order, x = 4, turned_copies("c4", x)
weights, targets = np.full(len(x), 1 / order), np.tile(y, order)[:, None]
asked = np.concatenate([images, x])
seed = stream(params.seed, {"c1": 1, "c4": 4}[group], width)
finite = finite_network(GroupCNN(group, **settings), width, images.shape[1:])
task = Task(*map(jnp.asarray, (x, targets, weights, asked)))
moments = [time * unit for time in times]
outputs = train(finite, task, moments, params.step * unit, seed, members, at_once=32)[..., 0]
trained = xr.Dataset(
    {
        "output": (("member", "time", "input"), outputs[..., : len(images)]),
        "start": (("member", "train"), outputs[:, 0, len(images) :]),
    },
    coords={"member": list(members), "time": times, "set": data["set"]},
)
config = {"network": settings | {"group": group}, "width": width, "times": times, "step": params.step}
store.save(trained, snakemake.output[0], config=config | {"members": list(params.members)}, seed=seed)
