import job

job.start(snakemake)

import jax.numpy as jnp
import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.datasets.plane import TARGETS, training_and_test
from ntkfield.dynamics.ensembles import Task, stream, train
from ntkfield.dynamics.finite_networks import finite_network, mirrored
from ntkfield.networks.mlp import MLP

params, width = snakemake.params, int(snakemake.wildcards.width)
problem, networks, members = job.plain(params.problem), job.plain(params.networks), range(*params.members)
x, queries = training_and_test(problem["train"], problem["test"], problem["radius"])
y = np.stack([TARGETS[name](x) for name in problem["targets"]], axis=1)
task = Task(*map(jnp.asarray, (x, np.repeat(y, 2, axis=1), np.ones(len(x)), queries)))
parts, seeds = [], [stream(params.seed, width, number) for number in range(len(networks))]
for settings, seed in zip(networks.values(), seeds, strict=True):
    network = MLP(**settings)
    largest = np.linalg.eigvalsh(network.kernel(x).ntk)[-1]
    pairs = mirrored(finite_network(network, width, (2,)), y.shape[1])
    found = train(pairs, task, problem["times"], problem["step"] / largest, seed, members, at_once=32)
    found = found.reshape(*found.shape[:-1], -1, 2)  # of the two networks of each pair
    parts.append({"mean": found.mean(axis=-1), "square": (found**2).mean(axis=-1)})
dims = "network", "member", "time", "query", "target"
trained = xr.Dataset(
    {name: (dims, np.stack([part[name] for part in parts])) for name in ("mean", "square")},
    {"network": list(networks), "member": list(members), "time": problem["times"], "target": problem["targets"]},
)
config = {"networks": networks, "problem": problem, "width": width, "members": list(params.members)}
store.save(trained, snakemake.output[0], config=config, seed=params.seed)
