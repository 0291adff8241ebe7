r"""Connected cumulants of the entries of orthogonal matrices, as series in one over the matrices' size.

For 2k entries of a Haar-distributed N x N matrix, p and q perfect matchings of them,

.. math:: E[O_{i_1j_1}\cdots O_{i_{2k}j_{2k}}] = \sum_{p,q} \mathrm{Wg}(p, q)\,\delta_p(i)\,\delta_q(j), \qquad
   \mathrm{Wg} = G^{-1},\quad G(p, q) = N^{\mathrm{loops}(p, q)},

where the loops are those of the graph with the edges of p and of q. :math:`N^k\,\mathrm{Wg}` depends on their lengths
alone. It is 1 for k = 1, as for Gaussian entries; in general it is a sum over partitions of the set of loops, of
products of connected parts, which are the cumulants. One loop of length k has :math:`O(N^{1-k})`, several have less.
A rectangle of orthonormal rows or columns is a part of a square and has the same cumulants.

Source: Collins, Sniady, Commun. Math. Phys. 264 (2006) 773, for Wg; its cumulants by Moebius inversion.
"""

from __future__ import annotations

from functools import cache

from .tensors import Pairing, matchings, set_partitions

Series = tuple[int, ...]


def loops(p: Pairing, q: Pairing) -> tuple[int, ...]:
    """Lengths of the loops of two matchings of the same items, in pairs of p; longest first."""
    along_p, along_q = ({a: b for pair in matching for a, b in (pair, pair[::-1])} for matching in (p, q))
    lengths, left = [], set(along_p)
    while left:
        start = item = min(left)
        length = 0
        while not length or item != start:
            left -= {item, along_p[item]}
            item, length = along_q[along_p[item]], length + 1
        lengths.append(length)
    return tuple(sorted(lengths, reverse=True))


@cache
def moments(k: int, order: int) -> dict[tuple[int, ...], Series]:
    r"""Coefficients of :math:`N^{-m}`, m = 0 .. ``order``, in :math:`N^k\,\mathrm{Wg}`, by lengths of loops."""
    every = [tuple(q) for q in matchings(tuple(range(2 * k)))]
    steps: dict[Pairing, list[list[Pairing]]] = {q: [[] for _ in range(k)] for q in every}
    for q in every:
        for other in every:
            steps[q][k - len(loops(other, q))].append(other)
    rows = [{q: int(q == every[0]) for q in every}]
    for m in range(1, order + 1):  # G / N^k = 1 + powers of 1/N, whose inverse is taken power by power
        rows.append(
            {q: -sum(rows[m - d][other] for d in range(1, min(m, k - 1) + 1) for other in steps[q][d]) for q in every}
        )
    return {loops(every[0], q): tuple(row[q] for row in rows) for q in every}


@cache
def connected(lengths: tuple[int, ...], order: int) -> Series:
    r"""The same of the connected cumulant of :math:`2\sum` ``lengths`` entries with these loops."""
    found = list(moments(sum(lengths), order)[lengths])
    for partition in set_partitions(tuple(enumerate(lengths))):
        if len(partition) == 1:
            continue
        product: Series = (1,) + (0,) * order
        for block in partition:
            part = connected(tuple(sorted((length for _, length in block), reverse=True)), order)
            product = tuple(sum(product[d] * part[m - d] for d in range(m + 1)) for m in range(order + 1))
        found = [a - b for a, b in zip(found, product, strict=True)]
    return tuple(found)
