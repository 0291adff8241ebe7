import job

job.start(snakemake)

from finite_results import over, samples, theories

from ntkfield.figures import scale, style

stored, runs = theories(snakemake.input.theory), samples(snakemake.input.samples)
cases = list(snakemake.params.cases)
theory = {name: stored[name].isel(layer=-1) for name in cases}
sampled = {name: over(runs, f"{name}_width_", "width") for name in cases}
style.save(scale.deviations(theory, sampled), snakemake.output.png, snakemake.output.pdf)
style.note(scale.finding(theory, sampled), snakemake.output.finding)
