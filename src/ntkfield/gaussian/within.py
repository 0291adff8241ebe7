"""Moments of four factors within one set of at most four inputs, by a tensor-product rule in its whitened variables.

Everything here is written for arrays of NumPy and of JAX alike: what is small is computed as it stands, for compiling a
program takes seconds, what is large by a program for all activations and several orders
(:mod:`ntkfield.gaussian.multipoint`).
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield.checks import Array
from ntkfield.gaussian import choices
from ntkfield.gaussian.tables import Table, interpolated, namespace, places, through

INTERVALS = 64  # of the last function's table, per node of the last axis: 1e-10 at order 14, less beyond
BLOCK = 2**18  # node values held at once, per function: 2 MiB
# A pivot this small, relative to the largest variance, is rounding; dropping it changes smooth expectations as little.
NEGLIGIBLE = 64 * float(np.finfo(np.float64).eps)

Values = dict[str, Array]


class Rule(NamedTuple):
    """Nodes and weights of the standard normal density, arrays [q]; the weights sum to one."""

    nodes: Array
    weights: Array


class Integrand(NamedTuple):
    """What is integrated.

    Attributes:
        types: of moments, the orders of four factors each.
        table: the activation and its derivatives.
        rules: for each whitened variable.
        stretch: how much farther the last function's table reaches than the nodes.
    """

    types: tuple[str, ...]
    table: Table
    rules: tuple[Rule, ...]
    stretch: float


def moments(of: Integrand, covariance: Array) -> Values:
    """Moments within a set of inputs.

    Args:
        of: what is integrated, with a rule for each input.
        covariance: of the inputs, [d, d].

    Returns:
        By type: [d, d, d, d] for d <= 2; likewise for d = 3, but NaN where not all three are taken; for d = 4 one value
        for each arrangement of the type's orders over four distinct inputs.
    """
    d = covariance.shape[0]
    return {3: _of_three, 4: _of_four}.get(d, _of_few)(of, *pivoted_root(covariance))


def cost(rules: Sequence[Rule]) -> int:
    """Node values, of each function, that a set of inputs takes."""
    return math.prod(len(rule.nodes) for rule in rules[:3])


def _of_few(of: Integrand, pivots: Array, root: Array) -> Values:
    orders = np.array([list(map(int, type_)) for type_ in of.types]).T
    xp, d, n = namespace(root), len(root), len(of.types)
    others = of.rules[1:]
    y, wy = others[0] if others else Rule(np.zeros(1), np.ones(1))

    def slab(x1: Array, w1: Array) -> Array:
        z = root[:, :1] * xp.repeat(x1, len(y)) + (root[:, 1:] * xp.tile(y, len(x1)) if others else 0.0)
        values, weights = interpolated(of.table, z), xp.ravel(w1[:, None] * wy)
        left, right = (values[i][:, :, None] * values[j][:, None] for i, j in (orders[:2], orders[2:]))
        left, right = ((side * weights).reshape(n, d * d, -1) for side, weights in ((left, weights), (right, 1.0)))
        return xp.matmul(left, xp.swapaxes(right, 1, 2))

    found = _summed(slab, of.rules[0], len(y), xp).reshape(n, d, d, d, d)
    return dict(zip(of.types, found, strict=True))


def _of_three(of: Integrand, pivots: Array, root: Array) -> Values:
    """One input bears two factors: a product is one more function of it, so that the sum is that of three functions."""
    functions, borne = _functions_of_three(of.types)
    xp, ell = namespace(root), root[pivots]
    (b, wb), (c, wc) = of.rules[1:]

    def products(values: Array) -> Array:
        """Values of all functions of one input, singles and products, [functions, ...]."""
        return xp.stack([math.prod(values[order] for order in orders) for orders in functions])

    def slab(x1: Array, w1: Array) -> Array:
        z2 = ell[1, 0] * x1[:, None] + ell[1, 1] * b
        z3 = (ell[2, 0] * x1[:, None] + ell[2, 1] * b)[:, :, None] + ell[2, 2] * c
        first = products(interpolated(of.table, ell[0, 0] * x1)) * w1
        second = products(interpolated(of.table, z2)) * wb
        last = products(interpolated(of.table, z3)) @ wc
        two = xp.matmul(xp.moveaxis(second, 1, 0), xp.moveaxis(last, 0, 2))
        return xp.tensordot(first, two, 1)

    sums, kept = _summed(slab, of.rules[0], len(b) * len(c), xp), borne["kept"]
    found = {type_: sums[tuple(xp.asarray(borne[type_])[:, pivots].T)] for type_ in of.types}
    return {type_: xp.where(kept, value, xp.nan).reshape((3,) * 4) for type_, value in found.items()}


@functools.cache
def _functions_of_three(types: tuple[str, ...]) -> tuple[list[tuple[int, ...]], dict[str, np.ndarray]]:
    """The functions that three inputs bear, as orders of their factors, and by type which of them each input bears.

    The latter are [81, 3], for every choice of inputs for the type's four factors; "kept" tells which take all three.
    """
    chosen = np.indices((3,) * 4).reshape(4, -1).T
    kept = np.array([len(set(choice)) == 3 for choice in chosen.tolist()])
    borne = {
        type_: [
            [tuple(int(type_[factor]) for factor in range(4) if choice[factor] == i) for i in range(3)]
            for choice in chosen.tolist()
        ]
        for type_ in types
    }
    functions = sorted(
        {orders for rows in borne.values() for row, k in zip(rows, kept, strict=True) if k for orders in row}
    )
    number = {orders: i for i, orders in enumerate(functions)}
    found = {
        type_: np.array([[number.get(orders, 0) for orders in row] for row in rows]) for type_, rows in borne.items()
    }
    return functions, found | {"kept": kept}


def _of_four(of: Integrand, pivots: Array, root: Array) -> Values:
    """The last function's mean over the last whitened variable is tabulated in the sum of the others."""
    xp, ell = namespace(root), root[pivots]
    _, (b, wb), (c, wc), (d, wd) = of.rules
    reach = of.stretch * sum(abs(ell[3, j]) * xp.max(abs(rule.nodes)) for j, rule in enumerate(of.rules[:3]))
    sums = places(reach, INTERVALS * len(d))
    means = through(reach, interpolated(of.table, sums[:, None] + ell[3, 3] * d) @ wd)

    def slab(x1: Array, w1: Array) -> Array:
        z2 = ell[1, 0] * x1[:, None] + ell[1, 1] * b
        z3 = (ell[2, 0] * x1[:, None] + ell[2, 1] * b)[:, :, None] + ell[2, 2] * c
        z4 = (ell[3, 0] * x1[:, None] + ell[3, 1] * b)[:, :, None] + ell[3, 2] * c
        first = interpolated(of.table, ell[0, 0] * x1) * w1
        second = interpolated(of.table, z2) * wb
        third, last = interpolated(of.table, z3) * wc, interpolated(means, z4)
        inner = xp.matmul(xp.moveaxis(third, 0, 2), xp.moveaxis(last, 0, 3))  # a, b, then the orders of the two
        outer = xp.matmul(xp.moveaxis(second, 1, 0), inner.reshape(*inner.shape[:2], -1))
        return xp.tensordot(first, outer, 1).reshape((len(first),) * 4)

    found = _summed(slab, of.rules[0], len(b) * len(c), xp)
    taken = {type_: xp.asarray(choices.arrangements(type_)) for type_ in of.types}
    return {type_: found[tuple(orders[:, pivots].T)] for type_, orders in taken.items()}


def _summed(slab: Callable[[Array, Array], Array], rule: Rule, held: int, xp: Any) -> Array:
    """The sum of `slab`, which holds `held` node values at each node of `rule`, in blocks of nodes."""
    count = len(rule.nodes)
    blocks = -(-count // max(1, BLOCK // held))
    size = -(-count // blocks)
    padded = (xp.pad(x, (0, blocks * size - count)).reshape(blocks, size) for x in rule)  # by nodes of weight zero
    if xp is np:
        return functools.reduce(np.add, map(slab, *padded))
    return jnp.sum(jax.lax.map(lambda block: slab(*block), tuple(padded)), axis=0)


def pivoted_root(k: Array) -> tuple[Array, Array]:
    """Pivoted Cholesky factor of a positive semi-definite matrix of any rank.

    Args:
        k: covariance [d, d].

    Returns:
        permutation [d], by falling conditional variance, and root [d, d] with root @ root.T = k, whose rows taken in
        the order of the permutation are lower triangular; columns past the rank are zero.
    """
    xp, d = namespace(k), len(k)
    rest, open_ = k, xp.ones(d, bool)
    pivots, columns = [], []
    for _ in range(d):
        p = xp.argmax(xp.where(open_, xp.diagonal(rest), -xp.inf))
        size = rest[p, p]
        kept = size > NEGLIGIBLE * xp.max(xp.diagonal(k))
        column = xp.where(open_ & kept, rest[:, p] / xp.sqrt(xp.where(kept, size, 1.0)), 0.0)
        rest, open_ = rest - xp.outer(column, column), open_ & (np.arange(d) != p)
        pivots.append(p)
        columns.append(column)
    return xp.stack(pivots), xp.stack(columns, axis=1)
