r"""Four-point moments of activations with a kink at zero, :math:`\sigma(z) = \alpha z + \beta|z|`, for any covariance.

Products of the linear and the even parts leave Gaussian moments of signs :math:`s_a = \mathrm{sgn}(z_a)` and absolute
values. With at most two signs they are closed forms. With four they follow, by Stein's lemma, from closed forms of
three variables conditioned on the fourth and one integral, the sign moment :math:`Q = \langle s_1s_2s_3s_4\rangle`.
It vanishes when :math:`z_4` is replaced by independent noise g, and by Plackett's identity along
:math:`z_4(\phi) = z_4\sin\phi + g\cos\phi`

.. math:: \frac{dQ}{d\phi} = \frac4{\pi^2}\sum_{i<4} \frac{\rho_{i4}\cos\phi}{\sqrt{\cos^2\phi + v_i\sin^2\phi}}\;
   \arcsin\rho_{jk|i4}(\phi), \qquad v_i = 1 - \rho_{i4}^2.

The integrand is analytic up to both ends where variables are exactly dependent, and nearly singular at :math:`\pi/2`
where they almost are: the tanh-sinh rule serves both. Sources: Plackett, Biometrika 41 (1954) 351; Childs, J. Roy.
Stat. Soc. B 29 (1967) 302.

Exactly dependent variables meet :math:`\delta(z)\,\mathrm{sgn}(z)^k`, which stands for the limit of smooth functions:
0 for odd k, 1/3 for k = 2. A variable of zero variance has sign 0.
"""

import functools
import itertools
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield.checks import Array
from ntkfield.gaussian.choices import Moves, layout
from ntkfield.gaussian.closed_forms import ratio
from ntkfield.gaussian.multipoint import blocked

BLOCK = 2**11  # choices of inputs held at once
# Correlations carry rounding of a few units: a conditional variance this small means that the variables are dependent.
DEPENDENT = 64 * float(np.finfo(np.float64).eps)


def four_point_moments(
    alpha: float, beta: float, types: tuple[str, ...], k: Array, moves: Moves = ()
) -> dict[str, jax.Array]:
    r"""Moments :math:`\langle\sigma^{(i)}_a\sigma^{(j)}_b\sigma^{(k)}_c\sigma^{(l)}_d\rangle` between all inputs.

    Args:
        alpha: slope of the odd part.
        beta: slope of the even part.
        types: orders in rising sequence, among "0000", "0011", "1111" and "0112".
        k: covariance [m, m], positive semi-definite, of any rank.
        moves: permutations of the inputs, a group, that leave `k` as it is.

    Returns:
        One array [m, m, m, m] per type, exact to about 1e-12, and 1e-8 where variables are dependent to rounding.
    """
    k = np.asarray(k, np.float64)
    scale = np.sqrt(np.maximum(np.diagonal(k), 0.0))
    size = np.outer(scale, scale)
    correlation = np.clip(np.divide(k, size, where=size > 0, out=np.zeros_like(k)), -1.0, 1.0)
    return {type_: _between_all(type_, moves, alpha, beta, correlation, scale) for type_ in types}


@functools.partial(jax.jit, static_argnums=(0, 1))
def _between_all(
    type_: str, moves: Moves, alpha: float, beta: float, correlation: jax.Array, scale: jax.Array
) -> jax.Array:
    choices, position = layout(len(scale), type_, moves)
    c = correlation[choices[:, :, None], choices[:, None, :]]
    return blocked(lambda item: _MOMENTS[type_](alpha, beta, *item), (c, scale[choices]), BLOCK)[position]


def _unit(c: jax.Array, s: jax.Array) -> jax.Array:
    """Correlation matrix with ones on the diagonal, zeros in the rows of variables without variance."""
    alive = jnp.where(s > 0, 1.0, 0.0)
    return jnp.where(jnp.eye(len(c), dtype=bool), jnp.diag(alive), c)


def _each(function: Callable, c: jax.Array, orders: Sequence[Sequence[int]]) -> jax.Array:
    """`function` of the covariance with its variables taken in each of `orders`."""
    return jax.vmap(lambda order: function(c[order[:, None], order]))(jnp.asarray(orders))


# The six ways to put two of four variables first.
_PAIRS = [(*pair, *(a for a in range(4) if a not in pair)) for pair in itertools.combinations(range(4), 2)]
_ROOT = math.sqrt(2 / math.pi)


def _0000(alpha: float, beta: float, c: jax.Array, s: jax.Array) -> jax.Array:
    c = _unit(c, s)
    gaussian = c[0, 1] * c[2, 3] + c[0, 2] * c[1, 3] + c[0, 3] * c[1, 2]
    mixed = jnp.sum(_each(_two_absolute, c, _PAIRS))
    return jnp.prod(s) * (alpha**4 * gaussian + (alpha * beta) ** 2 * mixed + beta**4 * _four_absolute(c))


def _0011(alpha: float, beta: float, c: jax.Array, s: jax.Array) -> jax.Array:
    c = _unit(c, s)
    pairs = jnp.asarray(_PAIRS)
    mixed = jnp.sum(jax.vmap(lambda pair: _two_signs(c, pair[0], pair[1]))(pairs))
    even = alpha**4 * c[0, 1] + (alpha * beta) ** 2 * mixed + beta**4 * _two_signs_two_absolute(c, _four_signs(c))
    return s[0] * s[1] * even


def _1111(alpha: float, beta: float, c: jax.Array, s: jax.Array) -> jax.Array:
    c = _unit(c, s)
    return alpha**4 + (alpha * beta) ** 2 * jnp.sum(_each(_arcsine, c, _PAIRS)) + beta**4 * _four_signs(c)


def _0112(alpha: float, beta: float, c: jax.Array, s: jax.Array) -> jax.Array:
    r"""The last function is :math:`2\beta\delta(z)`: condition on that variable being zero."""
    c = _unit(c, s)[::-1, ::-1]
    given = _given(c)
    absolute = _ROOT * jnp.sqrt(given[2, 2])
    odd = _ROOT * jnp.sum(ratio(given[2, :2], jnp.sqrt(jnp.diagonal(given)[:2])))
    three = _two_signs_one_absolute(given, jnp.sign(c[0, 1]) * jnp.sign(c[0, 2]))
    inner = alpha**2 * beta * (absolute + odd) + beta**3 * three
    return 2 * beta * inner * s[0] * ratio(1.0, s[3]) / math.sqrt(2 * math.pi)


_MOMENTS = {"0000": _0000, "0011": _0011, "1111": _1111, "0112": _0112}


def _given(c: jax.Array) -> jax.Array:
    """Covariance of the other variables given that the first is zero; what depends on it is exactly zero."""
    rest = c[1:, 1:] - jnp.outer(c[1:, 0], c[1:, 0]) * ratio(1.0, c[0, 0])
    alive = jnp.diagonal(rest) > DEPENDENT
    return jnp.where(alive[:, None] & alive[None, :], rest, 0.0)


def _area(c11: jax.Array, c12: jax.Array, c22: jax.Array, unit: jax.Array | float = 1.0) -> jax.Array:
    """Square root of a pair's determinant, zero where they are dependent up to rounding of entries of size `unit`."""
    determinant = c11 * c22 - c12**2
    return jnp.sqrt(jnp.where(determinant > DEPENDENT * unit * (c11 + c22), determinant, 0.0))


def _arcsine(c: jax.Array) -> jax.Array:
    r"""Sign moment :math:`\langle s_1s_2\rangle = \frac2\pi\arcsin\rho` of the first two variables."""
    return 2 / math.pi * jnp.arctan2(c[0, 1], _area(c[0, 0], c[0, 1], c[1, 1]))


def _two_signs(c: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    r"""Moment :math:`\langle z_1z_2 s_as_b\rangle`, by Stein's lemma on :math:`z_1`.

    It needs :math:`\langle 2\delta(z_a) s_b z_2\rangle = \frac2\pi C_{2b|a}/\sqrt{\det C_{ab}}`, 0 if b depends on a.
    """
    area = _area(c[a, a], c[a, b], c[b, b])
    sign = 2 / math.pi * jnp.arctan2(c[a, b], area)
    at_a = ratio(c[1, b] - c[1, a] * c[a, b], area)
    at_b = ratio(c[1, a] - c[1, b] * c[a, b], area)
    return c[0, 1] * sign + 2 / math.pi * (c[0, a] * at_a + c[0, b] * at_b)


def _two_absolute(c: jax.Array) -> jax.Array:
    r"""Moment :math:`\langle|z_1z_2| z_3z_4\rangle`, by Stein's lemma on :math:`z_3, z_4`."""
    root = 2 / math.pi * _area(c[0, 0], c[0, 1], c[1, 1])  # <2 delta(z_1) |z_2|>
    sign = _arcsine(c)
    # <z_4 s_1 |z_2|> and <z_4 s_2 |z_1|>
    left, right = c[3, 0] * root + c[3, 1] * sign, c[3, 1] * root + c[3, 0] * sign
    return c[2, 3] * (root + c[0, 1] * sign) + c[2, 0] * left + c[2, 1] * right


def _sign_pair(c: jax.Array) -> jax.Array:
    r"""Moment :math:`\langle s_2s_3\rangle` given :math:`z_1 = 0`; 1/3, with a sign, where both depend on it."""
    given = _given(c)
    both = (given[0, 0] == 0) & (given[1, 1] == 0)
    return jnp.where(both, jnp.sign(c[0, 1]) * jnp.sign(c[0, 2]) / 3, _arcsine(given))


def _two_signs_one_absolute(c: jax.Array, sign: jax.Array) -> jax.Array:
    r"""Moment :math:`\langle s_1s_2|z_3|\rangle` of three variables, by Stein's lemma on :math:`z_3s_3`.

    Where variables 1 and 2 both vanish by an earlier condition, `sign` is the product of the signs of their
    correlations with its variable.
    """
    pairs = _each(_sign_pair, c, [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
    vanished = (c[0, 0] == 0) & (c[1, 1] == 0)
    own = jnp.sqrt(c[2, 2]) * jnp.where(vanished, sign / 3, pairs[2])
    return _ROOT * (own + jnp.sum(ratio(c[2, :2], jnp.sqrt(jnp.diagonal(c)[:2])) * pairs[:2]))


def _three_absolute(c: jax.Array) -> jax.Array:
    r"""Moment :math:`\langle|z_1z_2z_3|\rangle`, by Stein's lemma on :math:`z_1s_1`."""
    given = _given(c)
    area = _area(given[0, 0], given[0, 1], given[1, 1])
    own = jnp.sqrt(c[0, 0]) * (area + given[0, 1] * jnp.arctan2(given[0, 1], area)) * 2 / math.pi
    # <s_1 s_2 |z_3|> and <s_1 s_3 |z_2|>; where two of their variables vanish, so does the factor
    mixed = _each(lambda x: _two_signs_one_absolute(x, jnp.zeros(())), c, [(0, 1, 2), (0, 2, 1)])
    return _ROOT * own + jnp.sum(c[0, 1:] * mixed)


def _two_signs_two_absolute(c: jax.Array, q: jax.Array) -> jax.Array:
    r"""Moment :math:`\langle|z_1z_2| s_3s_4\rangle` from the sign moment q, by Stein's lemma on :math:`z_1s_1`."""

    def at_zero_of_first(x: jax.Array) -> jax.Array:
        r"""Moment :math:`\langle 2\delta(z_1) s_2s_3|z_4|\rangle`."""
        return _ROOT * _two_signs_one_absolute(_given(x), jnp.sign(x[0, 1]) * jnp.sign(x[0, 2]))

    edges = _each(at_zero_of_first, c, [(0, 2, 3, 1), (2, 0, 3, 1), (3, 0, 2, 1)])
    return c[0, 1] * q + c[0, 0] * edges[0] + c[0, 2] * edges[1] + c[0, 3] * edges[2]


def _four_absolute(c: jax.Array) -> jax.Array:
    r"""Moment :math:`\langle|z_1z_2z_3z_4|\rangle`, by Stein's lemma on :math:`z_1s_1`."""
    q = _four_signs(c)
    mixed = _each(lambda x: _two_signs_two_absolute(x, q), c, [(2, 3, 0, 1), (1, 3, 0, 2), (1, 2, 0, 3)])
    return c[0, 0] * _ROOT * _three_absolute(_given(c)) + jnp.sum(c[0, 1:] * mixed)


@functools.cache
def _tanh_sinh(half: int = 48) -> tuple[np.ndarray, np.ndarray]:
    r"""Angles :math:`\psi = \pi/2 - \phi` in (0, pi/2), exact near 0, and weights, by the tanh-sinh rule."""
    t = np.linspace(-1, 1, 2 * half + 1) * 3.4
    u = 0.5 * math.pi * np.sinh(t)
    psi = 0.5 * math.pi / (1 + np.exp(2 * u))
    return psi, (t[1] - t[0]) * math.pi**2 / 8 * np.cosh(t) / np.cosh(u) ** 2


def _four_signs(c: jax.Array) -> jax.Array:
    r"""Sign moment :math:`Q = \langle s_1s_2s_3s_4\rangle`: the integral of the module's formula."""
    psi, weights = map(jnp.asarray, _tanh_sinh())
    cosine, sine = jnp.sin(psi), jnp.cos(psi)

    def term(x: jax.Array) -> jax.Array:
        """The term of the first variable, with the noise on the last."""
        given = _given(x)
        rest = given[2, 2] * _given(given[::-1, ::-1])[::-1, ::-1]
        noise = cosine**2 + sine**2 * given[2, 2]
        # Given the noisy last variable too: a sum without cancellation, however small the noise.
        c11, c12, c22 = (cosine**2 * given[i] + sine**2 * rest[i] for i in ((0, 0), (0, 1), (1, 1)))
        both = (given[0, 0] == 0) & (given[1, 1] == 0)
        third = math.pi / 6 * jnp.sign(x[0, 1]) * jnp.sign(x[0, 2])
        unit = jnp.where((rest[0, 0] == 0) & (rest[1, 1] == 0), cosine**2, 1.0)
        arcsine = jnp.where(both, third, jnp.arctan2(c12, _area(c11, c12, c22, unit)))
        return x[0, 3] * jnp.sum(weights * cosine / jnp.sqrt(noise) * arcsine)

    return 4 / math.pi**2 * jnp.sum(_each(term, c, [(0, 1, 2, 3), (1, 0, 2, 3), (2, 0, 1, 3)]))
