import job

job.start(snakemake)

import xarray as xr
from finite_results import over, samples, theories

from ntkfield.figures import criticality, style

stored, runs = theories(snakemake.input.theory), samples(snakemake.input.samples)
theory, sampled = {}, {}
for variance in snakemake.params.weight_variances:
    kernels, four_point = f"kernels_{variance:g}", f"four_point_{variance:g}"
    theory[variance] = xr.merge([stored[kernels], stored[four_point][["V"]]], combine_attrs="override")
    parts = [over(runs, f"{name}_depth_", "depth") for name in (kernels, four_point)]
    sampled[variance] = xr.merge(parts, combine_attrs="drop").assign_attrs(width=snakemake.params.width)
style.save(criticality.depth(theory, sampled), snakemake.output.png, snakemake.output.pdf)
criticality.growth(theory).to_csv(snakemake.output.table, float_format="%.4f")
style.note(criticality.finding(theory, sampled), snakemake.output.finding)
