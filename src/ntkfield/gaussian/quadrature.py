r"""Expectations :math:`\langle f(u)\,g(v)\rangle` over a centred Gaussian pair, for any smooth f and g.

In normalised Hermite polynomials the correlation :math:`c` separates from the two variances (Mehler's formula),

.. math:: \langle f(u) g(v)\rangle = \sum_k a_k(q_{11})\, b_k(q_{22})\, c^k,
   \qquad a_k(q) = \langle f(\sqrt q\, x)\, \mathrm{He}_k(x)\rangle / \sqrt{k!},

so that a Gram matrix costs one set of coefficients per input and a polynomial per pair. If f and g are analytic in a
strip of half-width w around the real axis, :math:`a_k b_k` falls like :math:`e^{-2 w\sqrt{2k/q}}`; what is left
after the last term is largest at :math:`c = \pm1`, where it is known exactly from a one-dimensional integral and
added. The coefficients are integrals by the trapezoid rule, which converges geometrically for such functions where
Gauss-Hermite does not (Trefethen and Weideman, SIAM Review 56, 2014, section 5).
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield.checks import Array
from ntkfield.gaussian.tower import Function, Tower, derivative

RADIUS = 12.0  # the integrands fall like exp(-x^2/4) whatever k: 2e-16 at 12


@functools.cache
def hermite_rule(order: int) -> tuple[np.ndarray, np.ndarray]:
    r"""Trapezoid nodes, and weights times normalised Hermite polynomials.

    Args:
        order: number K of Hermite polynomials; the rule has 2K + 1 nodes.

    Returns:
        Nodes x [2K+1] and matrix [2K+1, K] with entries :math:`w_i \mathrm{He}_k(x_i)/\sqrt{k!}`, whose column 0 are
        the weights w of the standard normal density, summing to one.
    """
    x = np.linspace(-RADIUS, RADIUS, 2 * order + 1)
    half = np.exp(-0.25 * x**2)
    rows = [half, x * half]
    for k in range(1, order - 1):
        rows.append((x * rows[k] - np.sqrt(k) * rows[k - 1]) / np.sqrt(k + 1))
    return x, np.stack(rows[:order], axis=1) * (half / np.sum(half**2))[:, None]


class Accuracy(NamedTuple):
    """Mean square of a function at some variances, and the relative error of its series there; arrays alike."""

    square: np.ndarray
    error: np.ndarray


def accuracy(f: Function, order: int, q: np.ndarray) -> Accuracy:
    r"""How far ``pair_expectation`` of `f` with itself may be off at any correlation, relative to its mean square.

    The terms from K = `order` on are taken at :math:`c^K`, so that they err by :math:`\sum_{k\ge K} a_k^2 (c^K - c^k)`,
    at most; by Cauchy and Schwarz a second variance errs no more than the worse of the two. The largest over c is
    found with twice the order, and all that is beyond counts in full. Added is what the trapezoid rule loses: the
    coefficients' change under twice the nodes, and the mass in the last unit before the rule's end for that beyond.

    Args:
        f: elementwise function.
        order: number of Hermite terms.
        q: variances [n].

    Returns:
        :class:`Accuracy`, arrays [n]; an infinite error where the square of `f` is not finite or its mass still grows
        12 standard deviations out.
    """
    (x, weighted), (_, coarse) = hermite_rule(2 * order), hermite_rule(order)
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.asarray(_elementwise(f, np.sqrt(q)[:, None] * x))
        mass = values**2 * weighted[:, 0]
        square, terms, found = mass.sum(axis=1), (values @ weighted) ** 2, (values[:, ::2] @ coarse) ** 2
        c = np.exp(-np.geomspace(1e-3, 10, 40) / order)[:, None]
        truncated = np.max(terms[:, order:] @ (c**order - c ** np.arange(order, 2 * order)).T, axis=1)
        aliased = np.sum(np.abs(found - terms[:, :order]), axis=1) + np.abs(square - values[:, ::2] ** 2 @ coarse[:, 0])
        beyond, before = (mass[:, np.abs(np.abs(x) - r) <= 0.5].sum(axis=1) for r in (RADIUS - 0.5, RADIUS - 1.5))
        error = truncated + np.abs(square - terms.sum(axis=1)) + aliased + beyond
        relative = np.where(square > 0, error / np.where(square > 0, square, 1.0), 0.0)
        lost = ~np.isfinite(error) | ((beyond > before) & (beyond > 1e-9 * square))
    return Accuracy(square, np.where(lost, np.inf, relative))


@functools.partial(jax.jit, static_argnums=0)
def _elementwise(f: Function, x: jax.Array) -> jax.Array:
    return f(x)


@functools.cache
def has_derivatives(f: Function, order: int) -> bool:
    r"""Whether the derivatives of `f` that JAX finds are all there is to its first `order` derivatives.

    They are not at a kink or a jump, where the true derivative has a point mass that JAX does not see. Told by
    integration by parts, :math:`\langle g'(x)\rangle = \langle (x-\mu)\,g(x)/s^2\rangle` for :math:`x` of mean
    :math:`\mu` and variance :math:`s^2` and :math:`g = f, f', \dots`, at a few means and variances.
    """
    z = np.linspace(-RADIUS, RADIUS, 2**15)
    weight = np.exp(-0.5 * z**2)
    mean, scale = (a.ravel()[:, None] for a in np.meshgrid((0.0, 0.7, -1.3), (0.5, 1.0, 2.0)))
    x = jnp.asarray(mean + scale * z)
    for _ in range(order):
        one, parts = np.asarray(derivative(f)(x)) * weight, np.asarray(f(x)) * z / scale * weight
        size = np.sum(np.abs(one) + np.abs(parts), axis=1)
        # A jump of the integrand is summed to half a step, 4e-4; one that is missed counts a hundredth and more.
        if not np.all(np.abs(np.sum(one - parts, axis=1)) <= 2e-3 * size):
            return False
        f = derivative(f)
    return True


@functools.partial(jax.custom_jvp, nondiff_argnums=(0, 1, 2))
def pair_expectation(f: Function, g: Function, order: int, q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
    r"""Expectation :math:`\langle f(u) g(v)\rangle` with covariance :math:`((q_{11}, q_{12}), (q_{12}, q_{22}))`.

    Differentiable in the covariance to any order by Price's theorem,
    :math:`\partial_{q_{12}}\langle fg\rangle = \langle f'g'\rangle`,
    :math:`\partial_{q_{11}}\langle fg\rangle = \tfrac12\langle f''g\rangle`,
    which stays finite at correlation :math:`\pm1` and at zero variance.

    Args:
        f: elementwise function of u.
        g: elementwise function of v.
        order: number of Hermite terms.
        q11: variances of u.
        q12: covariances.
        q22: variances of v; the three broadcast against each other.

    Returns:
        Array of the broadcast shape.
    """
    q11, q12, q22 = (jnp.asarray(q, jnp.float64) for q in (q11, q12, q22))
    x, weighted = hermite_rule(order)
    left, right = f(_root(q11)[..., None] * x), g(_root(q22)[..., None] * x)
    a, b = jnp.moveaxis(left @ weighted, -1, 0), jnp.moveaxis(right @ weighted, -1, 0)
    size = _root(q11) * _root(q22)
    c = jnp.clip(jnp.where(size > 0, q12 / jnp.where(size > 0, size, 1.0), 0.0), -1.0, 1.0)
    series, even, odd = _horner(a, b, c)
    plus, minus = _at_the_ends(left * weighted[:, 0], right)
    rest_even, rest_odd = 0.5 * (plus + minus) - even, 0.5 * (plus - minus) - odd
    power = c ** (2 * (order // 2))
    return series + power * (rest_even * c ** (2 * (order % 2)) + rest_odd * c)


@pair_expectation.defjvp
def _price(f: Function, g: Function, order: int, primals: tuple, tangents: tuple) -> tuple[jax.Array, jax.Array]:
    d11, d12, d22 = tangents
    f1, g1 = derivative(f), derivative(g)
    value = pair_expectation(f, g, order, *primals)
    change = (
        d12 * pair_expectation(f1, g1, order, *primals)
        + 0.5 * d11 * pair_expectation(derivative(f1), g, order, *primals)
        + 0.5 * d22 * pair_expectation(f, derivative(g1), order, *primals)
    )
    return value, change


# The steps of the two sums stand on their own so that calls outside jit find them compiled.
def _add_term(total: tuple, terms: tuple) -> tuple[tuple, None]:
    series, c, this, other = total
    product = terms[0] * terms[1]
    return (series * c + product, c, other + product, this), None


def _add_node(total: tuple, values: tuple) -> tuple[tuple, None]:
    u, v, mirrored = values
    return (total[0] + u * v, total[1] + u * mirrored), None


def _horner(a: jax.Array, b: jax.Array, c: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    r"""The sum of :math:`a_k b_k c^k` over k, and the sums of :math:`a_k b_k` over even and over odd k."""
    shape = jnp.broadcast_shapes(a.shape[1:], b.shape[1:], c.shape)
    zero = jnp.zeros(shape)

    # Horner runs from the highest degree to degree 0, an even one: `this` holds the sum of the last degree's parity.
    start = (zero, jnp.broadcast_to(c, shape), zero, zero)
    (series, _, even, odd), _ = jax.lax.scan(_add_term, start, (a[::-1], b[::-1]), unroll=8)
    return series, even, odd


def _at_the_ends(left: jax.Array, right: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The expectation at correlation +1 and -1: sums of products with `right` and with its mirror image."""
    zero = jnp.zeros(jnp.broadcast_shapes(left.shape[:-1], right.shape[:-1]))

    nodes = (jnp.moveaxis(values, -1, 0) for values in (left, right, right[..., ::-1]))
    return jax.lax.scan(_add_node, (zero, zero), tuple(nodes), unroll=8)[0]


def _root(q: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.maximum(q, 0.0))


def pair_moments(
    tower: Tower, pairs: tuple[tuple[int, int], ...], order: int, k: Array
) -> dict[tuple[int, int], np.ndarray]:
    r"""Moments :math:`\langle\sigma^{(i)}_a\sigma^{(j)}_b\rangle` between all inputs, by the same series in NumPy.

    No program depends on the order, so that a finer one costs no compilation.

    Args:
        tower: the activation and its derivatives.
        pairs: orders (i, j).
        order: number of Hermite terms.
        k: covariance [m, m].

    Returns:
        One array [m, m] for each pair.
    """
    k, (x, weighted) = np.asarray(k, np.float64), hermite_rule(order)
    root = np.sqrt(np.maximum(np.diagonal(k), 0.0))
    values = tower(max(map(max, pairs)), (root[:, None] * x).reshape(-1)).reshape(-1, len(k), len(x))
    i, j = np.array(pairs).T
    size = np.outer(root, root)
    c = np.clip(np.divide(k, size, where=size > 0, out=np.zeros_like(k)), -1.0, 1.0)
    coefficients = np.moveaxis(values @ weighted, -1, 0)
    series = np.zeros((len(pairs), *k.shape))
    for a in coefficients[::-1]:
        series = series * c + a[i][:, :, None] * a[j][:, None, :]
    even, odd = (
        np.einsum("kpa,kpb->pab", a[:, i], a[:, j], optimize=True) for a in (coefficients[::2], coefficients[1::2])
    )
    left, right = values[i] * weighted[:, 0], np.swapaxes(values[j], 1, 2)
    plus, minus = left @ right, left @ right[:, ::-1]
    rest_even, rest_odd = 0.5 * (plus + minus) - even, 0.5 * (plus - minus) - odd
    rest = c ** (2 * (order // 2)) * (rest_even * c ** (2 * (order % 2)) + rest_odd * c)
    return dict(zip(pairs, series + rest, strict=True))
