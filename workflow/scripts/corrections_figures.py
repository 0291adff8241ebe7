import job

job.start(snakemake)

from finite_results import over, samples, theories

from ntkfield.figures import corrections, style

theory = theories(snakemake.input.theory)["all"].isel(layer=-1)
sampled = over(samples(snakemake.input.samples), "width_", "width")
for name, pdf in zip(("kernels", "first_order", "tensors"), snakemake.output.pdf, strict=True):
    style.save(getattr(corrections, name)(theory, sampled), snakemake.output[name], pdf)
