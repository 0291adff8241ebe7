import job

job.start(snakemake)

import numpy as np
import xarray as xr
from inputs import molecule_environments, network

from ntkfield import store
from ntkfield.datasets import qm9
from ntkfield.dynamics.composition import dressed_atoms, element_counts
from ntkfield.dynamics.selection import leave_one_out
from ntkfield.infinite.molecules import molecule_kernels

params = snakemake.params
settings, signals = job.plain(params.network), job.plain(params.signals)
everything = store.load(snakemake.input[0])
# From the other end of the order than training and test molecules.
order = np.random.default_rng(params.pool_seed).permutation(everything.sizes["molecule"])
molecules = qm9.select(everything, order[-params.molecules :])
energies = molecules["atomization_energy"].values
counts = element_counts(molecules["numbers"].values, molecules["n_atoms"].values)
rest = energies - counts @ dressed_atoms(counts, energies)
rest -= rest.mean()
atoms = molecule_environments(molecules, signals)
kernels = molecule_kernels(network(settings, signals), atoms, sampling=settings.get("sampling", "gl"))["element"]
judged = [leave_one_out(kernels.ntk, rest, params.diag_reg), leave_one_out(kernels.nngp, rest, params.diag_reg)]
absolute = np.abs([one.errors for one in judged])
dims = ("kernel", "diag_reg")
result = xr.Dataset(
    {
        "mean_absolute_error": (dims, absolute.mean(axis=-1), {"units": "eV"}),
        "standard_error": (dims, absolute.std(axis=-1, ddof=1) / np.sqrt(len(rest)), {"units": "eV"}),
        "log_evidence": (dims, [one.log_evidence for one in judged]),
    },
    coords={"kernel": ["ntk", "nngp"], "diag_reg": list(params.diag_reg)},
    attrs={"molecules": len(rest), "composition_error": float(np.abs(rest).mean())},
)
store.save(result, snakemake.output[0], config={"network": settings, "signals": signals}, seed=params.pool_seed)
