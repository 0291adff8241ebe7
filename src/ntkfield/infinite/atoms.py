"""The atoms of molecules, and the kernels that a network's room registers so that they can be summed over atoms."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ntkfield import checks
from ntkfield.checks import Array
from ntkfield.infinite.errors import Turn
from ntkfield.networks.base import Kernels, Network
from ntkfield.networks.routes import route

if TYPE_CHECKING:  # who compares no atoms needs no package for signals
    from ntkfield.signals.harmonics import Harmonics

ACCEPTED = "an MLP, or a GroupCNN of group so3 without a head"


class Environments(NamedTuple):
    """The atoms of several molecules, molecule after molecule.

    Attributes:
        signals: spherical signal of every atom, [atom, L, 2L-1, c].
        numbers: atomic numbers [atom].
        n_atoms: atoms of each molecule [molecule].
    """

    signals: "Harmonics"
    numbers: np.ndarray
    n_atoms: np.ndarray

    @property
    def molecule(self) -> np.ndarray:
        """Which molecule an atom belongs to [atom]."""
        return np.repeat(np.arange(len(self.n_atoms)), self.n_atoms)

    @property
    def slot(self) -> np.ndarray:
        """An atom's position in its molecule [atom]."""
        return np.arange(len(self.numbers)) - np.repeat(np.cumsum(self.n_atoms) - self.n_atoms, self.n_atoms)


@route("infinite")
def atom_pairs(
    network: Network, a: "Harmonics", b: "Harmonics", i: np.ndarray, j: np.ndarray, sampling: str, turn: Turn | None
) -> Kernels:
    """Kernels [pairs] of the pairs (a[i], b[j]) of signals; `sampling` is the grid of a network that reads samples."""
    raise checks.refuse("network", network, ACCEPTED)


@route("infinite")
def atom_variances(network: Network, signals: "Harmonics", sampling: str) -> Array:
    """Mean square [atom] of each signal, as the network's input sees it."""
    raise checks.refuse("network", network, ACCEPTED)


def samples(signals: "Harmonics", sampling: str) -> np.ndarray:
    """Samples of each signal on a grid, over points and channels end to end [atom, points * c]."""
    return signals.to_grid(sampling).reshape(len(signals), -1)
