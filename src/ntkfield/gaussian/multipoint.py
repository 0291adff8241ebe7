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
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield.checks import Array
from ntkfield.gaussian import choices
from ntkfield.gaussian.tower import Tower

INTERVALS = 64  # of the last function's table, per node of the last axis: 1e-10 at order 14, less beyond
FINER = 256  # intervals of the table of the functions themselves, per unit of the order
TOGETHER = (1, 8, 64, 512)  # sets of inputs that a program integrates over: one for each of these numbers
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
MOST_NODES = 2e10  # node values per layer beyond which no finer rule is tried: about a minute on two cores


def rungs(m: int, alike: int = 1) -> list[tuple[int, int]]:
    """Orders to try for `m` inputs, coarsest first: two at a time, whose difference is the error of the coarser.

    Args:
        m: number of inputs.
        alike: how many sets of inputs share a value by symmetry.
    """
    size = min(m, 4)

    def nodes(order: int) -> float:
        return math.comb(m, size) / alike * math.prod(order * grade for grade in GRADES[size])

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


def four_point_moments(
    tower: Tower,
    types: tuple[str, ...],
    rule: Callable[[int], Rule],
    order: int,
    k: Array,
    families: np.ndarray,
    moves: choices.Moves = (),
) -> Iterator[dict[str, np.ndarray]]:
    r"""Moments of each of `types` between all inputs of each family.

    Args:
        tower: the activation and its derivatives.
        types: orders in rising sequence, as in "0112".
        rule: maps a number of nodes to a one-dimensional rule.
        order: number of nodes that the grades multiply.
        k: covariance [n, n], positive semi-definite and of any rank within each family.
        families: inputs of each family in rising order, [families, m]; sets that they share are integrated over once.
        moves: permutations of a family's m inputs, a group, that leave its covariance as it is; sets that they take to
            each other are integrated over once.

    Yields:
        For each family one array [m, m, m, m] per type. The error is that of the rule.
    """
    k = np.asarray(k, np.float64)
    m, sets = families.shape[1], choices.sets(families, moves)
    together = next((some for some in TYPES if set(types) <= set(some)), types)
    rules = {size: tuple(rule(round(order * grade)) for grade in GRADES[size]) for size in choices.sizes(m)}
    capacity = next((n for n in CAPACITIES if all(_fits(rules[size], size, n) for size in rules)), order)
    filled = {size: tuple(map(_filled, some, _lengths(size, capacity))) for size, some in rules.items()}
    # The farthest node and a little more: tables are read some of their own steps beyond what they hold.
    farthest = max(np.sqrt(sum(np.max(abs(x)) ** 2 for x, _ in some)) for some in rules.values())
    reach = 1.02 * capacity / order * farthest * np.sqrt(np.max(np.diagonal(k)))
    highest = max(int(order) for type_ in together for order in type_)
    table = _tabulated(reach, tower(highest, _places(reach, FINER * capacity)))
    values = {}
    for size, members in sets.members.items():
        covariances = k[members[:, :, None], members[:, None, :]]
        values[size] = _within(together, table, filled[size], capacity / order, covariances)
    for family in range(len(families)):
        found = {}
        for type_ in types:
            own = [values[size][type_][places[family]].reshape(-1) for size, places in sets.places.items()]
            found[type_] = np.concatenate(own)[choices.addresses(m, type_, moves)]
        yield found


def _within(
    types: tuple[str, ...], table: "Table", rules: tuple[Rule, ...], stretch: float, covariances: np.ndarray
) -> dict[str, np.ndarray]:
    """Moments within each set of inputs of one size, by programs for a few numbers of sets."""
    integrate = {3: _of_three, 4: _of_four}.get(covariances.shape[-1], _of_few)
    parts, start = [], 0
    while start < len(covariances):
        length = max(n for n in TOGETHER if n <= len(covariances) - start)
        found = integrate(types, table, rules, stretch, covariances[start : start + length])
        parts.append({type_: np.asarray(value) for type_, value in found.items()})
        start += length
    return {type_: np.concatenate([part[type_] for part in parts]) for type_ in types}


def _lengths(size: int, order: int) -> tuple[int, ...]:
    return tuple(round(order * grade) for grade in GRADES[size])


def _fits(rules: tuple[Rule, ...], size: int, capacity: int) -> bool:
    return all(len(rule.nodes) <= n for rule, n in zip(rules, _lengths(size, capacity), strict=True))


def _filled(rule: Rule, length: int) -> Rule:
    """The same rule with nodes of weight zero behind."""
    return Rule(*(np.pad(x, (0, length - len(x))) for x in rule))


@functools.partial(jax.jit, static_argnums=0)
def _of_few(
    types: tuple[str, ...], table: "Table", rules: tuple[Rule, ...], stretch: float, covariances: jax.Array
) -> dict[str, jax.Array]:
    """Moments within each set of d <= 2 inputs, repeated ones included, arrays [sets, d, d, d, d]."""
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


@functools.partial(jax.jit, static_argnums=0)
def _of_three(
    types: tuple[str, ...], table: "Table", rules: tuple[Rule, ...], stretch: float, covariances: jax.Array
) -> dict[str, jax.Array]:
    """Moments within each set of three inputs that take all three, [sets, 3, 3, 3, 3]; NaN where one is not taken.

    One input bears two factors: a product is one more function of it, so that the sum is that of three functions.
    """
    functions, places = _functions_of_three(types)
    (b, wb), (c, wc) = rules[1:]

    def products(values: jax.Array) -> jax.Array:
        """Values of all functions of one input, singles and products, [functions, ...]."""
        return jnp.stack([math.prod(values[order] for order in orders) for orders in functions])

    def slab(item: tuple) -> jax.Array:
        """The sums with the first whitened variable at one node."""
        ell, x1, w1 = item
        z2 = ell[1, 0] * x1 + ell[1, 1] * b
        z3 = (ell[2, 0] * x1 + ell[2, 1] * b)[:, None] + ell[2, 2] * c
        first, second = products(interpolated(table, ell[0, 0] * x1)) * w1, products(interpolated(table, z2)) * wb
        last = jnp.einsum("kbc,c->kb", products(interpolated(table, z3)), wc)
        return jnp.einsum("i,jb,kb->ijk", first, second, last)

    permutation, root = jax.vmap(pivoted_root)(covariances)
    factor = jnp.take_along_axis(root, permutation[:, :, None], axis=1)
    sums = _summed(slab, lambda item: item, (factor,), rules[0], len(b) * len(c))

    def arranged(sums: jax.Array, pivots: jax.Array) -> dict[str, jax.Array]:
        found = {type_: sums[tuple(jnp.asarray(places[type_])[:, pivots].T)] for type_ in types}
        kept = jnp.asarray(places["kept"])
        return {type_: jnp.where(kept, value, jnp.nan).reshape((3,) * 4) for type_, value in found.items()}

    return jax.vmap(arranged)(sums, permutation)


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
    places = {
        type_: np.array([[number.get(orders, 0) for orders in row] for row in rows]) for type_, rows in borne.items()
    }
    return functions, places | {"kept": kept}


@functools.partial(jax.jit, static_argnums=0)
def _of_four(
    types: tuple[str, ...], table: "Table", rules: tuple[Rule, ...], stretch: float, covariances: jax.Array
) -> dict[str, jax.Array]:
    """Moments of four distinct inputs in each set of four, one per arrangement of the type's orders, [sets, n]."""
    orders = {type_: jnp.asarray(choices.arrangements(type_)) for type_ in types}
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


def _summed(slab: Callable, prepare: Callable, sets: tuple[jax.Array, ...], rule: Rule, cost: int) -> Any:
    """For every prepared set, the sum of `slab`, which holds `cost` node values, over the first axis; in blocks."""

    def one(item: tuple[jax.Array, ...]) -> Any:
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


_tabulated = jax.jit(_through)


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
