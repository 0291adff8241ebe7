import itertools
import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from scipy.integrate import quad

from ntkfield.gaussian import closed_forms

# Covariances (q11, q12, q22): ordinary, strong and weak correlation, unequal variances, correlation exactly 0 and ±1.
PAIRS = [
    (1.0, 0.0, 1.0),
    (1.0, 0.3, 0.7),
    (0.4, -0.5, 1.5),
    (2.0, 2.0, 2.0),
    (1.0, -2.0, 4.0),
    (1.5, 1.4999, 1.5),
    (0.01, 0.05, 4.0),
    (0.0, 0.0, 1.0),
    (1.3, 0.0, 0.0),
    (0.0, 0.0, 0.0),
]
SMOOTH = {
    "erf": (closed_forms.erf, special.erf),
    "gelu": (closed_forms.gelu, lambda x: x * special.ndtr(x)),
    "sine": (closed_forms.sine, np.sin),
    "cosine": (closed_forms.cosine, np.cos),
    "polynomial": (
        lambda *q: closed_forms.polynomial((0.5, -1.0, 0.0, 0.3, 0.2), *q),
        lambda x: 0.5 - x + 0.3 * x**3 + 0.2 * x**4,
    ),
}


def brute(f, g, q11, q12, q22, n=500, radius=13.0):
    """<f(u) g(v)> by the trapezoid rule over two independent normals that make the pair."""
    x = np.linspace(-radius, radius, n + 1)
    weights = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi) * (x[1] - x[0])
    slope = q12 / np.sqrt(q11) if q11 > 0 else 0.0
    rest = np.sqrt(max(q22 - slope**2, 0.0))
    return weights @ (f(np.sqrt(q11) * x)[:, None] * g(slope * x[:, None] + rest * x)) @ weights


def by_angle(f, g, moment, q11, q12, q22):
    """<f(u) g(v)> for positively homogeneous f, g: the radius integrates to `moment`, the angle numerically."""
    slope = q12 / np.sqrt(q11)
    rest = np.sqrt(q22 - slope**2)

    def at(angle):
        x, y = np.cos(angle), np.sin(angle)
        return moment * f(np.sqrt(q11) * x) * g(slope * x + rest * y) / (2 * np.pi)

    zero = np.arctan2(-slope, rest) % np.pi
    edges = sorted({0.0, np.pi / 2, 3 * np.pi / 2, zero, zero + np.pi, 2 * np.pi})
    return sum(quad(at, a, b, epsabs=1e-14, epsrel=1e-13)[0] for a, b in itertools.pairwise(edges))


def numpy_relu(x):
    return np.maximum(x, 0.0)


def numpy_step(x):
    return np.heaviside(x, 0.5)


@pytest.mark.parametrize("q", PAIRS)
@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_functions_against_brute_force(name, q):
    closed, function = SMOOTH[name]
    expected = brute(function, function, *q)
    # rounding of some hundred terms of the size of the second moment
    size = max(brute(lambda x: function(x) ** 2, np.ones_like, q[k], 0.0, 1.0) for k in (0, 2))
    np.testing.assert_allclose(closed(*q), expected, rtol=1e-12, atol=1e-13 * max(size, 1e-3))


@pytest.mark.parametrize("q", [q for q in PAIRS if q[0] * q[2] > 0 and q[1] ** 2 < q[0] * q[2]])
def test_relu_and_step_against_an_integral_over_angles(q):
    np.testing.assert_allclose(closed_forms.relu(*q), by_angle(numpy_relu, numpy_relu, 2.0, *q), rtol=1e-11)
    np.testing.assert_allclose(closed_forms.step(*q), by_angle(numpy_step, numpy_step, 1.0, *q), rtol=1e-11)


def test_relu_and_step_where_the_pair_degenerates():
    np.testing.assert_allclose(closed_forms.relu(2.0, 2.0, 2.0), 1.0, rtol=1e-15)
    np.testing.assert_allclose(closed_forms.relu(1.0, -2.0, 4.0), 0.0, atol=1e-16)
    np.testing.assert_allclose(closed_forms.step(2.0, 2.0, 2.0), 0.5, rtol=1e-15)
    np.testing.assert_allclose(closed_forms.step(1.0, -2.0, 4.0), 0.0, atol=1e-16)
    for q in ((0.0, 0.0, 1.0), (1.3, 0.0, 0.0), (0.0, 0.0, 0.0)):
        assert closed_forms.relu(*q) == 0
        assert closed_forms.step(*q) == 0.25


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("gap", [1e-3, 1e-7, 1e-11, 1e-13])
def test_relu_and_step_near_correlation_one(gap, sign):
    q11, q12, q22 = 1.7, sign * 1.7 * (1 - gap), 1.7
    with mpmath.workdps(40):
        angle = mpmath.acos(mpmath.mpf(q12) / mpmath.mpf(q11))
        relu = q11 * (mpmath.sin(angle) + (mpmath.pi - angle) * mpmath.cos(angle)) / (2 * mpmath.pi)
        step = (mpmath.pi - angle) / (2 * mpmath.pi)
    # q12 carries one rounding, 1e-16, which an angle feels as 1e-16 / angle, and what depends on it to the first order
    rounding = 1e-15 / float(mpmath.sqrt(2 * gap))
    np.testing.assert_allclose(closed_forms.relu(q11, q12, q22), float(relu), rtol=0, atol=1e-15)
    np.testing.assert_allclose(closed_forms.step(q11, q12, q22), float(step), rtol=0, atol=rounding)


@pytest.mark.parametrize("name", ["erf", "gelu"])
@pytest.mark.parametrize(
    "q", [(1e6, 1e6, 1e6), (1e6, -1e6, 1e6), (1e6, 9.99e5, 1e6), (1e8, 1e4, 1.0), (1e-8, 1e-8, 1e-8)]
)
def test_extreme_variances_against_many_digits(name, q):
    with mpmath.workdps(50):
        q11, q12, q22 = (mpmath.mpf(x) for x in q)
        if name == "erf":
            expected = 2 / mpmath.pi * mpmath.asin(2 * q12 / mpmath.sqrt((1 + 2 * q11) * (1 + 2 * q22)))
        else:
            d = (1 + q11) * (1 + q22) - q12**2
            even = q11 * q22 + q12**2 - q12**2 * (q11 / (1 + q11) + q22 / (1 + q22))
            expected = q12 * (mpmath.mpf(1) / 4 + mpmath.atan(q12 / mpmath.sqrt(d)) / (2 * mpmath.pi))
            expected += even / (2 * mpmath.pi * mpmath.sqrt(d))
    # the determinant 1 + 2 (q11 + q22) + 4 (...) loses q11 q22 / (q11 + q22) roundings, 1e6 of them at most here
    size = 1.0 if name == "erf" else math.sqrt(q[0] * q[2])
    np.testing.assert_allclose(getattr(closed_forms, name)(*q), float(expected), rtol=1e-9, atol=1e-12 * size)


def test_sine_and_cosine_neither_overflow_nor_cancel():
    q = 2000.0  # exp(q) is beyond floats
    np.testing.assert_allclose(closed_forms.sine(q, q, q), 0.5, rtol=1e-15)
    np.testing.assert_allclose(closed_forms.sine(q, -q, q), -0.5, rtol=1e-15)
    np.testing.assert_allclose(closed_forms.cosine(q, -q, q), 0.5, rtol=1e-15)
    assert closed_forms.sine(q, 0.0, q) == 0.0
    np.testing.assert_allclose(closed_forms.sine(1e-9, 1e-12, 1e-9), 1e-12, rtol=1e-8)


VARIANCES = st.just(0.0) | st.floats(1e-100, 50.0)  # the square of anything smaller is no longer a float

GRADIENT_POINTS = [(1.0, 0.3, 0.7), (0.4, -0.5, 1.5), (3.0, 1.0, 2.0)]


@pytest.mark.parametrize("q", GRADIENT_POINTS)
@pytest.mark.parametrize("name", ["relu", "step", *SMOOTH])
def test_gradients_against_finite_differences(name, q):
    closed = SMOOTH[name][0] if name in SMOOTH else getattr(closed_forms, name)
    found = jax.grad(closed, argnums=(0, 1, 2))(*(jnp.asarray(x) for x in q))
    h = 1e-5
    for k in range(3):
        ahead, behind = ([x + (i == k) * s * h for i, x in enumerate(q)] for s in (1, -1))
        difference = (closed(*ahead) - closed(*behind)) / (2 * h)
        # differences err by h² and by rounding over h, some 1e-10 of each
        np.testing.assert_allclose(found[k], difference, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", ["relu", "step", *SMOOTH])
@pytest.mark.parametrize("q", [(1.0, 1.0, 1.0), (1.0, -2.0, 4.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0)])
def test_gradients_are_finite_where_the_pair_degenerates(name, q):
    closed = SMOOTH[name][0] if name in SMOOTH else getattr(closed_forms, name)
    for order in (jax.grad(closed, argnums=(0, 1, 2)), jax.grad(jax.grad(closed, argnums=1), argnums=1)):
        assert np.isfinite(order(*(jnp.asarray(x) for x in q))).all()


@pytest.mark.parametrize("q", [0.3, 1.0, 7.0])
def test_gradients_at_correlation_one(q):
    """Price's theorem, one-dimensional: d/dq12 is <σ'²>, d/dq11 is <σ''σ>/2, by quadrature over one normal."""
    point = [jnp.asarray(q)] * 3
    x = np.linspace(-13, 13, 4001)
    weights = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi) * (x[1] - x[0])
    u = np.sqrt(q) * x
    density = np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi)
    gauss = 2 / np.sqrt(np.pi) * np.exp(-(u**2))
    towers = {
        "erf": (special.erf(u), gauss, -2 * u * gauss),
        "gelu": (u * special.ndtr(u), special.ndtr(u) + u * density, (2 - u**2) * density),
        "sine": (np.sin(u), np.cos(u), -np.sin(u)),
        "cosine": (np.cos(u), -np.sin(u), -np.cos(u)),
    }
    for name, (zeroth, first, second) in towers.items():
        d11, d12, d22 = jax.grad(getattr(closed_forms, name), argnums=(0, 1, 2))(*point)
        np.testing.assert_allclose(d12, weights @ first**2, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose([d11, d22], 0.5 * weights @ (second * zeroth), rtol=1e-11, atol=1e-13)
    d11, d12, d22 = jax.grad(closed_forms.relu, argnums=(0, 1, 2))(*point)
    np.testing.assert_allclose([d11, d12, d22], [0.0, 0.5, 0.0], atol=1e-15)


@given(st.floats(0.01, 100.0), st.floats(-1.0, 1.0), st.floats(0.01, 100.0), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
@settings(max_examples=50, deadline=None)
def test_relu_scales_and_step_does_not(q11, c, q22, a, b):
    """relu(a u) = a relu(u), step(a u) = step(u) for a > 0."""
    q12 = c * math.sqrt(q11 * q22)
    scaled = (a**2 * q11, a * b * q12, b**2 * q22)
    # an angle carries sqrt(rounding) where the correlation nears one, and relu's kernel only its cube
    size = math.sqrt(q11 * q22)
    np.testing.assert_allclose(
        closed_forms.relu(*scaled), a * b * closed_forms.relu(q11, q12, q22), rtol=1e-10, atol=1e-14 * a * b * size
    )
    np.testing.assert_allclose(closed_forms.step(*scaled), closed_forms.step(q11, q12, q22), atol=3e-8)


@given(VARIANCES, st.floats(-1.0, 1.0), VARIANCES)
@settings(max_examples=50, deadline=None)
def test_symmetry_cauchy_schwarz_and_parity(q11, c, q22):
    q12 = c * math.sqrt(q11 * q22)
    for name in ("relu", "step", "erf", "gelu", "sine", "cosine"):
        closed = getattr(closed_forms, name)
        value = closed(q11, q12, q22)
        np.testing.assert_allclose(value, closed(q22, q12, q11), rtol=1e-12, atol=1e-14 * max(q11, q22))
        assert value**2 <= closed(q11, q11, q11) * closed(q22, q22, q22) * (1 + 1e-9) + 1e-12
    for odd in (closed_forms.erf, closed_forms.sine):
        assert odd(q11, -q12, q22) == -odd(q11, q12, q22)
    assert closed_forms.cosine(q11, -q12, q22) == closed_forms.cosine(q11, q12, q22)


def test_arguments_broadcast():
    q11, q22 = jnp.linspace(0.5, 2, 3)[:, None], jnp.linspace(0.1, 1, 4)[None, :]
    for name in ("relu", "step", "erf", "gelu", "sine", "cosine"):
        closed = getattr(closed_forms, name)
        found = closed(q11, 0.1 * jnp.ones((3, 4)), q22)
        assert found.shape == (3, 4)
        np.testing.assert_allclose(found[2, 1], closed(q11[2, 0], 0.1, q22[0, 1]), rtol=1e-14)
    assert closed_forms.polynomial((1.0, 2.0), q11, 0.1, q22).shape == (3, 4)
    assert closed_forms.polynomial((0.0,), q11, 0.1, q22).shape == (3, 4)
