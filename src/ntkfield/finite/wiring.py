r"""How the layers of a network are joined: where each preactivation reads, and which legs of a tensor are tied.

A layer's preactivations stand at positions, of which an MLP has one for each input. A convolution reads, at position a
with the step h of its filter, position :math:`a_h` of the layer below,

.. math:: z_i(a) = b_i + \frac{1}{\sqrt{n\,|T|}} \sum_{j,\,h\in T} W_{ij}(h)\,\sigma(z_j(a_h)).

Both :math:`E[WW]` and :math:`\sum_\theta\partial_\theta\partial_\theta` are
:math:`\delta_{ii'}\delta_{jj'}\delta_{hh'}`: they tie two legs of a tensor to one channel below *and to one step of the
filter*. Which legs are tied is what the tensor's channel deltas say (``pairs`` in :mod:`ntkfield.tensors`), so that a
tensor of the layer is the whole right-hand side X of the MLP's recursion, its positions taken for inputs, with each
tied pair averaged over steps of its own,

.. math:: X'_{abcd} = \frac{1}{|T|^2}\sum_{h,h'\in T} X_{a_h b_h c_{h'} d_{h'}}
   \quad\text{for tied pairs } (ab), (cd).

A readout of channels that are pooled over all positions g ties channels alone: every leg is averaged by itself,

.. math:: X'_{f_1f_2f_3f_4} = |G|^{-4} \sum_{g_1,\dots,g_4} X_{(f_1g_1)(f_2g_2)(f_3g_3)(f_4g_4)}.

The recursions are those of arXiv 2508.11522 and the layers those of arXiv 2406.06504.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ntkfield import checks
from ntkfield.gaussian.choices import Moves
from ntkfield.gaussian.rungs import Rung, ladder
from ntkfield.networks.base import Network
from ntkfield.networks.routes import route
from ntkfield.tensors import Axes

Pairs = tuple[Axes, ...]
Mean = Callable[[np.ndarray, Pairs], np.ndarray]
"""What a weight layer does to an array over the positions below whose `pairs` of axes are tied."""


class Wiring(NamedTuple):
    """How the layers of one network are joined, for inputs of one shape.

    Attributes:
        product: mean products of what the first layer reads [n P, n P]: the positions of each input in turn.
        positions: P of every layer, [L].
        means: what each weight layer but the first does to the tensors, [L - 1]; None for nothing.
        hidden: how many layers have legs at positions; the legs of all others are inputs.
        labels: what the positions of one input in the first layer are called, arrays [P] by name.
        symmetry: of each hidden layer, the permutations [H, P] of positions by which all legs may move at once.
        orthogonal: the weight layers, of 1 to L, whose weights are orthogonal.
    """

    product: np.ndarray
    positions: tuple[int, ...]
    means: tuple[Mean | None, ...]
    hidden: int
    labels: dict[str, np.ndarray]
    symmetry: tuple[np.ndarray, ...]
    orthogonal: frozenset[int] = frozenset()

    def families(self, families: np.ndarray, layer: int) -> np.ndarray:
        """Positions at a layer, counted from 0, of each row of inputs; [families, m P]."""
        p = self.positions[layer]
        return (families[:, :, None] * p + np.arange(p)).reshape(len(families), -1)

    def rungs(self, m: int) -> list[Rung]:
        """Quadratures to try for m inputs, coarsest first."""
        return ladder(m * max(self.positions), len(self.symmetry[0]) if self.hidden else 1)

    def moves(self, m: int, layer: int) -> Moves:
        """The symmetry on the positions of m inputs at a layer."""
        if layer >= self.hidden or len(self.symmetry[layer]) == 1:
            return ()
        own, p = self.symmetry[layer], self.positions[layer]
        moved = (np.arange(m)[:, None] * p + own[:, None, :]).reshape(len(own), -1)
        return tuple(map(tuple, moved.tolist()))


@route("finite")
def wiring(network: Network, inputs: Any) -> Wiring:
    """The route to a network's wiring for `inputs`, which it checks."""
    accepted = "an nf.MLP, or an nf.GroupCNN of a finite group or on images; on the sphere nf.finite_width takes draws"
    raise checks.refuse("network", type(network).__name__, accepted)


def products(reads: np.ndarray) -> np.ndarray:
    """Mean products [n P, n P] of what inputs hold where filters reach, [n, P, steps, channels]."""
    n, positions = reads.shape[:2]
    rows = reads.reshape(n * positions, -1)
    product = rows @ rows.T / rows.shape[1]
    return 0.5 * (product + product.T)


def tied(reads: np.ndarray, below: int) -> Mean:
    """The mean over the steps of a filter, the same for both legs of a pair.

    Args:
        reads: which position below each step reaches from each position [P, steps], -1 where it meets a zero padding.
        below: number of positions below.
    """

    def mean(x: np.ndarray, pairs: Pairs) -> np.ndarray:
        for pair in pairs:
            x = _over_steps(x, pair, reads, below)
        return x

    return mean


def _over_steps(x: np.ndarray, pair: Axes, reads: np.ndarray, below: int) -> np.ndarray:
    n = x.shape[pair[0]] // below
    start = np.arange(n)[:, None] * below
    x = np.moveaxis(x, pair, (0, 1))
    total = np.zeros((n * len(reads),) * 2 + x.shape[2:])
    for step in reads.T:
        rows = (start + step).ravel()
        inside = np.flatnonzero(np.tile(step >= 0, n))
        if len(inside) == len(rows):
            total += x[np.ix_(rows, rows)]
        else:
            total[np.ix_(inside, inside)] += x[np.ix_(rows[inside], rows[inside])]
    return np.moveaxis(total / reads.shape[1], (0, 1), pair)


def pooled(positions: int) -> Mean:
    """The mean over the positions of each input, leg by leg.

    Args:
        positions: their number.
    """

    def mean(x: np.ndarray, pairs: Pairs) -> np.ndarray:
        legs = sum(map(len, pairs))  # one channel is all that they share
        n = len(x) // positions
        return x.reshape((n, positions) * legs + x.shape[legs:]).mean(axis=tuple(range(1, 2 * legs, 2)))

    return mean
