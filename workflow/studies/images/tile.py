import job

job.start(snakemake)

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.networks.group_cnn import GroupCNN

part, i, j = snakemake.wildcards.half, int(snakemake.wildcards.i), snakemake.wildcards.j
settings, seed = job.plain(snakemake.params.network), snakemake.params.turn_seed
network = GroupCNN(**settings)
rows, columns = (store.load(path)["image"].values for path in (snakemake.input.rows, snakemake.input.columns))
if part == "train":
    views = {"upright": network.kernel(rows, None if str(i) == j else columns)}
else:
    turns = np.random.default_rng([seed, i]).integers(4, size=len(rows))
    turned = np.stack([np.rot90(image, turn) for image, turn in zip(rows, turns, strict=True)])
    views = {"upright": network.kernel(rows, columns), "turned": network.kernel(turned, columns)}
tile = xr.Dataset(
    {
        kind: (("view", "row", "column"), np.stack([getattr(kernels, kind) for kernels in views.values()]))
        for kind in ("nngp", "ntk")
    },
    coords={"view": list(views)},
)
if part == "test":
    tile["quarter_turns"] = ("row", turns, {"long_name": "quarter turns of the test image in the view turned"})
store.save(tile, snakemake.output[0], config={"network": settings}, seed=seed)
