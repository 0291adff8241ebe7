import job

job.start(snakemake)

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.augmentation import augmented_flow, turned_copies
from ntkfield.dynamics.gradient_flow import gradient_flow
from ntkfield.networks.group_cnn import GroupCNN

settings, relative = job.plain(snakemake.params.network), job.plain(snakemake.params.times)
data = store.load(snakemake.input[0])
images, train = data["image"].values[..., None], data["set"].values == "train"
x, y = images[train], data["target"].values[train]
plain, invariant = (GroupCNN(group, **settings) for group in ("c1", "c4"))
theta, across = invariant.kernel(x).ntk, invariant.kernel(images, x).ntk
largest = float(np.linalg.eigvalsh(theta)[-1])
times = np.array(relative) / largest
# How much of a network's initial outputs on its training inputs the flow takes off each output at time t: what the mean
# prediction would be for unit targets.
copies = turned_copies("c4", x)
influence = {
    "c4": gradient_flow(theta, across, np.eye(len(x)), times),
    "c1": gradient_flow(
        plain.kernel(copies).ntk, plain.kernel(images, copies).ntk, np.eye(len(copies)), times, rate=1 / 4
    ),
}
analytic = xr.Dataset(
    {
        "invariant": (("time", "input"), gradient_flow(theta, across, y, times)),
        "augmented": (("time", "input"), augmented_flow(plain, "c4", x, y, images, times)),
        "influence_c1": (("time", "input", "copy"), influence["c1"]),
        "influence_c4": (("time", "input", "train"), influence["c4"]),
        "largest_eigenvalue": ((), largest),
    },
    coords={"time": relative, "set": data["set"]},
)
analytic["disagreement"] = abs(analytic["invariant"] - analytic["augmented"]).max()
if analytic["disagreement"] > 1e-8:
    raise ArithmeticError(f"the two exact predictions differ by {analytic['disagreement'].item():.2g}, more than 1e-8")
store.save(analytic, snakemake.output[0], config={"network": settings, "times": relative})
