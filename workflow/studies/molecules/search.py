import job

job.start(snakemake)

import xarray as xr

from ntkfield import store
from ntkfield.figures import search, style

judged = [store.load(path) for path in snakemake.input]
names = list(snakemake.params.candidates)
result = xr.concat(judged, "candidate", combine_attrs="drop_conflicts").assign_coords(candidate=names)
store.save(result, snakemake.output.dataset, config={"candidates": names})
best = search.best(result)
best.to_dataframe().reset_index().to_csv(snakemake.output.table, index=False, float_format="%.6g")
style.save(search.plot(result), snakemake.output.pdf, snakemake.output.png)
style.note(search.finding(result), snakemake.output.finding)
