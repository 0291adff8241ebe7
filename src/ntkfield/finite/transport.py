r"""Derivatives of the infinite-width layer map, by which fluctuations are carried through a layer.

Price's theorem turns a derivative of a Gaussian expectation in the covariance into expectations of derivatives,

.. math:: \tfrac12\sum_{\beta\gamma} X_{\beta\gamma} \langle\partial_\beta\partial_\gamma f_1 g_2\rangle
   = \tfrac12 X_{11}\langle f''g\rangle + X_{12}\langle f'g'\rangle + \tfrac12 X_{22}\langle fg''\rangle,

so one table of two-point moments, :math:`E_{ij} = \langle\sigma^{(i)}_1\sigma^{(j)}_2\rangle` for all pairs of inputs,
holds the map and all its derivatives. Inputs 1 and 2 may be the same one: the formula covers the diagonal as it stands.
"""

from collections.abc import Callable

import numpy as np

Get = Callable[[int, int], np.ndarray]
Table = dict[tuple[int, int], np.ndarray]
Entries = dict[str, np.ndarray]
"""Entries [m, m] of a tensor X whose legs are a pair of inputs, by their letters, as in "aabb" for X_aabb."""
# One application of Price's theorem: weight, rise of the two orders, and the pair of inputs whose fluctuation enters.
PRICE = ((0.5, (2, 0), (0, 0)), (1.0, (1, 1), (0, 1)), (0.5, (0, 2), (1, 1)))


class Moments:
    """Two-point moments at one covariance."""

    def __init__(self, known: Table) -> None:
        """Take arrays [m, m] by pairs of orders, the larger one first."""
        self.known = {(i, j): 0.5 * (x + x.T) if i == j else x for (i, j), x in known.items()}

    def __call__(self, i: int, j: int) -> np.ndarray:
        r"""Moments :math:`\langle\sigma^{(i)}_a\sigma^{(j)}_b\rangle`, an array [m, m]."""
        return self.known[i, j] if i >= j else self.known[j, i].T

    def ends(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What an array's first two indices have at a pair's first input twice, and at its second, to broadcast."""
        n = np.arange(len(x))
        own = x[n, n]
        return own[:, None], own[None, :]


def first(E: Get, i: int, j: int, axes: str, x: Callable[[str], np.ndarray]) -> np.ndarray:
    r"""Sum :math:`\sum_\beta \langle\partial_\beta(\sigma^{(i)}_s\sigma^{(j)}_t)\rangle X_\beta` over inputs s, t.

    Args:
        E: two-point moments [m, m].
        i: order of the first factor.
        j: order of the second.
        axes: the axes s and t, two of a, b, c, d.
        x: maps the letter of an axis to the entries of X at that input, [m, m, m, m].
    """
    s, t = axes
    return at(E(i + 1, j), axes) * x(s) + at(E(i, j + 1), axes) * x(t)


def second(E: Get, i: int, j: int, x: Callable[[int, int], np.ndarray]) -> np.ndarray:
    r"""Half of :math:`\sum\langle\partial_\beta\partial_\gamma(\sigma^{(i)}_1\sigma^{(j)}_2)\rangle X_{\beta\gamma}`.

    Args:
        E: two-point moments, arrays that broadcast against those of x.
        i: order of the first factor.
        j: order of the second.
        x: maps two labels, 0 for input 1 and 1 for input 2, to the entries of X, symmetric in its labels.
    """
    return sum((c * E(i + up, j + on) * x(*labels) for c, (up, on), labels in PRICE), np.zeros(()))


def fourth(E: Get, i: int, j: int, v: np.ndarray | Entries) -> np.ndarray:
    r"""An eighth of :math:`\sum V_{\beta\gamma\delta\epsilon}\langle\partial^4(\sigma^{(i)}_1\sigma^{(j)}_2)\rangle`.

    Args:
        E: two-point moments [m, m].
        i: order of the first factor.
        j: order of the second.
        v: array [m, m, m, m], or its entries within pairs.

    Returns:
        Array [m, m].
    """
    total = np.zeros(())
    for c, (up, on), left in PRICE:
        for d, (higher, further), right in PRICE:
            entry = among(v, *left, *right)
            total = total + 0.5 * c * d * E(i + up + higher, j + on + further) * entry
    return total


def at(x: np.ndarray, letters: str) -> np.ndarray:
    """The array [m, m, m, m] (of length 1 where a letter is missing) with axes a, b, c, d and entries x at `letters`.

    ``at(x, "bdac")[a, b, c, d] = x[b, d, a, c]``; letters may repeat, as in ``at(x, "aab")``.
    """
    distinct = "".join(dict.fromkeys(letters))
    if len(distinct) < len(letters):
        x = np.einsum(f"{letters}->{distinct}", x)
    x = np.transpose(x, sorted(range(len(distinct)), key=lambda axis: distinct[axis]))
    return np.expand_dims(x, [axis for axis in range(4) if "abcd"[axis] not in distinct])


def among(x: np.ndarray | Entries, *labels: int) -> np.ndarray:
    """Entries of a tensor whose indices are input 1 (label 0) or input 2 (label 1), for all pairs: [m, m]."""
    letters = "".join("ab"[label] for label in labels)
    return x[letters] if isinstance(x, dict) else at(x, letters)[:, :, 0, 0]
