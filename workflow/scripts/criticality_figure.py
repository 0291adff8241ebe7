import job

job.start(snakemake)

import numpy as np
import pandas as pd
import xarray as xr
from finite_results import over, samples, theories

from ntkfield.figures import criticality, style

stored, runs = theories(snakemake.input.theory), samples(snakemake.input.samples)
theory, sampled = {}, {}
for variance in snakemake.params.weight_variances:
    kernels, four_point = f"kernels_{variance:g}", f"four_point_{variance:g}"
    theory[variance] = xr.merge([stored[kernels], stored[four_point][["V"]]], combine_attrs="drop")
    parts = [over(runs, f"{name}_depth_", "depth") for name in (kernels, four_point)]
    sampled[variance] = xr.merge(parts, combine_attrs="drop").assign_attrs(width=snakemake.params.width)
critical = snakemake.params.critical
first = stored[f"kernels_{critical:g}"]["K"].isel(layer=0)
# At C_W = 2 the angle between inputs closes with depth: K* = 2 |x_0| |x_1| / n_0, and K = 2 x.x / n_0 at layer 1.
fixed = float(np.sqrt(first[0, 0] * first[1, 1]))
figure, powers = criticality.depth(theory, sampled, critical, fixed)
style.save(figure, snakemake.output.png, snakemake.output.pdf)
pd.Series(powers, name="power_of_depth").rename_axis("tensor").to_csv(snakemake.output.table, float_format="%.4f")
style.note(criticality.finding(theory, sampled, critical, powers), snakemake.output.finding)
