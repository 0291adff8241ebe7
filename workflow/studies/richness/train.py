import job

job.start(snakemake)

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.ensembles import Task, stream, train
from ntkfield.dynamics.finite_networks import empirical_ntk, finite_network, mirrored
from ntkfield.networks.mlp import MLP

params, width = snakemake.params, int(snakemake.wildcards.width)
line, members = job.plain(params.line), range(*params.members)
network, x = MLP(**job.plain(params.network)), np.array(line["train_points"])[:, None]
queries, y = np.linspace(-line["reach"], line["reach"], line["grid"])[:, None], np.sin(line["frequency"] * x[:, 0])
largest = np.linalg.eigvalsh(network.kernel(x).ntk)[-1]
task = Task(*map(jnp.asarray, (x, np.stack([y, y], axis=1), np.ones(len(x)), queries)))
finite = finite_network(network, width, (1,))
pairs = mirrored(finite)


def observe(parameters, queries):
    """Mean output and NTK of the two networks of a pair."""
    ntk = jax.vmap(lambda p: empirical_ntk(finite.apply, p, task.x))(parameters).mean(axis=0)
    return pairs.apply(parameters, queries).mean(axis=-1), ntk.ravel()


parts, step = [], line["step"] / largest
for richness in params.richness:  # of the same networks
    seed = stream(params.seed, width)
    outputs, ntk = train(
        pairs, task, [0.0, line["time"]], step, seed, members, at_once=32, observe=observe, richness=richness
    )
    parts.append((outputs[:, 1] / pairs.scale(richness), ntk[:, 1] - ntk[:, 0]))
outputs, changes = (np.stack(part) for part in zip(*parts, strict=True))
trained = xr.Dataset(
    {"output": (("richness", "member", "query"), outputs), "change": (("richness", "member", "pair"), changes)},
    {"richness": list(params.richness), "member": list(members), "query": queries[:, 0]},
)
config = {"line": line, "width": width, "members": list(params.members)}
store.save(trained, snakemake.output[0], config=config, seed=params.seed)
