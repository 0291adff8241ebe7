import job

job.start(snakemake)

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.comparison import along

widths = list(snakemake.params.widths)
theory = store.load(snakemake.input.theory)
others, sets, dims = ["averaged", "copies"], ["test", "noise"], ("kind", "set", "width", "time")
shape = len(others), len(sets), len(widths), theory.sizes["time"]
found = {name: np.zeros(shape) for name in ("difference", "difference_error")}
predicted = {name: np.zeros((*shape[:2], shape[3])) for name in ("predicted", "predicted_error")}
for w, width in enumerate(widths):
    paths = [path for path in snakemake.input.trained if path.split("/")[-2] == str(width)]
    output = {}
    for kind in ("equivariant", *others):
        parts = [store.load(path) for path in paths if path.split("/")[-3] == kind]
        output[kind] = xr.concat(parts, "member")["output"].values
    for k, kind in enumerate(others):
        for s, name in enumerate(sets):
            chosen = theory["set"].values == name
            means = theory["mean_1"].values[..., chosen], theory["mean_1_error"].values[..., chosen]
            first, other = (list(theory["kind"].values).index(which) for which in ("equivariant", kind))
            direction, error = means[0][first] - means[0][other], means[1][first] + means[1][other]
            direction[abs(direction) < 1e-12 * abs(theory["mean_1"].values).max()] = 0.0  # rounding, of equal kinds
            # Of equal members the outer layers were equal at the start, so that their outputs are alike.
            measured = along((output["equivariant"] - output[kind])[..., chosen], direction)
            found["difference"][k, s, w], found["difference_error"][k, s, w] = measured
            predicted["predicted"][k, s] = np.linalg.norm(direction, axis=-1) / chosen.sum() ** 0.5
            predicted["predicted_error"][k, s] = np.linalg.norm(error, axis=-1) / chosen.sum() ** 0.5
values = {name: (dims, value) for name, value in found.items()}
values |= {name: (("kind", "set", "time"), value) for name, value in predicted.items()}
values |= {"members": len(output["equivariant"]), "disagreement": theory["disagreement"]}
coordinates = {"kind": others, "set": sets, "width": widths, "time": theory["time"].values}
result = xr.Dataset(values, coordinates)
store.save(result, snakemake.output.dataset, config={"widths": widths, "members": result["members"].item()})
table = result.drop_vars(["members", "disagreement"]).to_dataframe().reset_index()
table[table["time"] > 0].to_csv(snakemake.output.table, index=False, float_format="%.6g")
