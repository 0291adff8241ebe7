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

The functions enter as a table and the rules as arrays of a few lengths, so that one program serves all activations and
several orders. Tables and rules get finer together: the change from order to order shows the error of both.
"""

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield.checks import Array
from ntkfield.gaussian.tower import Tower

INTERVALS = 64  # of the last function's table, per node of the last axis: 1e-10 at order 14, less beyond
FINER = 256  # intervals of the table of the functions themselves, per unit of the order
BLOCK = 2**18  # node values held at once, per function: 2 MiB
CAPACITIES = (18, 32, 56, 98, 172, 228)  # orders to which rules are filled up, with nodes of weight zero
# A pivot this small, relative to the largest variance, is rounding; dropping it changes smooth expectations as little.
NEGLIGIBLE = 64 * float(np.finfo(np.float64).eps)
# Nodes per axis, in units of the order, for sets of 1 to 4 inputs. Pivots fall from axis to axis, and the fewer the
# inputs the more functions share one: their product varies faster and needs a finer rule.
GRADES = {1: (3,), 2: (3, 3), 3: (2, 1.8, 1.6), 4: (1.6, 1.3, 1, 0.9)}
# Types that are computed together, so that no program is compiled for each choice of tensors.
TYPES = (("0000", "0011", "1111"), ("0000", "0011", "0112", "1111", "1113", "1122"))


RUNGS = ((14, 18), (24, 32), (42, 56), (74, 98), (130, 172), (172, 228))
LEAST = {1: 32, 2: 32, 3: 24}  # the coarse order to begin with, where few inputs make it cheap
MOST_NODES = 4e8  # node values per function and layer beyond which no finer rule is tried: about ten seconds


def rungs(m: int) -> list[tuple[int, int]]:
    """Orders to try for `m` inputs, coarsest first: two at a time, whose difference is the error of the coarser."""
    size = min(m, 4)

    def nodes(order: int) -> float:
        return math.comb(m, size) * math.prod(order * grade for grade in GRADES[size])

    first, *finer = (rung for rung in RUNGS if rung[0] >= LEAST.get(m, 0))
    return [first, *(rung for rung in finer if nodes(rung[1]) <= MOST_NODES)]


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
    tower: Tower, types: tuple[str, ...], rule: Callable[[int], Rule], order: int, k: Array
) -> dict[str, jax.Array]:
    r"""Moments of each of `types` between all inputs.

    Args:
        tower: the activation and its derivatives.
        types: orders in rising sequence, as in "0112".
        rule: maps a number of nodes to a one-dimensional rule.
        order: number of nodes that the grades multiply.
        k: covariance [m, m], positive semi-definite, of any rank.

    Returns:
        One array [m, m, m, m] per type. The error is that of the rule.
    """
    k = np.asarray(k, np.float64)
    together = next((some for some in TYPES if set(types) <= set(some)), types)
    rules = {size: tuple(rule(round(order * grade)) for grade in GRADES[size]) for size in _sizes(len(k))}
    capacity = next((n for n in CAPACITIES if all(_fits(rules[size], size, n) for size in rules)), order)
    filled = {size: tuple(map(_filled, some, _lengths(size, capacity))) for size, some in rules.items()}
    # The farthest node and a little more: tables are read some of their own steps beyond what they hold.
    farthest = max(np.sqrt(sum(np.max(abs(x)) ** 2 for x, _ in some)) for some in rules.values())
    reach = 1.02 * capacity / order * farthest * np.sqrt(np.max(np.diagonal(k)))
    highest = max(int(order) for type_ in together for order in type_)
    values = tower(highest, _places(reach, FINER * capacity))
    found = _all_types(together, reach, values, filled, capacity / order, k)
    return {type_: found[type_] for type_ in types}


def _lengths(size: int, order: int) -> tuple[int, ...]:
    return tuple(round(order * grade) for grade in GRADES[size])


def _fits(rules: tuple[Rule, ...], size: int, capacity: int) -> bool:
    return all(len(rule.nodes) <= n for rule, n in zip(rules, _lengths(size, capacity), strict=True))


def _filled(rule: Rule, length: int) -> Rule:
    """The same rule with nodes of weight zero behind."""
    return Rule(*(np.pad(x, (0, length - len(x))) for x in rule))


@functools.partial(jax.jit, static_argnums=0)
def _all_types(
    types: tuple[str, ...],
    reach: float,
    values: jax.Array,
    rules: dict[int, tuple[Rule, ...]],
    stretch: float,
    k: jax.Array,
) -> dict[str, jax.Array]:
    """All of `types` from values on the places of a table; that of the means covers `stretch` times their range."""
    m, table = len(k), _through(reach, values)
    found: dict[str, list[jax.Array]] = {type_: [] for type_ in types}
    for size in _sizes(m):
        covariances = _covariances(k, size)
        if size == 4:
            moments = _of_four(table, types, rules[4], stretch, covariances)
        else:
            moments = _of_few(table, types, rules[size], covariances)
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
    table: "Table", types: tuple[str, ...], rules: tuple[Rule, ...], covariances: jax.Array
) -> dict[str, jax.Array]:
    """Moments within each set of d <= 3 inputs, repeated ones included, arrays [sets, d, d, d, d]."""
    d = covariances.shape[-1]
    orders = np.array([list(map(int, type_)) for type_ in types]).T
    pairs = orders[:2], orders[2:]
    mesh = jnp.meshgrid(*(rule.nodes for rule in rules[1:]), indexing="ij")
    others = jnp.stack([x.reshape(-1) for x in mesh]) if d > 1 else jnp.zeros((0, 1))
    weights = functools.reduce(jnp.multiply.outer, [rule.weights for rule in rules[1:]], jnp.ones(())).reshape(-1)

    def slab(item: tuple) -> dict[str, jax.Array]:
        """The part of the moments with the first whitened variable at one node."""
        ell, x1, w1 = item
        values = interpolated(table, (ell[:, 0] * x1)[:, None] + ell[:, 1:] @ others)
        left, right = (values[i][:, :, None] * values[j][:, None, :] for i, j in pairs)
        moments = jnp.einsum("tabn,tcdn->tabcd", left * (weights * w1), right)
        return dict(zip(types, moments, strict=True))

    return _summed(slab, lambda item: item, (jax.vmap(pivoted_root)(covariances)[1],), rules[0], len(weights))


def _of_four(
    table: "Table", types: tuple[str, ...], rules: tuple[Rule, ...], stretch: float, covariances: jax.Array
) -> dict[str, jax.Array]:
    """Moments of four distinct inputs in each set of four, one per arrangement of the type's orders, [sets, n]."""
    orders = {type_: jnp.asarray(_arrangements(type_)) for type_ in types}
    permutation, root = jax.vmap(pivoted_root)(covariances)
    factor = jnp.take_along_axis(root, permutation[:, :, None], axis=1)
    (b, wb), (c, wc), (d, wd) = rules[1:]

    def slab(item: tuple) -> dict[str, jax.Array]:
        """The part of the moments with the first whitened variable at one node."""
        ell, pivots, means, x1, w1 = item
        z2 = ell[1, 0] * x1 + ell[1, 1] * b
        z3 = (ell[2, 0] * x1 + ell[2, 1] * b)[:, None] + ell[2, 2] * c
        last = interpolated(means, (ell[3, 0] * x1 + ell[3, 1] * b)[:, None] + ell[3, 2] * c)
        first, second = interpolated(table, ell[0, 0] * x1) * w1, interpolated(table, z2) * wb
        inner = jnp.einsum("ibc,jbc->ijb", interpolated(table, z3) * wc, last)
        moments = jnp.einsum("i,jb,klb->ijkl", first, second, inner)
        return {type_: moments[tuple(orders[type_][:, pivots].T)] for type_ in types}

    def with_means(item: tuple) -> tuple:
        """The set with the last function's mean over the last whitened variable, tabulated in the sum of the others."""
        ell, pivots = item
        reach = stretch * sum(abs(ell[3, j]) * jnp.max(abs(rules[j].nodes)) for j in range(3))

        places = _places(reach, INTERVALS * len(d))
        return ell, pivots, _through(reach, interpolated(table, places[:, None] + ell[3, 3] * d) @ wd)

    return _summed(slab, with_means, (factor, permutation), rules[0], len(b) * len(c))


def _summed(
    slab: Callable, prepare: Callable, sets: tuple[jax.Array, ...], rule: Rule, cost: int
) -> dict[str, jax.Array]:
    """For every prepared set, the sum of `slab`, which holds `cost` node values, over the first axis; in blocks."""

    def one(item: tuple[jax.Array, ...]) -> dict[str, jax.Array]:
        prepared = prepare(item)
        parts = blocked(lambda node: slab((*prepared, *node)), tuple(rule), max(1, BLOCK // cost))
        return jax.tree.map(lambda y: jnp.sum(y, axis=0), parts)

    return blocked(one, sets, max(1, BLOCK // (cost * len(rule.nodes))))


class Table(NamedTuple):
    """Functions of one variable as polynomials on intervals of [-reach, reach]: coefficients [F, 8, intervals]."""

    reach: jax.Array | float
    coefficients: jax.Array


# From values at -3, ..., 4 to the polynomial through them in powers of u - 1/2, u the place in the interval [0, 1].
_POWERS = np.linalg.inv(np.vander(np.arange(-3, 5) - 0.5, 8, increasing=True))


def _places(reach: jax.Array | float, intervals: int) -> Array:
    """Where a table's functions are evaluated: the ends of its intervals and some beyond [-reach, reach]."""
    return np.arange(-3, intervals + 5) * (2 * reach / intervals) - reach


def _through(reach: jax.Array | float, values: jax.Array) -> Table:
    """The table of degree 7 through `values` [F, places]; its error falls with the eighth power of the intervals."""
    intervals = values.shape[1] - 8
    windows = jnp.stack([values[:, j : j + intervals] for j in range(8)])
    return Table(reach, jnp.einsum("kj,jfi->fki", jnp.asarray(_POWERS), windows))


def interpolated(table: Table, s: jax.Array) -> jax.Array:
    """Values [F, ...] of a table's functions at `s`."""
    intervals = table.coefficients.shape[-1]
    place = jnp.where(table.reach > 0, (s / jnp.where(table.reach > 0, table.reach, 1.0) + 1) * 0.5 * intervals, 0.0)
    place = jnp.clip(place, 0, intervals)
    index = jnp.clip(jnp.floor(place), 0, intervals - 1)
    u, index = place - index - 0.5, index.astype(jnp.int32)

    def one(coefficients: jax.Array) -> jax.Array:
        value = coefficients[7][index]
        for power in reversed(range(7)):
            value = value * u + coefficients[power][index]
        return value

    # A loop, whose result is kept: in straight code every product of two functions would look both up again.
    return jax.lax.map(one, table.coefficients)


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


def blocked(function: Callable, items: Any, size: int) -> Any:
    """`function` of every item, `size` of them at a time: the memory is that of one block."""
    count = len(jax.tree.leaves(items)[0])
    blocks = -(-count // size)
    size = -(-count // blocks)

    def split(x: jax.Array) -> jax.Array:
        padded = jnp.concatenate([x, jnp.broadcast_to(x[:1], (blocks * size - count, *x.shape[1:]))])
        return padded.reshape(blocks, size, *x.shape[1:])

    results = jax.lax.map(jax.vmap(function), jax.tree.map(split, items))
    return jax.tree.map(lambda y: y.reshape(-1, *y.shape[2:])[:count], results)
