import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import hermite_e

from ntkfield.activations import PAIRS, Quadrature
from ntkfield.gaussian import closed_forms, quadrature
from ntkfield.gaussian.quadrature import pair_expectation
from ntkfield.gaussian.tower import Tower, derivative

ORDER = 128


def two_dimensional(f, g, q11, q12, q22, n=1000, radius=11.0):
    """<f(u) g(v)> by the trapezoid rule over two independent normals that make the pair."""
    x = np.linspace(-radius, radius, n + 1)
    weights = np.exp(-0.5 * x**2)
    weights /= weights.sum()
    slope = q12 / np.sqrt(q11) if q11 > 0 else 0.0
    rest = np.sqrt(max(q22 - slope**2, 0.0))
    return weights @ (f(np.sqrt(q11) * x)[:, None] * g(slope * x[:, None] + rest * x)) @ weights


class TestHermiteRule:
    def test_weights_make_normalised_hermite_polynomials_orthonormal(self):
        x, weighted = quadrature.hermite_rule(40)
        polynomials = weighted / weighted[:, :1]
        # the rule ends at |x| = 12, beyond which products of higher degrees than these still have a share
        np.testing.assert_allclose((weighted.T @ polynomials)[:16, :16], np.eye(16), atol=1e-12)
        expected = hermite_e.hermeval(x, np.eye(5)[4]) / np.sqrt(24)
        np.testing.assert_allclose(polynomials[:, 4], expected, rtol=1e-11, atol=1e-11)

    def test_it_integrates_the_normal_density(self):
        x, weighted = quadrature.hermite_rule(ORDER)
        assert weighted.shape == (2 * ORDER + 1, ORDER)
        np.testing.assert_allclose(weighted[:, 0] @ np.stack([x**0, x**2, x**4, x**6]).T, [1, 1, 3, 15], rtol=1e-14)


@pytest.mark.parametrize("c", [1.0, 0.999, 0.7, 0.0, -0.4, -1.0])
@pytest.mark.parametrize(("f", "g"), [(np.tanh, np.tanh), (np.tanh, np.cos), (np.sin, np.arctan)])
def test_it_agrees_with_a_two_dimensional_rule(f, g, c):
    q11, q22 = 0.9, 1.3
    q12 = c * np.sqrt(q11 * q22)
    names = (getattr(jnp, h.__name__) for h in (f, g))
    expected = two_dimensional(f, g, q11, q12, q22)
    # arctan has poles at ±i: its series ends at order 128 with 1e-9 at variance 1.3, tanh's at 1e-14
    tolerance = 1e-8 if g is np.arctan else 1e-12
    np.testing.assert_allclose(pair_expectation(*names, ORDER, q11, q12, q22), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("c", [1.0, 0.99, -0.3, -1.0])
def test_tanh_against_many_digits(c):
    """At correlation ±1 a single integral; elsewhere nested ones."""
    with mpmath.workdps(20):

        def density(x):
            return mpmath.exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi)

        rest = mpmath.sqrt(1 - mpmath.mpf(c) ** 2)
        # the trapezoid rule in mpmath's numbers: geometric convergence, 1e-18 at step 1/6 and 1/8 alike
        h, n = mpmath.mpf(1) / 8, 72
        nodes = [k * h for k in range(-n, n + 1)]
        rows = nodes if rest else [mpmath.mpf(0)]
        step = h if rest else 1 / density(0)
        expected = sum(
            h * step * density(x) * density(y) * mpmath.tanh(x) * mpmath.tanh(c * x + rest * y)
            for x in nodes
            for y in rows
        )
    np.testing.assert_allclose(pair_expectation(jnp.tanh, jnp.tanh, ORDER, 1.0, c, 1.0), float(expected), atol=1e-14)


@pytest.mark.parametrize("name", ["erf", "gelu", "sine", "cosine"])
@pytest.mark.parametrize("q", [(1.0, 0.3, 0.7), (2.0, -1.2, 1.0), (1.0, 1.0, 1.0), (0.5, 0.0, 0.0), (0.0, 0.0, 0.0)])
def test_it_agrees_with_closed_forms_and_their_derivatives(name, q):
    function = {
        "erf": jax.scipy.special.erf,
        "gelu": lambda x: jax.nn.gelu(x, approximate=False),
        "sine": jnp.sin,
        "cosine": jnp.cos,
    }[name]
    closed = getattr(closed_forms, name)
    q = tuple(jnp.asarray(x) for x in q)

    def series(*q):
        return pair_expectation(function, function, ORDER, *q)

    np.testing.assert_allclose(series(*q), closed(*q), rtol=1e-12, atol=1e-14)
    for found, expected in zip(jax.grad(series, (0, 1, 2))(*q), jax.grad(closed, (0, 1, 2))(*q), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)
    mixed, expected = (jax.grad(jax.grad(h, argnums=1), argnums=0)(*q) for h in (series, closed))
    np.testing.assert_allclose(mixed, expected, rtol=1e-10, atol=1e-12)


def test_the_error_falls_geometrically_for_analytic_functions_and_as_a_power_at_kinks():
    q = (4.0, 3.6, 4.0)
    best = pair_expectation(jnp.tanh, jnp.tanh, 1024, *q)
    errors = [abs(float(pair_expectation(jnp.tanh, jnp.tanh, k, *q) - best)) for k in (16, 32, 64)]
    assert errors[0] > 10 * errors[1] > 500 * errors[2]

    def ramp(x):
        return jnp.maximum(x, 0.0)

    errors = [abs(float(pair_expectation(ramp, ramp, k, *q) - closed_forms.relu(*q))) for k in (32, 64, 128, 256)]
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 4.0, rtol=0.3)  # second order, no better


def test_even_and_odd_orders_meet():
    for c in (-1.0, -0.8, 0.2, 1.0):
        odd, even = (float(pair_expectation(jnp.tanh, jnp.cos, k, 1.0, c, 1.0)) for k in (65, 64))
        np.testing.assert_allclose(odd, even, atol=1e-12)
        odd, even = (float(pair_expectation(jax.nn.swish, jax.nn.swish, k, 1.0, c, 1.0)) for k in (65, 64))
        np.testing.assert_allclose(odd, even, atol=1e-12)


@given(st.floats(0.0, 5.0), st.floats(-1.0, 1.0), st.floats(0.0, 5.0))
@settings(max_examples=30, deadline=None)
def test_exchange_of_the_pair_and_mirror_images(q11, c, q22):
    q12 = c * np.sqrt(q11 * q22)
    value = pair_expectation(jnp.tanh, jax.nn.softplus, ORDER, q11, q12, q22)
    assert np.isfinite(value)
    swapped = pair_expectation(jax.nn.softplus, jnp.tanh, ORDER, q22, q12, q11)
    np.testing.assert_allclose(value, swapped, rtol=0, atol=1e-13)
    odd = pair_expectation(jnp.tanh, jnp.tanh, ORDER, q11, q12, q22)
    mirrored = pair_expectation(jnp.tanh, jnp.tanh, ORDER, q11, -q12, q22)
    np.testing.assert_allclose(odd, -mirrored, rtol=0, atol=1e-13)


def test_derivative_is_the_same_object_and_right():
    assert derivative(jnp.tanh) is derivative(jnp.tanh)
    x = jnp.linspace(-2, 2, 9)
    np.testing.assert_allclose(derivative(jnp.tanh)(x), 1 / jnp.cosh(x) ** 2, rtol=1e-13)


@pytest.mark.parametrize("order", [8, 9])
def test_all_pairs_in_numpy_agree_with_the_kernels_series(order):
    """Even and odd orders, so low that the rest at the ends counts; equal, opposite and zero inputs."""
    x = np.array([[0.6, -1.3], [0.6, -1.3], [-0.6, 1.3], [0.0, 0.0], [0.9, -0.5]])
    k, f = x @ x.T, jax.nn.swish
    sigma = Quadrature("swish", f, order)
    found = quadrature.pair_moments(Tower(sigma.derivative), PAIRS, order, k)
    variance = np.diag(k)
    for i, j in PAIRS:
        expected = pair_expectation(
            sigma.derivative(i), sigma.derivative(j), order, variance[:, None], k, variance[None, :]
        )
        # rounding of sums of `order` terms
        np.testing.assert_allclose(found[i, j], expected, atol=1e-13, err_msg=str((i, j)))
