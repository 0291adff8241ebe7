r"""Molecules as spherical signals: what each atom sees of the others, by direction.

For atom i, element z and power p (Esteves, Slotine, Makadia, Scaling Spherical CNNs, ICML 2023; used for equivariant
kernels by Misof, Kessel, Gerken, ICML 2025):

.. math:: f_{i,z,p}(x) = \sum_{j\ne i,\, z_j=z} \frac{z_i z_j}{|r_{ij}|^p}
   \exp\left(-\frac{(\hat r_{ij}\cdot x - 1)^2}{\beta}\right), \qquad \beta = -\frac{(\cos\theta_c - 1)^2}{\ln 0.05},

with :math:`r_{ij} = r_j - r_i` and :math:`\theta_c` the angle at which a bump has fallen to 5 %. A bump is a zonal
function about :math:`\hat r_{ij}`, so by the Funk-Hecke formula its harmonic coefficients are exact:
:math:`a_l Y_{lm}^*(\hat r_{ij})` with :math:`a_l = 2\pi \int_{-1}^1 e^{-(t-1)^2/\beta} P_l(t)\, dt`.
"""

from collections.abc import Callable, Sequence
from math import pi
from numbers import Real
from typing import Any

import jax
import numpy as np
import xarray as xr
from jax.core import Tracer
from scipy.sparse import csr_array
from scipy.special import eval_legendre

from ntkfield import checks
from ntkfield.extras import needs

with needs("molecules", __name__):
    from ase import Atoms
    from ase.data import chemical_symbols

    from ntkfield.signals.harmonics import Harmonics, check_bandlimit, iterate_harmonics

from ntkfield.signals.radial import Shells, check_radial, radial_labels, radial_values

QM9_ELEMENTS = (1, 6, 7, 8, 9)
SHORTEST_DISTANCE = 0.1
"""Two atoms closer than this, in angstrom, are taken for an error in the input."""


def atom_signals(
    atoms: Atoms,
    *,
    bandlimit: int = 6,
    powers: Sequence[float] = (2, 6),
    shells: Shells | None = None,
    cutoff_angle: float = pi / 4,
    elements: Sequence[int] = QM9_ELEMENTS,
) -> Harmonics:
    """Spherical signals of the atoms of one molecule; see the module's formula.

    Args:
        atoms: The molecule, positions in angstrom.
        bandlimit: L; degrees l < L are kept (:func:`truncation_error` says what that discards).
        powers: Exponents p, positive; may be empty beside shells.
        shells: Of :mod:`ntkfield.signals.radial`, further channels whose radial part takes that of the powers' place.
        cutoff_angle: θ_c in radians, above 0 and at most π.
        elements: Atomic numbers z, one block of channels each; every atom must be one of them.

    Returns:
        Coefficients [n_atoms, L, 2L-1, len(elements) · (len(powers) + shells)] in units of 1/angstrom^p, channels
        element by element and within an element power by power, then shell by shell (:func:`channel_labels`). A lone
        atom has zero signals.

    Raises:
        ValueError: if an argument is not accepted, or the molecule is empty, periodic, has an atom of another element,
            coordinates that are not finite, or overlapping atoms.

    """
    if not isinstance(atoms, Atoms):
        raise checks.refuse("atoms", atoms, "an ase.Atoms, as from ase.build.molecule or ase.io.read")
    if atoms.pbc.any():
        raise ValueError(f"atoms has pbc {atoms.pbc.tolist()}, but only molecules without periodicity are accepted")
    return dataset_signals(
        atoms.numbers,
        atoms.positions,
        [len(atoms)],
        bandlimit=bandlimit,
        powers=powers,
        shells=shells,
        cutoff_angle=cutoff_angle,
        elements=elements,
    )


def dataset_signals(
    numbers: np.ndarray,
    positions: np.ndarray,
    n_atoms: Sequence[int] | np.ndarray,
    *,
    bandlimit: int = 6,
    powers: Sequence[float] = (2, 6),
    shells: Shells | None = None,
    cutoff_angle: float = pi / 4,
    elements: Sequence[int] = QM9_ELEMENTS,
) -> Harmonics:
    """Spherical signals of the atoms of many molecules at once; arguments and errors as for :func:`atom_signals`.

    Args:
        numbers: Atomic numbers [atom], molecule after molecule (``numbers`` of the datasets in ``datasets.qm9``).
        positions: Positions [atom, 3] in angstrom. While JAX traces them, to differentiate or to compile, neither they
            nor the distances between atoms are checked.
        n_atoms: Number of atoms of each molecule.
        bandlimit: L.
        powers: Exponents p.
        shells: Further channels.
        cutoff_angle: θ_c in radians.
        elements: Atomic numbers z.

    Returns:
        Coefficients [atom, L, 2L-1, channel], all atoms in the order given.

    """
    check_bandlimit(bandlimit)
    check_radial(powers, shells)
    _check_elements_given(elements)
    numbers, positions, n_atoms = _checked_molecules(numbers, positions, n_atoms, elements)
    first, second = _ordered_pairs(n_atoms)
    xp = positions.__array_namespace__()
    directions = positions[second] - positions[first]
    distances = xp.linalg.norm(directions, axis=1)
    if xp is np:
        _check_distances(distances, first, second, numbers, n_atoms)
    directions = directions / distances[:, None]
    values = radial_values(numbers[first] * numbers[second], distances, powers, shells)
    sums = _channel_sums(numbers, first, second, values, elements)
    zonal = bump_coefficients(bandlimit, cutoff_angle)
    n_channels = len(elements) * values.shape[1]
    half = xp.zeros((len(numbers), bandlimit, bandlimit, n_channels), dtype=np.complex128)
    for l, m, harmonic in iterate_harmonics(directions, bandlimit):
        summed = sums(zonal[l] * harmonic.conj()).reshape(-1, n_channels)
        if xp is np:
            half[:, l, m] = summed
        else:
            half = half.at[:, l, m].set(summed)
    return Harmonics.from_nonnegative_orders(half)


def check_learnable(molecules: xr.Dataset, needed: int) -> None:
    """Refuse molecules from whose atomization energies nothing can be learned.

    Args:
        molecules: From :func:`~ntkfield.datasets.qm9.read_molecules`.
        needed: How many there must be.

    Raises:
        ValueError: if there are fewer, or one has a single atom, no atomization energy, an element other than H, C, N,
            O and F, a coordinate that is not finite or overlapping atoms; names the molecule, counted from 0.

    """
    n_atoms, energies = molecules["n_atoms"].values, molecules["atomization_energy"].values
    if len(n_atoms) < needed:
        raise checks.refuse("number of molecules", len(n_atoms), f"{needed}, for training and test, or more")
    if (n_atoms < 2).any():
        raise checks.refuse(f"number of atoms of molecule {np.argmax(n_atoms < 2)}", 1, "two or more")
    dataset_signals(molecules["numbers"].values, molecules["positions"].values, n_atoms, bandlimit=1)
    unknown = ~np.isfinite(energies)
    if unknown.any():
        i = np.argmax(unknown)
        raise checks.refuse(f"atomization_energy of molecule {i}", energies[i], "a finite energy in eV")


def channel_labels(
    powers: Sequence[float] = (2, 6), elements: Sequence[int] = QM9_ELEMENTS, shells: Shells | None = None
) -> list[str]:
    """Names of the channels in order, such as ``"H r^-2"`` or ``"C 1.5 Å"``."""
    check_radial(powers, shells)
    _check_elements_given(elements)
    return [f"{chemical_symbols[z]} {radial}" for z in elements for radial in radial_labels(powers, shells)]


def bump_coefficients(bandlimit: int, cutoff_angle: float = pi / 4) -> np.ndarray:
    """a_l = 2π ∫_{-1}^{1} exp(-(t-1)²/β) P_l(t) dt for l < L, to rounding; shape [L].

    Raises:
        ValueError: if the band-limit is not a positive integer or the angle lies outside (0, π].

    """
    check_bandlimit(bandlimit)
    t, weights, bump = _bump_on_nodes(bandlimit, cutoff_angle)
    legendre = eval_legendre(np.arange(bandlimit)[:, None], t)
    return 2 * pi * legendre @ (weights * bump)


def truncation_error(bandlimit: int, cutoff_angle: float = pi / 4) -> float:
    """Relative L2 norm of the part of one bump with degrees l ≥ L, which a band-limited signal lacks.

    The norm of g - Σ_{l<L} (2l+1)/(4π) a_l P_l over that of g = exp(-(t-1)²/β), by quadrature of the difference: the
    difference of the squared norms would drown errors below 1e-8 in rounding. Reliable down to about 1e-11.

    Raises:
        ValueError: if the band-limit is not a positive integer or the angle lies outside (0, π].

    """
    coefficients = bump_coefficients(bandlimit, cutoff_angle)
    degrees = np.arange(bandlimit)
    expansion = (2 * degrees + 1) / (4 * pi) * coefficients
    t, weights, bump = _bump_on_nodes(bandlimit, cutoff_angle)
    rest = bump - expansion @ eval_legendre(degrees[:, None], t)
    return float(np.sqrt((weights @ rest**2) / (weights @ bump**2)))


def _bump_on_nodes(bandlimit: int, cutoff_angle: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quadrature nodes t and weights on [-1, 1], and exp(-(t-1)²/β) there.

    Gauss-Legendre on two panels, the first of which holds the bump whatever its width: beyond 6.5 √β from t = 1 it is
    below 1e-18, and on 6.5 √β 64 nodes integrate it and its square to rounding, with one node more per degree.
    """
    if not isinstance(cutoff_angle, Real) or isinstance(cutoff_angle, bool) or not 0 < cutoff_angle <= pi:
        raise ValueError(f"cutoff_angle is {cutoff_angle!r}, but radians above 0 and at most pi are accepted")
    beta = -((2 * np.sin(cutoff_angle / 2) ** 2) ** 2) / np.log(0.05)  # 1 - cos θ_c, without cancellation
    nodes, weights = np.polynomial.legendre.leggauss(64 + bandlimit)
    edges = np.array([0.0, min(2.0, 6.5 * np.sqrt(beta)), 2.0])
    half_widths = np.diff(edges)[:, None] / 2
    u = (edges[:-1, None] + half_widths * (1 + nodes)).ravel()  # 1 - t, which keeps its digits where the bump is narrow
    return 1 - u, (half_widths * weights).ravel(), np.exp(-(u**2) / beta)


def _check_elements_given(elements: Sequence[int]) -> None:
    """Refuse elements that name no channels."""
    known = all(isinstance(z, int | np.integer) and 0 < z < len(chemical_symbols) for z in elements)
    if len(elements) == 0 or not known or len(set(elements)) != len(elements):
        raise ValueError(f"elements is {tuple(elements)}, but one atomic number or more, none twice, is accepted")


def _checked_molecules(
    numbers: np.ndarray, positions: np.ndarray, n_atoms: Sequence[int] | np.ndarray, elements: Sequence[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The molecules as arrays, refused if they are none that have signals."""
    numbers, n_atoms = np.asarray(numbers, dtype=np.int64), np.asarray(n_atoms, dtype=np.int64)
    traced = isinstance(positions, Tracer)
    positions = positions if traced else np.asarray(positions, dtype=np.float64)
    if (n_atoms < 1).any():
        raise ValueError(f"molecule {np.argmax(n_atoms < 1)} has no atoms, but one atom or more is accepted")
    if numbers.shape != (n_atoms.sum(),) or positions.shape != (*numbers.shape, 3):
        raise ValueError(
            f"numbers and positions have shapes {numbers.shape} and {positions.shape}, "
            f"but [{n_atoms.sum()}] and [{n_atoms.sum()}, 3] are accepted for these n_atoms"
        )
    _check_elements(numbers, n_atoms, elements)
    if traced:
        return numbers, positions, n_atoms
    broken = ~np.isfinite(positions).all(axis=1)
    if broken.any():
        atom = int(np.argmax(broken))
        place = _locate(atom, numbers, n_atoms)
        raise ValueError(f"{place} has position {positions[atom].tolist()}, but only finite coordinates are accepted")
    return numbers, positions, n_atoms


def _check_elements(numbers: np.ndarray, n_atoms: np.ndarray, elements: Sequence[int]) -> None:
    """Refuse atoms of elements that have no channels."""
    unknown = ~np.isin(numbers, elements)
    if unknown.any():
        accepted = " ".join(_symbol(z) for z in elements)
        raise ValueError(
            f"{_locate(int(np.argmax(unknown)), numbers, n_atoms)} is refused: only {accepted} are accepted"
        )


def _check_distances(
    distances: np.ndarray, first: np.ndarray, second: np.ndarray, numbers: np.ndarray, n_atoms: np.ndarray
) -> None:
    """Refuse molecules with atoms on top of each other."""
    if (distances < SHORTEST_DISTANCE).any():
        pair = np.argmax(distances < SHORTEST_DISTANCE)
        one, other = (_locate(side[pair], numbers, n_atoms) for side in (first, second))
        raise ValueError(
            f"{one} and {other} are {distances[pair]:.3g} angstrom apart, but at least {SHORTEST_DISTANCE} is accepted"
        )


def _locate(atom: int, numbers: np.ndarray, n_atoms: np.ndarray) -> str:
    """An atom's place in words: its molecule, its number there, its element."""
    ends = np.cumsum(n_atoms)
    molecule = np.searchsorted(ends, atom, side="right")
    return f"atom {atom - ends[molecule] + n_atoms[molecule]} ({_symbol(numbers[atom])}) of molecule {molecule}"


def _symbol(number: int) -> str:
    """Chemical symbol of an atomic number, or the number itself where there is no such element."""
    return chemical_symbols[number] if 0 < number < len(chemical_symbols) else str(number)


def _ordered_pairs(n_atoms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All ordered pairs (i, j), i ≠ j, of atoms in the same molecule, sorted by i."""
    partners = np.repeat(n_atoms, n_atoms)
    first = np.repeat(np.arange(len(partners)), partners)
    molecule_start = np.repeat(np.cumsum(n_atoms) - n_atoms, n_atoms)
    pair_start = np.cumsum(partners) - partners
    second = np.arange(len(first)) + np.repeat(molecule_start - pair_start, partners)
    different = first != second
    return first[different], second[different]


def _channel_sums(
    numbers: np.ndarray, first: np.ndarray, second: np.ndarray, values: Any, elements: Sequence[int]
) -> Callable[[Any], Any]:
    """What adds values of pairs [pair] to channels [atom · channel], times the radial ones [pair, radial]."""
    block = np.zeros(len(chemical_symbols), dtype=np.int64)
    block[list(elements)] = np.arange(len(elements))
    radial = values.shape[1]
    rows = (first * len(elements) + block[numbers[second]])[:, None] * radial + np.arange(radial)
    columns = np.broadcast_to(np.arange(len(first))[:, None], rows.shape)
    shape = (len(numbers) * len(elements) * radial, len(first))
    if isinstance(values, np.ndarray):
        matrix = csr_array((values.ravel(), (rows.ravel(), columns.ravel())), shape=shape)
        return lambda pairs: matrix @ pairs
    return lambda pairs: jax.ops.segment_sum((values * pairs[:, None]).ravel(), rows.ravel(), shape[0])
