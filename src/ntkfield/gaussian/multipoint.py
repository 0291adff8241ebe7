r"""Gaussian expectations of products of four univariate functions, at every choice of four out of m inputs.

.. math:: M_{abcd} = \langle f(z_a)\, g(z_b)\, h(z_c)\, k(z_d)\rangle, \qquad z \sim N(0, K),

with f, g, h, k derivatives of one smooth activation. A type such as "0011" names their orders, in rising sequence.

Choices with at most three distinct inputs come from one tensor-product rule per set of two or three inputs, as matrix
products of node values. Choices of four distinct inputs come from one rule per set of four: in the whitened variables
x of a pivoted Cholesky factor, :math:`z_1(x_1), z_2(x_1, x_2), \dots`, so that only the last function depends on all
and is summed at once over the last axis: a function of one variable, tabulated once per set. The rest is a contraction
of three axes. Symmetric choices share a value.

The trapezoid rule converges geometrically for functions analytic in a strip, where Gauss-Hermite does not (Trefethen
and Weideman, SIAM Review 56, 2014, section 5); for polynomials Gauss-Hermite is exact.
"""

import functools
import itertools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

INTERVALS = 64  # of the last function's table, per node of the last axis: 1e-10 at order 14, less beyond
BLOCK = 2**18  # node values held at once, per function: 2 MiB
# A pivot this small, relative to the largest variance, is rounding; dropping it changes smooth expectations as little.
NEGLIGIBLE = 64 * float(np.finfo(np.float64).eps)
# Nodes per axis, in units of the order, for sets of 1 to 4 inputs. Pivots fall from axis to axis, and the fewer the
# inputs the more functions share one: their product varies faster and needs a finer rule.
GRADES = {1: (3,), 2: (3, 3), 3: (2, 1.8, 1.6), 4: (1.6, 1.3, 1, 0.9)}


class Rule(NamedTuple):
    """Nodes and weights of the standard normal density, arrays [q]; the weights sum to one."""

    nodes: np.ndarray
    weights: np.ndarray


def trapezoid(order: int) -> Rule:
    """The trapezoid rule with `order` nodes, reaching a little further as it gets finer, to 2e-16 of the density."""
    x = np.linspace(-1, 1, order) * min(5.9 + 0.03 * order, 8.5)
    w = np.exp(-0.5 * x**2)
    return Rule(x, w / w.sum())


def gauss_hermite(order: int) -> Rule:
    """The rule exact for polynomials up to degree 2 `order` - 1."""
    x, w = np.polynomial.hermite_e.hermegauss(order)
    return Rule(x, w / w.sum())


class Layout(NamedTuple):
    """Where each of m^4 choices of inputs finds its value.

    Attributes:
        choices: the choices that symmetry leaves distinct, [n, 4].
        position: index into them, [m, m, m, m].
    """

    choices: np.ndarray
    position: np.ndarray


@functools.cache
def layout(m: int, type_: str) -> Layout:
    """The distinct choices of four inputs for moments of `type_`: functions of equal order may be exchanged."""
    choices = np.indices((m,) * 4).reshape(4, -1)
    for order in set(type_):
        same = [axis for axis in range(4) if type_[axis] == order]
        choices[same] = np.sort(choices[same], axis=0)
    distinct, position = np.unique(choices, axis=1, return_inverse=True)
    return Layout(distinct.T, position.reshape((m,) * 4))


def four_point_moments(
    derivative: Callable[[int], Callable], types: tuple[str, ...], rule: Callable[[int], Rule], order: int, k: jax.Array
) -> dict[str, jax.Array]:
    r"""Moments of each of `types` between all inputs.

    Args:
        derivative: maps an order to the activation's derivative of that order.
        types: orders in rising sequence, as in "0112".
        rule: maps a number of nodes to a one-dimensional rule.
        order: number of nodes that the grades multiply.
        k: covariance [m, m], positive semi-definite, of any rank.

    Returns:
        One array [m, m, m, m] per type. The error is that of the rule.
    """
    m = len(k)
    functions = [derivative(i) for i in range(1 + max(int(order) for type_ in types for order in type_))]
    found: dict[str, list[jax.Array]] = {type_: [] for type_ in types}
    for size in _sizes(m):
        covariances = _covariances(k, size)
        rules = [rule(round(order * grade)) for grade in GRADES[size]]
        moments = (_of_four if size == 4 else _of_few)(functions, types, rules, covariances)
        for type_ in types:
            found[type_].append(moments[type_].reshape(-1))
    return {type_: jnp.concatenate(found[type_])[_addresses(m, type_)] for type_ in types}


def _sizes(m: int) -> tuple[int, ...]:
    """Sizes of the sets of inputs that are integrated over, rising: a choice uses the smallest that holds it."""
    return (1,) if m == 1 else tuple(range(2, min(m, 4) + 1))


def _covariances(k: jax.Array, size: int) -> jax.Array:
    """Covariance of every set of `size` inputs, [sets, size, size]."""
    sets = np.array(list(itertools.combinations(range(len(k)), size)))
    return k[sets[:, :, None], sets[:, None, :]]


@functools.cache
def _addresses(m: int, type_: str) -> np.ndarray:
    """Where the value of each choice stands among those of the sets of all sizes, in turn; [m, m, m, m]."""
    sizes = _sizes(m)
    sets = {size: {s: i for i, s in enumerate(itertools.combinations(range(m), size))} for size in sizes}
    orders = {o: i for i, o in enumerate(_arrangements(type_))}
    lengths = [len(sets[size]) * (len(orders) if size == 4 else size**4) for size in sizes]
    starts = dict(zip(sizes, np.cumsum([0, *lengths]), strict=False))
    choices, position = layout(m, type_)
    addresses = np.empty(len(choices), np.int64)
    for row, choice in enumerate(choices.tolist()):
        support = sorted(set(choice))
        size = next(size for size in sizes if size >= len(support))
        if size == 4:
            order = tuple(int(type_[choice.index(a)]) for a in support)
            local = sets[4][tuple(support)] * len(orders) + orders[order]
        else:
            others = (a for a in range(m) if a not in support)
            members = sorted([*support, *itertools.islice(others, size - len(support))])
            within = [members.index(a) for a in choice]
            local = np.ravel_multi_index((sets[size][tuple(members)], *within), (len(sets[size]), *(size,) * 4))
        addresses[row] = starts[size] + local
    return addresses[position]


def _arrangements(type_: str) -> list[tuple[int, ...]]:
    """The distinct ways to give four inputs the orders of a type."""
    return sorted(set(itertools.permutations(map(int, type_))))


def _of_few(
    functions: list[Callable], types: tuple[str, ...], rules: list[Rule], covariances: jax.Array
) -> dict[str, jax.Array]:
    """Moments within each set of d <= 3 inputs, repeated ones included, arrays [sets, d, d, d, d]."""
    d = covariances.shape[-1]
    weights = functools.reduce(np.multiply.outer, [rule.weights for rule in rules[1:]], np.ones(())).reshape(-1)
    others = np.array(list(itertools.product(*[rule.nodes for rule in rules[1:]]))).T.reshape(d - 1, len(weights))

    def slab(item: tuple) -> dict[str, jax.Array]:
        """The part of the moments with the first whitened variable at one node."""
        ell, x1, w1 = item
        values = [f((ell[:, 0] * x1)[:, None] + ell[:, 1:] @ others) for f in functions]

        def pair(orders: str) -> jax.Array:
            i, j = map(int, orders)
            return values[i][:, None] * values[j][None, :]

        return {t: jnp.einsum("abn,cdn->abcd", pair(t[:2]) * (weights * w1), pair(t[2:])) for t in types}

    return _summed(slab, lambda item: item, (jax.vmap(pivoted_root)(covariances)[1],), rules[0], len(weights))


def _of_four(
    functions: list[Callable], types: tuple[str, ...], rules: list[Rule], covariances: jax.Array
) -> dict[str, jax.Array]:
    """Moments of four distinct inputs in each set of four, one per arrangement of the type's orders, [sets, n]."""
    orders = {type_: jnp.asarray(_arrangements(type_)) for type_ in types}
    permutation, root = jax.vmap(pivoted_root)(covariances)
    factor = jnp.take_along_axis(root, permutation[:, :, None], axis=1)
    (b, wb), (c, wc), (d, wd) = (map(jnp.asarray, rule) for rule in rules[1:])

    def slab(item: tuple) -> dict[str, jax.Array]:
        """The part of the moments with the first whitened variable at one node."""
        ell, pivots, table, x1, w1 = item
        z2 = ell[1, 0] * x1 + ell[1, 1] * b
        z3 = (ell[2, 0] * x1 + ell[2, 1] * b)[:, None] + ell[2, 2] * c
        last = interpolated(table, (ell[3, 0] * x1 + ell[3, 1] * b)[:, None] + ell[3, 2] * c)
        third = jnp.stack([f(z3) * wc for f in functions])
        second = jnp.stack([f(z2) * wb for f in functions])
        first = jnp.stack([f(ell[0, 0] * x1) * w1 for f in functions])
        moments = jnp.einsum("i,jb,klb->ijkl", first, second, jnp.einsum("ibc,jbc->ijb", third, last))
        return {type_: moments[tuple(orders[type_][:, pivots].T)] for type_ in types}

    def with_table(item: tuple) -> tuple:
        """The set with the last function's mean over the last whitened variable, tabulated in the sum of the others."""
        ell, pivots = item
        reach = sum(abs(ell[3, j]) * max(abs(rules[j].nodes)) for j in range(3))

        def mean(s: jax.Array) -> jax.Array:
            z = s[:, None] + ell[3, 3] * d
            return jnp.stack([jnp.sum(f(z) * wd, axis=-1) for f in functions])

        return ell, pivots, tabulate(mean, reach, INTERVALS * len(d))

    return _summed(slab, with_table, (factor, permutation), rules[0], len(b) * len(c))


def _summed(
    slab: Callable, prepare: Callable, sets: tuple[jax.Array, ...], rule: Rule, cost: int
) -> dict[str, jax.Array]:
    """For every prepared set, the sum of `slab`, which holds `cost` node values, over the first axis; in blocks."""
    nodes = tuple(map(jnp.asarray, rule))

    def one(item: tuple[jax.Array, ...]) -> dict[str, jax.Array]:
        prepared = prepare(item)
        parts = blocked(lambda node: slab((*prepared, *node)), nodes, max(1, BLOCK // cost))
        return jax.tree.map(lambda y: jnp.sum(y, axis=0), parts)

    return blocked(one, sets, max(1, BLOCK // (cost * len(rule.nodes))))


class Table(NamedTuple):
    """Functions of one variable as polynomials on intervals of [-reach, reach]: coefficients [intervals, F, 8]."""

    reach: jax.Array
    coefficients: jax.Array


# From values at -3, ..., 4 to the polynomial through them in powers of u - 1/2, u the place in the interval [0, 1].
_THROUGH = np.linalg.inv(np.vander(np.arange(-3, 5) - 0.5, 8, increasing=True))


def tabulate(function: Callable, reach: jax.Array, intervals: int) -> Table:
    """Piecewise interpolation of degree 7, whose error falls with the eighth power of the number of intervals.

    Args:
        function: maps an array [n] to arrays [F, n]; it is evaluated a little beyond `reach`.
        reach: half the length of the range.
        intervals: their number.
    """
    step = 2 * reach / intervals
    values = function((jnp.arange(-3, intervals + 5) * step) - reach)
    windows = jnp.stack([values[:, j : j + intervals] for j in range(8)])
    return Table(reach, jnp.einsum("kj,jfi->ifk", jnp.asarray(_THROUGH), windows))


def interpolated(table: Table, s: jax.Array) -> jax.Array:
    """Values [F, ...] of a table's functions at `s`."""
    intervals = len(table.coefficients)
    place = jnp.where(table.reach > 0, (s / jnp.where(table.reach > 0, table.reach, 1.0) + 1) * 0.5 * intervals, 0.0)
    index = jnp.clip(jnp.floor(place), 0, intervals - 1)
    u = (place - index - 0.5)[..., None]
    coefficients = table.coefficients[index.astype(jnp.int32)]
    value = coefficients[..., 7]
    for power in reversed(range(7)):
        value = value * u + coefficients[..., power]
    return jnp.moveaxis(value, -1, 0)


def pivoted_root(k: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Pivoted Cholesky factor of a positive semi-definite matrix of any rank.

    Args:
        k: covariance [d, d].

    Returns:
        permutation [d], by falling conditional variance, and root [d, d] with root @ root.T = k, whose rows taken in
        the order of the permutation are lower triangular; columns past the rank are zero.
    """
    d = len(k)
    rest, open_ = k, jnp.ones(d, bool)
    pivots, columns = [], []
    for _ in range(d):
        p = jnp.argmax(jnp.where(open_, jnp.diagonal(rest), -jnp.inf))
        size = rest[p, p]
        kept = size > NEGLIGIBLE * jnp.max(jnp.diagonal(k))
        column = jnp.where(open_ & kept, rest[:, p] / jnp.sqrt(jnp.where(kept, size, 1.0)), 0.0)
        rest, open_ = rest - jnp.outer(column, column), open_.at[p].set(False)
        pivots.append(p)
        columns.append(column)
    return jnp.stack(pivots), jnp.stack(columns, axis=1)


def blocked(function: Callable, items: object, size: int) -> object:
    """`function` of every item, `size` of them at a time: the memory is that of one block."""
    count = len(jax.tree.leaves(items)[0])
    blocks = -(-count // size)
    size = -(-count // blocks)

    def split(x: jax.Array) -> jax.Array:
        padded = jnp.concatenate([x, jnp.broadcast_to(x[:1], (blocks * size - count, *x.shape[1:]))])
        return padded.reshape(blocks, size, *x.shape[1:])

    results = jax.lax.map(jax.vmap(function), jax.tree.map(split, items))
    return jax.tree.map(lambda y: y.reshape(-1, *y.shape[2:])[:count], results)
