import job

job.start(snakemake)

import pandas as pd

import ntkfield as nf
from ntkfield import store

rows = {}
for name in snakemake.params.recursions:
    recursion = nf.recursion(name)
    before, after = recursion.integrals
    rows[name] = {
        "diagrams": len(recursion.diagrams),
        "integrals_before": before,
        "integrals_after": after,
        "variables": recursion.variables,
    }
table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("recursion")
difference = store.load(snakemake.input[0])["difference"].max("layer")
for activation, column in difference.to_pandas().iterrows():
    table[f"agreement_{activation}"] = column
table.to_csv(snakemake.output[0], float_format="%.1e")
