import job

job.start(snakemake)

import numpy as np

from ntkfield import store
from ntkfield.dynamics.symmetry import mean_series
from ntkfield.groups.finite import cyclic
from ntkfield.networks.group_cnn import GroupCNN

params = snakemake.params
settings, chosen, relative = job.plain(params.network), job.plain(params.signals), job.plain(params.times)
rng, shape = np.random.default_rng(chosen["seed"]), (chosen["points"], 1)
x = rng.normal(size=(chosen["train"], *shape))
near = x[np.arange(chosen["test"]) % len(x)] + chosen["spread"] * rng.normal(size=(chosen["test"], *shape))
queries = np.concatenate([near, rng.normal(size=(chosen["noise"], *shape))])
y = 1.0 - 2.0 * (np.arange(len(x)) % 2)
network = GroupCNN(cyclic(chosen["points"]), **settings)
largest = float(np.linalg.eigvalsh(network.kernel(x).ntk)[-1])
theory = mean_series(network, x, y, queries, np.array(relative) / largest, rtol=params.rtol).assign_coords(
    time=relative
)
theory["set"] = "query", ["test"] * chosen["test"] + ["noise"] * chosen["noise"]
theory["signal"], theory["target"] = (("train", "point"), x[..., 0]), ("train", y)
theory["query_signal"], theory["largest_eigenvalue"] = (("query", "point"), queries[..., 0]), largest
theory["disagreement"] = abs(theory["mean_0"] - theory["mean_0"].isel(kind=0)).max()
config = {"network": settings, "signals": chosen, "times": relative, "rtol": params.rtol}
store.save(theory, snakemake.output[0], config=config, seed=chosen["seed"])
