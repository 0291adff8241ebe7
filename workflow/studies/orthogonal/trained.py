import job

job.start(snakemake)

import jax.numpy as jnp
import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.comparison import spread
from ntkfield.dynamics.ensembles import Task, stream, train
from ntkfield.dynamics.finite_networks import empirical_ntk, finite_network
from ntkfield.dynamics.predict import predict
from ntkfield.finite.solve import finite_width
from ntkfield.networks.mlp import ENSEMBLES, MLP

params = job.plain(snakemake.params.trained)
x, y, queries = (np.array(params[name]) for name in ("inputs", "targets", "queries"))
width, times = params["width"], [0.0, params["time"]]
task = Task(*map(jnp.asarray, (x, y[:, None], np.ones(len(x)), queries)))


def found(depth: int, number: int, weights: str) -> xr.Dataset:
    """Spread of NTKs and of outputs at the queries, before and after training, with errors; theory at order 1/n."""
    network = MLP(depth, weights=weights, **params["network"])
    tensors = finite_width(network, queries, ["Theta", "A", "B"], params["rtol"]).isel(layer=-1)
    theta, a, b = (np.array([tensors[name].values[(i,) * tensors[name].ndim] for i in range(len(queries))])
                   for name in ("Theta", "A", "B"))  # fmt: skip
    theory = predict(network, x, y, queries, times, width=width, rtol=params["rtol"])
    limit, corrected = (theory[name].values.mean(axis=-1) for name in ("variance_0", "variance"))
    member = finite_network(network, width, x.shape[1:])

    def record(parameters, at):
        ntk = jnp.diagonal(empirical_ntk(member.apply, parameters, at))
        return {"ntk": ntk, "output": member.apply(parameters, at)[..., 0]}

    step = params["step"] / np.linalg.eigvalsh(network.kernel(x).ntk)[-1]
    trained = train(member, task, times, step, stream(params["seed"], depth, number), range(params["members"]),
                    observe=record)  # fmt: skip
    ntk, output = spread(trained["ntk"] / trained["ntk"].mean(axis=0)), spread(trained["output"])
    return xr.Dataset(
        {
            "theory_ntk": ((), np.sqrt(np.mean((a + 2 * b) / theta**2) / width)),
            "limit_output": ("time", np.sqrt(limit)),
            "theory_output": ("time", np.sqrt(corrected)),
            "ntk": ("time", ntk.value),
            "ntk_error": ("time", ntk.error),
            "output": ("time", output.value),
            "output_error": ("time", output.error),
        },
        {"time": times},
    )


depths = params["depths"]
both = xr.concat(
    [xr.concat([found(depth, *each) for depth in depths], "depth") for each in enumerate(ENSEMBLES)], "weights"
).assign_coords(weights=list(ENSEMBLES), depth=depths)
about = {"width": width, "members": params["members"]}
store.save(both.assign_attrs(about), snakemake.output[0], config=params, seed=params["seed"])
