r"""Moments of four factors as means over draws: a product of matrices where a quadrature takes every four inputs.

With z a draw of all inputs, :math:`\langle\sigma^{(i)}_a\sigma^{(j)}_b\sigma^{(k)}_c\sigma^{(l)}_d\rangle` is the mean
of products of pairs, :math:`(\sigma^{(i)}_a\sigma^{(j)}_b)(\sigma^{(k)}_c\sigma^{(l)}_d)`: :math:`m^4` operations a
draw for m inputs, whatever the activation. Draws are scrambled Sobol' points, whose means over independent scrambles
scatter by their own error.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from ntkfield.checks import Array
from ntkfield.gaussian.choices import Rows, Types
from ntkfield.gaussian.points import normal, scrambled
from ntkfield.gaussian.tower import Tower
from ntkfield.gaussian.within import NEGLIGIBLE

HELD = 2**21  # numbers in one array of products of pairs: 16 MiB


@dataclasses.dataclass(frozen=True)
class Draws:
    """One scramble.

    Attributes:
        count: of draws, a power of two.
        seed: of the scramble.
    """

    count: int
    seed: int

    def four_point_families(
        self, tower: Tower, k: Array, types: Types, families: Rows
    ) -> Iterator[dict[str, np.ndarray]]:
        """Moments within families of inputs, as :meth:`ntkfield.activations.Activation.four_point_families` gives them.

        Args:
            tower: the activation and its derivatives.
            k: covariance [n, n] of all inputs.
            types: orders in rising sequence.
            families: inputs of each family, [families, m].

        Yields:
            For each family one array [m, m, m, m] per type.
        """
        across, m = root(np.asarray(k)), families.shape[1]
        rank = across.shape[1]  # none for inputs of no variance
        engine = scrambled(rank, self.seed)
        z = across @ normal(engine.random(self.count)).T[:rank]
        highest = max(int(order) for type_ in types for order in type_)
        values = tower(highest, z.reshape(-1)).reshape(-1, *z.shape)
        chunk = max(1, HELD // m**2)
        for rows in families:
            found = {type_: np.zeros((m * m, m * m)) for type_ in types}
            for start in range(0, self.count, chunk):
                own = values[:, rows, start : start + chunk]
                halves = {half for type_ in types for half in _halves(type_)}
                pairs = {(i, j): (own[i, :, None] * own[j, None]).reshape(m * m, -1) for i, j in halves}
                for type_ in types:
                    left, right = _halves(type_)
                    found[type_] += pairs[left] @ pairs[right].T
            yield {type_: total.reshape((m,) * 4) / self.count for type_, total in found.items()}


def root(k: np.ndarray) -> np.ndarray:
    """A root [n, rank] of a positive semi-definite matrix, its largest direction first."""
    values, vectors = np.linalg.eigh(k)
    kept = np.flatnonzero(values > NEGLIGIBLE * values[-1])[::-1]
    return vectors[:, kept] * np.sqrt(values[kept])


def _halves(type_: str) -> tuple[tuple[int, int], tuple[int, int]]:
    i, j, k, l = map(int, type_)
    return (i, j), (k, l)
