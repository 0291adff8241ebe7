"""Rules for averages over the normal draws of a mean-field network: a grid, scrambled Sobol' points, or plain draws.

A rule gives every layer its own stream of normal numbers, one for each of S sites, in the order in which they are asked
for. Averages over sites are sums with the rule's weights.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ntkfield import checks
from ntkfield.gaussian.points import normal, scrambled

RUNGS = (16, 24, 32, 48, 64, 96)  # nodes per axis of the grids that are tried
RADIUS = 7.0  # of the grid of 64 nodes per axis: what is left out weighs 1e-10
DIRECTIONS = 256  # of a hidden matrix, on either side


class Normals:
    """A stream of normal numbers for the sites of one layer."""

    def __init__(self, columns: Iterator[np.ndarray], paired: bool = False) -> None:
        """Take arrays [S], or [S / 2] if every site has a twin with the same numbers."""
        self._columns, self._paired = columns, paired

    def take(self) -> np.ndarray:
        """The next number of each site [S].

        Raises:
            ValueError: if the rule has no more.
        """
        column = self._next()
        return np.concatenate([column, column]) if self._paired else column

    def opposite(self) -> np.ndarray:
        """The next number of each site [S], of twins with opposite signs."""
        column = self._next()
        return np.concatenate([column, -column]) if self._paired else column

    def _next(self) -> np.ndarray:
        column = next(self._columns, None)
        if column is None:
            raise exhausted()
        return column


def exhausted() -> ValueError:
    """The error to raise where activations or gradients take more directions than there is room for."""
    accepted = f"at most {DIRECTIONS}: fewer training inputs, queries or times, earlier times, or a larger rtol"
    return checks.refuse("number of directions that a hidden layer takes", DIRECTIONS + 1, accepted)


class Rule(NamedTuple):
    """Where averages are taken.

    Attributes:
        layers: the numbers of each hidden layer's sites.
        weights: of the sites [S], with sum one.
    """

    layers: list[Normals]
    weights: np.ndarray


def grid(dimension: int, nodes: int) -> Rule:
    """The trapezoidal rule in a ball, symmetric in every coordinate, for one hidden layer.

    For an integrand that is analytic near the real axis its error falls exponentially in the nodes per axis, and does
    not suffer, as that of Gauss and Hermite's rule does, from poles off the axis. The radius grows with their number to
    the power 1/3, so that what is cut off falls with what is between the nodes.

    Args:
        dimension: number of normals of a site.
        nodes: on each axis, an even number.
    """
    radius = RADIUS * (nodes / 64) ** (1 / 3)
    axis = np.linspace(-radius, radius, nodes)
    points = np.stack(np.meshgrid(*[axis] * dimension, indexing="ij")).reshape(dimension, -1)
    square = np.sum(points**2, axis=0)
    inside = square <= radius**2
    weights = np.exp(-0.5 * square[inside])
    return Rule([Normals(iter(points[:, inside]))], weights / weights.sum())


def sobol(counts: list[int], sites: int, seed: np.random.SeedSequence) -> Rule:
    """Scrambled Sobol' points, a sequence for each layer, the sites of the last in pairs.

    Args:
        counts: of numbers that each layer's sites may ask for.
        sites: S, a power of two.
        seed: of the scrambling.
    """
    layers = []
    for count, own in zip(counts, seed.spawn(len(counts)), strict=True):
        last = len(layers) == len(counts) - 1
        drawn = scrambled(count, own).random(sites // 2 if last else sites)
        layers.append(Normals(map(normal, drawn.T), last))
    return Rule(layers, np.full(sites, 1 / sites))


def plain(count: int, sites: int, seed: np.random.SeedSequence) -> Rule:
    """Independent draws: with them the S sites of each of `count` layers are those of a network of width S."""
    return Rule(
        [Normals(_drawn(np.random.default_rng(own), sites)) for own in seed.spawn(count)], np.full(sites, 1 / sites)
    )


def _drawn(rng: np.random.Generator, sites: int) -> Iterator[np.ndarray]:
    while True:
        yield rng.standard_normal(sites)
