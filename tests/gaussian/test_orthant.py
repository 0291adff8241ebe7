"""Four-point moments of kinked activations against exact values and independent one-dimensional integrals."""

import itertools
import math

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr

from ntkfield.activations import LeakyRelu, relu
from ntkfield.gaussian import orthant

TYPES = ("0000", "0011", "1111", "0112")


def normal(x):
    return math.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)


def moments(slope, k):
    return orthant.four_point_moments(0.5 * (1 + slope), 0.5 * (1 - slope), TYPES, jnp.asarray(k))


def smoothed(slope, order, x, width):
    """Mean of the activation's derivative at x + width y, y standard normal; order 2: the density of the kink."""
    if width == 0:
        step = np.where(x > 0, 1.0, np.where(x < 0, slope, 0.5 * (1 + slope)))
        return (x * step, step)[order]
    t = x / width
    density = np.exp(-0.5 * t**2) / math.sqrt(2 * math.pi)
    relu_mean = x * ndtr(t) + width * density
    return (slope * x + (1 - slope) * relu_mean, slope + (1 - slope) * ndtr(t), (1 - slope) * density / width)[order]


def one_factor(slope, type_, loadings, scales):
    """The moment for z_i = scales_i (loadings_i x + sqrt(1 - loadings_i^2) y_i): one integral over x."""

    def integrand(x):
        value = normal(x)
        for order, loading, scale in zip(map(int, type_), loadings, scales, strict=True):
            width = scale * math.sqrt(1 - loading**2)
            value *= float(smoothed(slope, order, scale * loading * x, width))
        return value

    halves = (quad(integrand, *ends, epsabs=1e-13, epsrel=1e-12, limit=200)[0] for ends in ((-12, 0), (0, 12)))
    return sum(halves)


def test_equicorrelation_one_half_is_exact():
    k = 0.5 * (np.eye(4) + 1)
    found = moments(0.0, k)
    assert found["1111"][0, 1, 2, 3] == pytest.approx(1 / 5, rel=1e-13)
    product = quad(lambda x: normal(x) * (x * ndtr(x) + normal(x)) ** 4 / 4, -12, 12)[0]
    assert found["0000"][0, 1, 2, 3] == pytest.approx(product, rel=1e-12)


@pytest.mark.parametrize("slope", [0.0, 0.1, -0.7])
@pytest.mark.parametrize(
    "loadings",
    [
        (0.9, -0.4, 0.7, 0.2),  # rank 4
        (1.0, -0.6, 0.99999, 0.3),  # rank 4, nearly dependent
        (1.0, 1.0, -0.5, 0.8),  # a repeated input
        (1.0, -1.0, 0.6, 0.1),  # opposite inputs
        (1.0, 1.0, -1.0, 0.6),
        (1.0, 1.0, 1.0, 1.0),
        (1.0, -1.0, 1.0, -1.0),
    ],
)
def test_one_factor_covariances(slope, loadings):
    # The integrals on both sides are good to 1e-12; dependence up to rounding costs half the digits: 3e-8.
    scales = np.array([0.7, 1.3, 2.0, 0.4])
    k = np.outer(loadings, loadings) * (1 - np.eye(4)) + np.eye(4)
    found = moments(slope, k * np.outer(scales, scales))
    for type_ in TYPES:
        for order in sorted(set(itertools.permutations(range(4)))):
            width_of_kink = 1 - abs(loadings[order[3]])
            if type_ == "0112" and width_of_kink == 0:
                continue  # a delta function is not smoothed by its neighbours: the next test
            expected = one_factor(slope, type_, [loadings[i] for i in order], scales[list(order)])
            size = np.prod(scales[list(order)][[i for i in range(4) if type_[i] == "0"]])
            assert abs(float(found[type_][order]) - expected) < 3e-8 * max(size, 0.1), (type_, order)


def planar(slope, type_, directions):
    """Moment in two dimensions: the radius separates, the angle is integrated between the zeros of every factor."""
    orders = [int(o) for o in type_]
    degree = sum(o == 0 for o in orders)
    radial = 2 ** (degree / 2) * math.gamma(degree / 2 + 1)
    zeros = np.sort(
        np.concatenate([np.arctan2(-u[0], u[1]) + np.array([0, math.pi]) for u in directions]) % (2 * math.pi)
    )
    nodes, weights = np.polynomial.legendre.leggauss(20)
    total = 0.0
    for low, high in zip(zeros, [*zeros[1:], zeros[0] + 2 * math.pi], strict=True):
        angle = 0.5 * (high - low) * nodes + 0.5 * (high + low)
        z = np.asarray(directions) @ np.stack([np.cos(angle), np.sin(angle)])
        values = [smoothed(slope, o, z[i], 0) for i, o in enumerate(orders)]
        total += np.sum(weights * np.prod(values, axis=0)) * 0.5 * (high - low)
    return radial * total / (2 * math.pi)


@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_four_inputs_in_two_dimensions(slope):
    x = np.random.default_rng(3).normal(size=(5, 2))
    x[4] = -0.5 * x[1]
    found = moments(slope, x @ x.T)
    for type_ in TYPES[:3]:
        for order in itertools.product(range(5), repeat=4):
            expected = planar(slope, type_, x[list(order)])
            # A determinant that is exactly zero is known to rounding, its root to 1e-8 of the size.
            assert float(found[type_][order]) == pytest.approx(expected, abs=1e-7), (type_, order)


def test_the_kink_at_equal_inputs_is_the_limit_of_smooth_functions():
    # sigma'' sigma'^2 = (sigma'^3)'/3 jumps by (1 - slope^3)/3 at zero; z_4 is independent.
    slope = 0.1
    found = moments(slope, np.diag([1.0, 4.0]))["0112"]
    mean = (1 - slope) / math.sqrt(2 * math.pi) * 2  # of sigma at the second input
    density = 1 / math.sqrt(2 * math.pi)
    assert float(found[1, 0, 0, 0]) == pytest.approx(density * mean * (1 - slope**3) / 3, rel=1e-13)
    assert float(found[0, 0, 0, 0]) == 0


def test_zero_vectors_and_monte_carlo():
    rng = np.random.default_rng(0)
    x = np.vstack([rng.normal(size=(3, 5)), np.zeros((1, 5))])
    found = {t: np.asarray(v) for t, v in moments(0.0, x @ x.T).items()}
    assert np.all(found["0000"][3] == 0)
    np.testing.assert_allclose(found["1111"][3, 3, 3, 3], 1 / 16)
    z = rng.normal(size=(400_000, 5)) @ x.T
    s = [np.asarray(relu()(z)), np.asarray(relu().derivative()(z))]
    for type_ in TYPES[:3]:
        a, b = (s[int(o)] for o in (type_[0], type_[2]))
        left, right = a[:, :, None] * a[:, None, :], b[:, :, None] * b[:, None, :]
        product = (left[:, :, :, None, None] * right[:, None, None, :, :])[:100_000]
        mean, error = product.mean(0), product.std(0) / math.sqrt(len(product))
        assert np.all(abs(found[type_] - mean) <= 5 * error + 1e-12)  # 81 numbers: 5 errors


def test_slope_one_is_gaussian():
    k = np.cov(np.random.default_rng(1).normal(size=(4, 6)))
    found = LeakyRelu(1.0).four_point_moments(jnp.asarray(k), ("0000", "1111"), 0)
    expected = np.einsum("ab,cd->abcd", k, k) + np.einsum("ac,bd->abcd", k, k) + np.einsum("ad,bc->abcd", k, k)
    np.testing.assert_allclose(found["0000"], expected, rtol=1e-13)
    np.testing.assert_allclose(found["1111"], 1.0, rtol=1e-15)
