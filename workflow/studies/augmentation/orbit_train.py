import job

job.start(snakemake)

import jax.numpy as jnp
import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.augmentation import turned_copies
from ntkfield.dynamics.ensembles import Task, stream, train
from ntkfield.dynamics.finite_networks import averaged, finite_network, mirrored
from ntkfield.groups.finite import cyclic
from ntkfield.networks.group_cnn import GroupCNN

params, kind, width = snakemake.params, snakemake.wildcards.kind, int(snakemake.wildcards.width)
settings, members = job.plain(params.network), range(*params.members)
theory = store.load(snakemake.input[0])
unit, times = 1 / theory["largest_eigenvalue"].item(), theory["time"].values
x, queries, y = (theory[name].values for name in ("signal", "query_signal", "target"))
points = x.shape[1]
group, weights = cyclic(points), np.ones(len(x))
equivariant = GroupCNN(group, **settings)
network = finite_network(equivariant.plain, width, (points,))
if kind == "equivariant":
    plain, network = network, finite_network(equivariant, width, (points, 1))
    whole = network.init
    # With the MLP's first layer, which a key gives both, and its readout: members of equal number are alike.
    network = network._replace(init=lambda key: [*whole(key)[:-1], plain.init(key)[-1]])
    x, queries = x[..., None], queries[..., None]
else:
    if kind == "averaged":
        network, x, queries = averaged(network, group), x[..., None], queries[..., None]
    else:  # the mean over the copies of a query is the same on average over networks, and known better
        x, queries, y = turned_copies(group, x), turned_copies(group, queries), np.tile(y, group.order)
        weights = np.full(len(x), 1 / group.order)
task = Task(*map(jnp.asarray, (x, np.repeat(y[:, None], 2, axis=1), weights, queries)))
seed = stream(params.seed, width)
found = train(mirrored(network), task, times * unit, params.step * unit, seed, members, at_once=64).mean(axis=-1)
if kind == "copies":
    found = found.reshape(*found.shape[:2], group.order, -1).mean(axis=2)
dims = "member", "time", "query"
trained = xr.Dataset({"output": (dims, found)}, {"member": list(members), "time": times})
config = {"network": settings, "kind": kind, "width": width, "members": list(params.members)}
store.save(trained, snakemake.output[0], config=config, seed=seed)
