import job

job.start(snakemake)

from ntkfield import store
from ntkfield.figures import learning, style

found, output = store.load(snakemake.input[0]), snakemake.output
style.save(learning.plot_error(found), output.error_pdf, output.error_png)
style.save(learning.plot_causes(found), output.causes_pdf, output.causes_png)
style.note(learning.finding_error(found), output.error_finding)
style.note(learning.finding_causes(found), output.causes_finding)
