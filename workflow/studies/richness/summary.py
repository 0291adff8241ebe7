import job

job.start(snakemake)

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.dynamics.comparison import error_of_mean

widths, targets = list(snakemake.params.widths), list(snakemake.params.targets)
line, planes = store.load(snakemake.input.line), [store.load(path) for path in snakemake.input.plane]
parts = []
for width in widths:
    paths = [path for path in snakemake.input.trained if path.split("/")[-2] == str(width)]
    trained = xr.concat([store.load(path) for path in paths], "member")
    output, change = (trained[name].transpose("member", "richness", ...).values for name in ("output", "change"))
    square = error_of_mean(change, np.zeros(change.shape[1:]))
    scale = line["start_square"].item()
    one = {
        "output": (("richness", "query"), output.mean(axis=0)),
        "output_error": (("richness", "query"), output.std(axis=0, ddof=1) / len(output) ** 0.5),
        "square_change": ("richness", square.value / scale),
        "square_change_error": ("richness", square.error / scale),
    }
    one = {f"sampled_{name}": value for name, value in one.items()}
    parts.append(xr.Dataset(one, {"richness": trained["richness"]}))
sampled = xr.concat(parts, "width").assign_coords(width=widths)
plane = xr.concat(planes, "target").assign_coords(target=targets)
result = xr.merge([line, sampled, plane], join="outer", combine_attrs="drop")
settings = {name: snakemake.params[name] for name in ("activation", "depth", "line_time", "plane_time")}
store.save(result.assign_attrs(settings), snakemake.output.dataset, config=settings | {"widths": widths})
table = plane.to_dataframe().reset_index().rename(columns={"error_error": "error_known_to"})
table.to_csv(snakemake.output.table, index=False, float_format="%.6g")
