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

The functions enter as a table. Work of a third of a second or less is done as it stands, for a program takes longer to
compile; more is compiled, the rules as arrays of a few lengths, so that one program serves all activations and several
orders. Tables and rules get finer together: the change from order to order shows the error of both.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield.checks import Array
from ntkfield.gaussian import choices
from ntkfield.gaussian.rungs import GRADES
from ntkfield.gaussian.tables import places, through
from ntkfield.gaussian.tower import Tower
from ntkfield.gaussian.within import BLOCK, Integrand, Rule, cost, moments

FINER = 256  # intervals of the table of the functions themselves, per unit of the order
TOGETHER = (1, 8, 64, 512)  # sets of inputs that a program integrates over: one for each of these numbers
CAPACITIES = (18, 24, 32, 42, 56, 98, 172, 228)  # orders to which rules are filled up, with nodes of weight zero
COMPILED = 2**20  # node values from which on a program is compiled: a third of a second without one, at every layer
# Types that are computed together, so that no program is compiled for each choice of tensors.
TYPES = (("0000", "0011", "1111"), ("0000", "0011", "0112", "1111", "1113", "1122"))


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
    rules = {size: tuple(rule(round(order * grade)) for grade in GRADES[size]) for size in choices.sizes(m)}
    capacity = next((n for n in CAPACITIES if all(_fits(rules[size], size, n) for size in rules)), order)
    # The farthest node and a little more: tables are read some of their own steps beyond what they hold.
    farthest = max(np.sqrt(sum(np.max(abs(x)) ** 2 for x, _ in some)) for some in rules.values())
    reach = 1.02 * capacity / order * farthest * np.sqrt(np.max(np.diagonal(k)))
    highest = max(int(order) for type_ in _together(types) for order in type_)
    table = through(reach, tower(highest, places(reach, FINER * capacity)))
    values = {}
    for size, members in sets.members.items():
        covariances = k[members[:, :, None], members[:, None, :]]
        if len(members) * cost(rules[size]) < COMPILED:
            found = _as_they_stand(Integrand(types, table, rules[size], capacity / order), covariances)
        else:
            filled = tuple(map(_filled, rules[size], _lengths(size, capacity)))
            found = _by_programs(Integrand(_together(types), table, filled, capacity / order), covariances)
        values[size] = found
    for family in range(len(families)):
        found = {}
        for type_ in types:
            own = [values[size][type_][mine[family]].reshape(-1) for size, mine in sets.places.items()]
            found[type_] = np.concatenate(own)[choices.addresses(m, type_, moves)]
        yield found


def _as_they_stand(of: Integrand, covariances: np.ndarray) -> dict[str, np.ndarray]:
    """Moments within each set of inputs of one size."""
    found = [moments(of, covariance) for covariance in covariances]
    return {type_: np.stack([one[type_] for one in found]) for type_ in of.types}


def _by_programs(of: Integrand, covariances: np.ndarray) -> dict[str, np.ndarray]:
    """The same by programs for a few numbers of sets."""
    types, *arrays = of
    parts, start = [], 0
    while start < len(covariances):
        length = max(n for n in TOGETHER if n <= len(covariances) - start)
        found = _compiled(types, tuple(arrays), covariances[start : start + length])
        parts.append({type_: np.asarray(value) for type_, value in found.items()})
        start += length
    return {type_: np.concatenate([part[type_] for part in parts]) for type_ in types}


@functools.partial(jax.jit, static_argnums=0)
def _compiled(types: tuple[str, ...], arrays: tuple, covariances: jax.Array) -> dict[str, jax.Array]:
    of = Integrand(types, *arrays)
    return blocked(functools.partial(moments, of), covariances, max(1, BLOCK // cost(of.rules)))


def _together(types: tuple[str, ...]) -> tuple[str, ...]:
    """Types that a program computes beside these, so that none is compiled for each choice of tensors."""
    return next((some for some in TYPES if set(types) <= set(some)), types)


def _lengths(size: int, order: int) -> tuple[int, ...]:
    return tuple(round(order * grade) for grade in GRADES[size])


def _fits(rules: tuple[Rule, ...], size: int, capacity: int) -> bool:
    return all(len(rule.nodes) <= n for rule, n in zip(rules, _lengths(size, capacity), strict=True))


def _filled(rule: Rule, length: int) -> Rule:
    """The same rule with nodes of weight zero behind."""
    return Rule(*(np.pad(x, (0, length - len(x))) for x in rule))


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
