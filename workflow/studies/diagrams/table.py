import job

job.start(snakemake)

import pandas as pd

from ntkfield import store
from ntkfield.diagrams.recursions import recursion

rows = {}
for name in snakemake.params.recursions:
    found = recursion(name)
    before, after = found.integrals
    rows[name] = {
        "diagrams": len(found.diagrams),
        "integrals_before": before,
        "integrals_after": after,
        "variables": found.variables,
    }
table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("recursion")
difference = store.load(snakemake.input[0])["difference"].max("layer")
for activation, column in difference.to_pandas().iterrows():
    table[f"agreement_{activation}"] = column
table.to_csv(snakemake.output[0], float_format="%.1e")
