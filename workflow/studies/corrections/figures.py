import job

job.start(snakemake)

from finite_results import over, samples, theories

from ntkfield.figures import corrections, style

theory = theories(snakemake.input.theory)["all"].isel(layer=-1)
sampled = over(samples(snakemake.input.samples), "width_", "width")
drawn = {
    "kernels": (corrections.kernels, corrections.kernels_finding),
    "first_order": (corrections.first_order, corrections.first_order_finding),
    "tensors": (corrections.tensors, corrections.tensors_finding),
}
files = zip(snakemake.output.pdf, snakemake.output.finding, strict=True)
for (name, (plot, finding)), (pdf, text) in zip(drawn.items(), files, strict=True):
    style.save(plot(theory, sampled), snakemake.output[name], pdf)
    style.note(finding(theory, sampled), text)
