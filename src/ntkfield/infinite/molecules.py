r"""Kernels between molecules: sums of a network's kernel over matched pairs of atoms.

A molecule is a set of spherical signals, one per atom, each seen by a network whose outputs are summed. Atoms that
share a network contribute :math:`\sum_{ij} k(f_i, f'_j)` over the pairs that see the same one:

- ``all``: one network for all atoms;
- ``element``: one network per element, pairs of equal element;
- ``slot``: one independent network per position in the molecule's list of atoms, as published in arXiv 2406.06504;
  positions up to :data:`SLOTS` that a molecule lacks carry the zero signal;
- ``flat``: one network on all slots laid end to end (the published MLP baseline; no SO(3) network can read it).

``all`` and ``element`` are invariant under permutations of the atoms. The kernel of a pair of atoms is computed once,
whatever number of matchings use it.
"""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.checks import Array
from ntkfield.infinite import errors, layers
from ntkfield.infinite.atoms import Environments, atom_pairs, atom_variances, samples
from ntkfield.infinite.buckets import pad, settled
from ntkfield.networks.base import Kernels, Network
from ntkfield.networks.group_cnn import GroupCNN
from ntkfield.networks.mlp import MLP

if TYPE_CHECKING:  # who compares no atoms needs no package for signals
    from ntkfield.signals.harmonics import Harmonics

SLOTS = 29
"""Atoms of QM9's largest molecule."""
MATCHINGS = ("element", "all", "slot", "flat")
"""Which atoms of two molecules are compared."""


def molecule_kernels(
    network: MLP | GroupCNN,
    a: Environments,
    b: Environments | None = None,
    matchings: Sequence[str] = ("element",),
    sampling: str = "gl",
) -> dict[str, Kernels]:
    """NNGP and NTK between molecules, for several matchings at once.

    Args:
        network: an SO(3) network, which reads the signals themselves, or an MLP, which reads their samples.
        a: molecules of the rows.
        b: molecules of the columns; `a` again if not given, and then only pairs above the diagonal are computed.
        matchings: of :data:`MATCHINGS`.
        sampling: grid on which an MLP sees the signals, "gl", "dh" or "mw".

    Returns:
        For each matching, Kernels with NumPy arrays [molecules of a, molecules of b]; while JAX traces the signals, JAX
        arrays, which may be differentiated: forces are the gradient by the positions that
        :func:`~ntkfield.signals.molecules.dataset_signals` takes.

    Raises:
        ValueError: for an unknown matching, for ``flat`` with an SO(3) network, or for more than 29 atoms in slots.
    """
    _check(network, a, b, matchings)
    return _kernels(network, a, b, matchings, sampling, None)


def molecule_kernel_error(
    network: MLP | GroupCNN,
    a: Environments,
    b: Environments | None = None,
    matchings: Sequence[str] = ("element",),
    sampling: str = "gl",
) -> dict[str, Kernels]:
    """Estimated absolute errors of :func:`molecule_kernels`, elementwise; arguments and result as there.

    As for :meth:`~ntkfield.networks.Network.kernel_error`, from other rules for the sums themselves: errors of single
    pairs of atoms cancel in part, and a sum of their estimates would be too large. The cost is the same too, for group
    "so3" some 6 times that of :func:`molecule_kernels`.
    """
    _check(network, a, b, matchings)

    def kernels(other: Network, turn: errors.Turn | None) -> dict[str, Kernels]:
        return _kernels(cast("MLP | GroupCNN", other), a, b, matchings, sampling, turn)

    return errors.estimate(network, kernels)


def _kernels(
    network: MLP | GroupCNN,
    a: Environments,
    b: Environments | None,
    matchings: Sequence[str],
    sampling: str,
    turn: errors.Turn | None,
) -> dict[str, Kernels]:
    pairwise = [matching for matching in matchings if matching != "flat"]
    kernels = _pairwise(network, a, b, pairwise, sampling, turn) if pairwise else {}
    if "flat" in matchings:
        rows = _flat(a, sampling)
        kernels["flat"] = Kernels(*map(settled, network.kernel(rows, None if b is None else _flat(b, sampling))))
    return {matching: kernels[matching] for matching in matchings}


def _check(network: MLP | GroupCNN, a: Environments, b: Environments | None, matchings: Sequence[str]) -> None:
    for matching in matchings:
        if matching not in MATCHINGS:
            raise checks.refuse("matching", matching, f"one of {', '.join(MATCHINGS)}")
    if "flat" in matchings and not isinstance(network, MLP):
        raise checks.refuse("matching", "flat", "element, all or slot for a network that reads one atom at a time")
    largest = max(int(side.n_atoms.max()) for side in (a, b) if side is not None)
    if largest > SLOTS and {"slot", "flat"} & set(matchings):
        raise checks.refuse("atoms in a molecule", largest, f"{SLOTS} or fewer for the matchings slot and flat")


def _pairwise(
    network: MLP | GroupCNN,
    a: Environments,
    b: Environments | None,
    matchings: Sequence[str],
    sampling: str,
    turn: errors.Turn | None,
) -> dict[str, Kernels]:
    other = a if b is None else b
    wanted = np.zeros((len(a.numbers), len(other.numbers)), dtype=bool)
    for matching in matchings:
        wanted |= _matched(matching, a, other)
    i, j = np.nonzero(np.triu(wanted) if b is None else wanted)
    kernels = [settled(k) for k in atom_pairs(network, a.signals, other.signals, i, j, sampling, turn)]
    sums = {}
    for matching in matchings:
        used = _matched(matching, a, other)[i, j]
        sums[matching] = Kernels(*(_sum(k[used], i[used], j[used], a, other, b is None) for k in kernels))
    if "slot" in sums:
        absent = _absent(network, a, other, sampling)
        sums["slot"] = Kernels(*(k + extra for k, extra in zip(sums["slot"], absent, strict=True)))
    return sums


def _matched(matching: str, a: Environments, b: Environments) -> np.ndarray:
    """Which pairs of atoms see the same network, bool [atoms of a, atoms of b]."""
    if matching == "element":
        return a.numbers[:, None] == b.numbers[None, :]
    if matching == "slot":
        return a.slot[:, None] == b.slot[None, :]
    return np.ones((len(a.numbers), len(b.numbers)), dtype=bool)


def _flat(a: Environments, sampling: str) -> np.ndarray:
    """Samples of all slots end to end, [molecule, SLOTS * points * channels]."""
    read = samples(a.signals, sampling)
    # Which atom is in each slot; the last row, of zeros, where there is none.
    atom = np.full((len(a.n_atoms), SLOTS), len(read))
    atom[a.molecule, a.slot] = np.arange(len(read))
    return pad(read, len(read) + 1)[atom].reshape(len(atom), -1)


def _sum(k: Array, i: np.ndarray, j: np.ndarray, a: Environments, b: Environments, mirror: bool) -> Array:
    """Sum pairs of atoms into pairs of molecules; `mirror` adds those below the diagonal of a symmetric matrix."""
    shape = (len(a.n_atoms), len(b.n_atoms))
    rows, columns = a.molecule[i], b.molecule[j]
    if mirror:
        below = i != j
        rows, columns = np.append(rows, columns[below]), np.append(columns, rows[below])
        k = k.__array_namespace__().concatenate([k, k[below]])
    return _summed(k, rows * shape[1] + columns, shape[0] * shape[1]).reshape(shape)


_recursion = jax.jit(layers.recursion, static_argnums=(0, 1))


def _absent(network: MLP | GroupCNN, a: Environments, b: Environments, sampling: str) -> Kernels:
    """What empty slots contribute: their zero signal meets an atom, or another zero signal."""
    sums = []
    for side, other in ((a, b), (b, a)):
        missing = side.slot[:, None] >= other.n_atoms[None, :]
        alone = _with_nothing(network, side.signals, sampling)
        sums.append([_per_molecule(side, settled(k)[:, None] * missing) for k in alone])
    zero = _with_nothing(network, _nothing(a.signals), sampling)
    both = SLOTS - np.maximum(a.n_atoms[:, None], b.n_atoms[None, :])
    return Kernels(*(left + right.T + settled(k)[0] * both for left, right, k in zip(*sums, zero, strict=True)))


def _nothing(signals: "Harmonics") -> "Harmonics":
    """One zero signal, shaped as others."""
    return dataclasses.replace(signals, coefficients=np.zeros((1, *signals.coefficients.shape[1:])))


def _with_nothing(network: MLP | GroupCNN, signals: "Harmonics", sampling: str) -> Kernels:
    """Kernels [n] of signals with the zero signal.

    It is the same on all rotations, so that of filters over everything they are the plain network's at zero inner
    product.
    """
    if isinstance(network, GroupCNN) and network.is_local:
        n = np.arange(len(signals))
        return atom_pairs(network, signals, _nothing(signals), n, np.zeros_like(n), sampling, None)
    plain, variance = network.plain, jnp.asarray(atom_variances(network, signals, sampling))
    nothing = jnp.zeros_like(variance)
    return _recursion(plain.depth, plain.activation, plain.scales, variance, nothing, nothing)


def _per_molecule(a: Environments, values: Array) -> Array:
    """Sums of rows [atom, ...] over each molecule's atoms."""
    if isinstance(values, np.ndarray):
        return np.add.reduceat(values, np.cumsum(a.n_atoms) - a.n_atoms, axis=0)
    return jax.ops.segment_sum(values, a.molecule, len(a.n_atoms))


def _summed(k: Array, places: np.ndarray, n: int) -> Array:
    """Sums [n] of the values that have the same place."""
    return np.bincount(places, k, minlength=n) if isinstance(k, np.ndarray) else jax.ops.segment_sum(k, places, n)
