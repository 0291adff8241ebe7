import job

job.start(snakemake)

import xarray as xr

from ntkfield import store
from ntkfield.figures import kernel_convergence, style

result = xr.concat([store.load(path) for path in snakemake.input], "network", combine_attrs="drop_conflicts")
style.save(kernel_convergence.plot(result), snakemake.output.pdf, snakemake.output.png)
style.note(kernel_convergence.finding(result), snakemake.output.finding)
