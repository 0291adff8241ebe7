import job

job.start(snakemake)

from ntkfield import store
from ntkfield.figures import sine, style

summary, output, narrowest = store.load(snakemake.input[0]), snakemake.output, snakemake.params.drawn_from
style.save(sine.plot_ensemble(summary, narrowest), output.ensemble_pdf, output.ensemble_png)
style.save(sine.plot_bias(summary, narrowest), output.bias_pdf, output.bias_png)
style.save(sine.plot_freezing(summary), output.freezing_pdf, output.freezing_png)
style.note(sine.finding_ensemble(summary, narrowest), output.ensemble_finding)
style.note(sine.finding_bias(summary), output.bias_finding)
style.note(sine.finding_freezing(summary), output.freezing_finding)
