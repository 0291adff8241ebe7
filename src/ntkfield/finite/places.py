"""How a layer's two-point functions are held while channels are drawn, and what the weights behind it do to them."""

from typing import Any, NamedTuple, Protocol

import numpy as np

from ntkfield import checks
from ntkfield.activations import Activation
from ntkfield.finite.room import check_pairs
from ntkfield.finite.transport import Moments
from ntkfield.finite.wiring import Mean, Pairs, Wiring, wiring
from ntkfield.gaussian.drawn import root
from ntkfield.networks.base import Network
from ntkfield.networks.routes import route

HELD = 2**20  # numbers in one array of draws: 8 MiB


class Root(Protocol):
    """A root of a covariance.

    Attributes:
        rank: how many standard normal numbers make a channel.
        left_out: share of a variance that it lacks, the largest.
    """

    rank: int
    left_out: float

    def channel(self, normals: np.ndarray) -> np.ndarray:
        """Values at all positions [..., draws] from `normals` [rank, draws], the largest directions first."""
        ...


class Places(Protocol):
    """The positions of a layer, and the means that the weights behind it take over them."""

    def moments(self, sigma: Activation, k: np.ndarray) -> Moments:
        """Two-point moments at a covariance."""
        ...

    def root(self, k: np.ndarray) -> Root:
        """A root of a covariance."""
        ...

    def product(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Products of two channels at every pair of positions, which :attr:`mean` then ties."""
        ...

    def mean(self, x: np.ndarray, pairs: Pairs) -> np.ndarray:
        """What the weights do to a two-point function; axes behind its own are left alone."""
        ...

    def exchanged(self, x: np.ndarray) -> np.ndarray:
        """A two-point function with its legs exchanged."""
        ...


class Frame(NamedTuple):
    """What drawing channels takes to know of a network and its inputs.

    Attributes:
        product: mean products of what the first layer reads, as its places hold them.
        places: of every layer that has another behind it.
        hidden: how many layers have legs at positions; the legs of all others are inputs.
        wires: its wiring; None where arrays over four positions cannot be.
    """

    product: np.ndarray
    places: tuple[Places, ...]
    hidden: int
    wires: Wiring | None = None


@route("finite")
def frame(network: Network, inputs: Any) -> Frame:
    """The route to a network's frame for `inputs`, which it checks."""
    wires = wiring(network, inputs)
    if wires.orthogonal:
        raise checks.refuse("draws", "a number", "None with orthogonal weights, whose channels are not independent")
    check_pairs(len(wires.product) // wires.positions[0], max(wires.positions))
    return Frame(wires.product, tuple(AllPairs(mean) for mean in wires.means), wires.hidden, wires)


class Matrix:
    """A root as an array [N, rank]."""

    left_out = 0.0

    def __init__(self, root: np.ndarray) -> None:
        self._root, self.rank = root, root.shape[1]

    def channel(self, normals: np.ndarray) -> np.ndarray:
        return self._root @ normals


class AllPairs:
    """Arrays [N, N] between all N positions."""

    def __init__(self, tie: Mean | None) -> None:
        """Take what the weights do to tied legs; None for nothing."""
        self._tie = tie

    def moments(self, sigma: Activation, k: np.ndarray) -> Moments:
        return Moments({orders: np.asarray(value) for orders, value in sigma.two_point_moments(k).items()})

    def root(self, k: np.ndarray) -> Root:
        return Matrix(root(k))

    def product(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return left[:, None] * right[None]

    def mean(self, x: np.ndarray, pairs: Pairs) -> np.ndarray:
        return x if self._tie is None else self._tie(x, pairs)

    def exchanged(self, x: np.ndarray) -> np.ndarray:
        return np.swapaxes(x, 0, 1)
