import job

job.start(snakemake)

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.signals import descriptors

candidates = job.plain(snakemake.params.candidates)


def molecules(path: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    block = store.load(path)
    return tuple(block[name].values for name in ("numbers", "positions", "n_atoms"))


def described(given: tuple, kind: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Descriptors, atomic numbers and numbers of atoms; the kind is SOAP's lengths, or nothing for FCHL19."""
    return (descriptors.soap(*given, *kind) if kind else descriptors.fchl19(*given)), given[0], given[2]


rows, columns = (molecules(path) for path in (snakemake.input.rows, snakemake.input.columns))
kernels = {}
kinds = [tuple(one[key] for key in ("cutoffs", "smearings") if key in one) for one in candidates]
for kind in dict.fromkeys(kinds):
    numbers = [number for number, other in enumerate(kinds) if other == kind]
    functions = [
        descriptors.powers_of_products(candidates[k]["zetas"])
        if kind
        else descriptors.gaussian(candidates[k]["lengths"])
        for k in numbers
    ]
    sums = descriptors.molecule_sums(functions, described(rows, kind), described(columns, kind))
    kernels |= dict(zip(numbers, sums, strict=True))
tile = xr.Dataset(
    {"kernel": (("candidate", "row", "column"), [kernels[number] for number in range(len(candidates))])},
    coords={"candidate": range(len(candidates))},
)
store.save(tile, snakemake.output[0], config={"rival": snakemake.wildcards.rival, "candidates": candidates})
