import job

job.start(snakemake)

import numpy as np

from ntkfield import store
from ntkfield.finite.criticality import critical_initialization
from ntkfield.finite.solve import finite_width
from ntkfield.networks.mlp import MLP


def critical(activation) -> dict:
    """The critical initialisation as attributes; none where there is none."""
    try:
        found = critical_initialization(activation)
    except ValueError:
        return {}
    return {f"critical_{key}": value for key, value in found._asdict().items() if value is not None}


run = job.plain(snakemake.params.run)
theory = finite_width(MLP(**run["network"]), np.array(run["inputs"]), run["tensors"], rtol=snakemake.params.rtol)
if run.get("critical"):
    theory = theory.assign_attrs(critical(run["network"]["activation"]))
store.save(theory, snakemake.output[0], config=run)
