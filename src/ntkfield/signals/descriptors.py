r"""Descriptors of atoms that chemists make by hand, and their kernels: what networks on molecules are compared with.

Both describe an atom's surroundings by invariant numbers; a kernel between molecules is the sum over pairs of atoms of
equal element of a kernel of two descriptors, as in quantum machine learning's kernel ridge regression.

- SOAP: the power spectrum of the neighbours' smeared density (Bartók, Kondor and Csányi, *On representing chemical
  environments*, 2013), by the package dscribe; normalised and raised to a power, :math:`(p\cdot p')^\zeta`.
- FCHL19: two- and three-body distributions (Christensen, Bratholm, Faber and von Lilienfeld, *FCHL revisited*, 2020),
  by the package qmllib with its own settings; :math:`e^{-|p-p'|^2/(2\ell^2)}`.
"""

from collections.abc import Callable, Sequence

import numpy as np

from ntkfield import checks
from ntkfield.extras import needs

with needs("rivals", __name__):
    from ase import Atoms
    from ase.data import chemical_symbols
    from dscribe.descriptors import SOAP
    from qmllib.representations import generate_fchl19

    from ntkfield.signals.molecules import QM9_ELEMENTS

RADIAL, ANGULAR = 8, 6  # of SOAP's density: radial functions, and degrees up to this one


def soap(
    numbers: np.ndarray,
    positions: np.ndarray,
    n_atoms: np.ndarray,
    cutoff: float,
    smearing: float,
    elements: Sequence[int] = QM9_ELEMENTS,
) -> np.ndarray:
    """SOAP of every atom, of norm one [atom, feature].

    Args:
        numbers: atomic numbers [atom], molecule after molecule.
        positions: in angstrom [atom, 3].
        n_atoms: atoms of each molecule.
        cutoff: in angstrom.
        smearing: standard deviation of an atom's density, in angstrom.
        elements: that may occur.

    Raises:
        ValueError: if a length is not positive.
    """
    checks.positive("cutoff", cutoff)
    checks.positive("smearing", smearing)
    species = [chemical_symbols[z] for z in elements]
    maker = SOAP(species=species, r_cut=cutoff, n_max=RADIAL, l_max=ANGULAR, sigma=smearing, periodic=False)
    features = np.concatenate([maker.create(Atoms(z, r)) for z, r in _molecules(numbers, positions, n_atoms)])
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def fchl19(
    numbers: np.ndarray, positions: np.ndarray, n_atoms: np.ndarray, elements: Sequence[int] = QM9_ELEMENTS
) -> np.ndarray:
    """FCHL19 of every atom [atom, feature]; arguments as for :func:`soap`."""
    kinds = list(elements)
    parts = [generate_fchl19(z, r, elements=kinds, pad=len(z)) for z, r in _molecules(numbers, positions, n_atoms)]
    return np.concatenate(parts)


def _molecules(numbers: np.ndarray, positions: np.ndarray, n_atoms: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    ends = np.cumsum(n_atoms)[:-1]
    return list(zip(np.split(np.asarray(numbers), ends), np.split(np.asarray(positions), ends), strict=True))


def powers_of_products(zeta: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    r"""The kernel :math:`(p\cdot p')^\zeta` of descriptors [n, feature] and [m, feature]."""
    checks.positive("zeta", zeta)
    return lambda a, b: (a @ b.T) ** zeta


def gaussian(length: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    r"""The kernel :math:`e^{-|p-p'|^2/(2\ell^2)}` of descriptors [n, feature] and [m, feature]."""
    checks.positive("length", length)

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
        return np.exp(np.maximum(squares, 0.0) / (-2 * length**2))

    return kernel


def molecule_sums(
    kernels: Sequence[Callable[[np.ndarray, np.ndarray], np.ndarray]],
    a: tuple[np.ndarray, np.ndarray, np.ndarray],
    b: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> np.ndarray:
    """Kernels between molecules, summed over pairs of atoms of equal element [kernel, molecule of a, molecule of b].

    Args:
        kernels: of two sets of descriptors.
        a: descriptors [atom, feature], atomic numbers [atom] and numbers of atoms [molecule], of the rows.
        b: the same of the columns.
    """
    result = np.zeros((len(kernels), len(a[2]), len(b[2])))
    rows, columns = (np.repeat(np.arange(len(side[2])), side[2]) for side in (a, b))
    for z in np.intersect1d(a[1], b[1]):
        here, there = a[1] == z, b[1] == z
        left = (np.arange(len(a[2]))[:, None] == rows[here]).astype(np.float64)
        right = (np.arange(len(b[2]))[:, None] == columns[there]).astype(np.float64)
        for k, kernel in enumerate(kernels):
            result[k] += left @ kernel(a[0][here], b[0][there]) @ right.T
    return result
