import job

job.start(snakemake)

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.finite.solve import finite_width
from ntkfield.networks.mlp import ENSEMBLES, MLP
from ntkfield.sampling.statistics import sample_statistics

NAMES = ["V", "F", "B", "Theta1"]
KERNELS = ["K", "Theta"]

case, common = job.plain(snakemake.params.case), job.plain(snakemake.params.common)
x = np.sqrt([[case.pop("square")]])
depths, width = common["sampled_depths"], common["width"]


def found(weights: str) -> xr.Dataset:
    """Theory over layer, and over depth what was sampled, with its errors."""
    theory = finite_width(MLP(common["depth"], weights=weights, **case), x, [*KERNELS, *NAMES], rtol=1e-4)
    entries = {name: ("layer", theory[name].values.reshape(-1)) for name in [*KERNELS, *NAMES]}
    networks = (MLP(depth, weights=weights, **case) for depth in depths)
    samples = [
        sample_statistics(net, x, width, common["networks"], common["seed"], NAMES, batch=64) for net in networks
    ]
    for name in NAMES:
        for key in (name, f"{name}_error"):
            entries[f"sampled_{key}"] = ("depth", [sample[key].item() for sample in samples])
    return xr.Dataset(entries, {"layer": theory["layer"].values, "depth": depths})


both = xr.concat([found(weights) for weights in ENSEMBLES], "weights").assign_coords(weights=list(ENSEMBLES))
about = {"activation": MLP(1, case["activation"]).activation.name, "width": width, "networks": common["networks"]}
about |= {key: case[key] for key in ("weight_variance", "bias_variance", "weight_rate", "bias_rate")}
store.save(both.assign_attrs(about), snakemake.output[0], config=case | common, seed=common["seed"])
