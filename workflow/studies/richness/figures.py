import job

job.start(snakemake)

from ntkfield import store
from ntkfield.figures import richness, style

found, output = store.load(snakemake.input[0]), snakemake.output
for name, draw, tell in (
    ("outputs", richness.plot_outputs, richness.finding_outputs),
    ("kernel", richness.plot_kernel, richness.finding_kernel),
    ("error", richness.plot_error, richness.finding_error),
):
    style.save(draw(found), output[f"{name}_pdf"], output[f"{name}_png"])
    style.note(tell(found), output[f"{name}_finding"])
