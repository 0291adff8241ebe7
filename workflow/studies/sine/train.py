import job

job.start(snakemake)

import jax.numpy as jnp
import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.ensembles import Task, stream, train
from ntkfield.dynamics.finite_networks import empirical_ntk, finite_network
from ntkfield.networks.mlp import MLP

params, width = snakemake.params, int(snakemake.wildcards.width)
problem, members = job.plain(params.problem), range(*params.members)
network = MLP(**job.plain(params.network))
x = np.array(problem["train_points"])[:, None]
grid = np.linspace(-np.pi, np.pi, problem["grid"])[:, None]
finite = finite_network(network, width, (1,))
largest = np.linalg.eigvalsh(network.kernel(x).ntk)[-1]
seed = stream(params.seed, width)


def observe(parameters, queries):
    return {
        "output": finite.apply(parameters, queries)[:, 0],
        "trace": jnp.trace(empirical_ntk(finite.apply, parameters, queries[: len(x)])),
    }


task = Task(*map(jnp.asarray, (x, np.sin(x), np.ones(len(x)), np.concatenate([x, grid]))))
found = train(finite, task, problem["times"], problem["step"] / largest, seed, members, at_once=32, observe=observe)
trained = xr.Dataset(
    {
        "output": (("member", "time", "point"), found["output"][:, :, len(x) :]),
        "start": (("member", "train"), found["output"][:, 0, : len(x)]),
        "ntk_trace": (("member", "time"), found["trace"]),
    },
    coords={"member": list(members), "time": problem["times"], "point": grid[:, 0], "train": x[:, 0]},
)
config = {"network": job.plain(params.network), "problem": problem, "width": width, "members": list(params.members)}
store.save(trained, snakemake.output[0], config=config, seed=seed)
