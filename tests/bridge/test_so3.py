import functools

import jax
import numpy as np
import pytest
import spherical_signals
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y

import ntkfield as nf
from ntkfield.signals.harmonics import grid

pytestmark = pytest.mark.usefixtures("neural_tangents")
# Sums of float64 products of order one in another order.
ROUNDING = 1e-11
BOTH = ("nngp", "ntk")
SQUARE = {"name": "polynomial", "coefficients": [0.3, 1.0, 0.5]}
SCALE = {"W_std": 1.2, "b_std": 0.5}


@pytest.fixture(scope="module")
def bridge(neural_tangents):
    from ntkfield import bridge

    return bridge


signals = functools.partial(spherical_signals.signals, size=1.0)


def values(f, points):
    """A signal of one channel at unit vectors [..., 3]."""
    theta, phi = np.arccos(np.clip(points[..., 2], -1, 1)), np.arctan2(points[..., 1], points[..., 0])
    total, centre = 0.0, f.bandlimit - 1
    for l in range(f.bandlimit):
        for m in range(-l, l + 1):
            total = total + f.coefficients[0, l, centre + m, 0] * sph_harm_y(l, m, theta, phi)
    return total.real


def rotations(quadrature):
    """The grid's rotations, [alpha, beta, gamma, 3, 3]."""
    beta = np.arccos(np.polynomial.legendre.leggauss(quadrature)[0])
    angle = 2 * np.pi * np.arange(2 * quadrature - 1) / (2 * quadrature - 1)
    euler = np.stack(np.meshgrid(angle, beta, angle, indexing="ij"), axis=-1)
    return Rotation.from_euler("ZYZ", euler.reshape(-1, 3)).as_matrix().reshape(*euler.shape, 3)


def cap(max_beta, count=9):
    """Rotations up to a second angle, and their weights: another quadrature than the layers', and finer."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    low = np.cos(max_beta)
    beta = np.arccos(low + (1 - low) * (nodes + 1) / 2)
    angle = 2 * np.pi * (np.arange(count) + 0.3) / count
    euler = np.stack(np.meshgrid(angle, beta, angle, indexing="ij"), axis=-1)
    weight = np.broadcast_to(weights[:, None] / 2 / count**2, euler.shape[:-1]).ravel()
    return Rotation.from_euler("ZYZ", euler.reshape(-1, 3)).as_matrix(), weight


def as_matrix(k):
    """A kernel [1, 1, a, a', b, b', g, g'] as [rotations, rotations]."""
    n = int(np.sqrt(k.size))
    return np.asarray(k)[0, 0].transpose(0, 2, 4, 1, 3, 5).reshape(n, n)


@pytest.mark.parametrize("max_beta", [np.pi, np.pi / 2, 0.4])
def test_lifting_kernel_is_the_mean_over_its_cap(bridge, max_beta):
    f, g = signals(1, 3, 1), signals(1, 3, 1, seed=1)
    layer = bridge.SphereLifting(1, 3, quadrature=4, max_beta=max_beta)
    found = as_matrix(layer[2](f.to_grid("gl"), g.to_grid("gl"), "nngp"))
    grid_points = rotations(4).reshape(-1, 3, 3)
    taps, weights = cap(max_beta)
    reached = np.einsum("gij,kj->gki", grid_points, taps[..., 2])  # g h z: all points of the cap, turned by g
    expected = np.einsum("gk,hk,k->gh", values(f, reached), values(g, reached), weights)
    np.testing.assert_allclose(found, expected, atol=ROUNDING)


@pytest.mark.parametrize("max_beta", [np.pi, np.pi / 2, 0.4])
def test_convolution_kernel_is_the_mean_over_its_cap(bridge, max_beta):
    f, g = signals(1, 3, 1), signals(1, 3, 1, seed=1)
    point = np.array([0.6, 0.0, 0.8])  # g -> f(g point) is a function on the group of the same degrees
    grid_points = rotations(3)
    layer = bridge.SO3Conv(1, 3, max_beta=max_beta)
    inputs = [values(s, grid_points @ point)[None, ..., None] for s in (f, g)]
    found = as_matrix(layer[2](*inputs, "nngp"))
    taps, weights = cap(max_beta)
    reached = np.einsum("gij,kj->gki", grid_points.reshape(-1, 3, 3), taps @ point)
    expected = np.einsum("gk,hk,k->gh", values(f, reached), values(g, reached), weights)
    np.testing.assert_allclose(found, expected, atol=ROUNDING)


@pytest.mark.parametrize("parameterization", ["ntk", "standard"])
@pytest.mark.parametrize("max_beta", [np.pi, 0.7])
def test_a_layer_and_its_kernel_are_of_one_network(bridge, parameterization, max_beta):
    """Its tangent kernel depends on no parameter, for linear layers, so it must be the kernel to rounding."""
    options = {**SCALE, "parameterization": parameterization, "max_beta": max_beta}
    rng = np.random.default_rng(2)
    cases = [
        (bridge.SphereLifting(1, 2, 3, "mw", **options), signals(2, 2, 2).to_grid("mw")),
        (bridge.SO3Conv(1, 3, **options), rng.normal(size=(2, 5, 3, 5, 2))),
    ]
    for layer, x in cases:
        out, params = layer[0](jax.random.key(0), x.shape)
        jacobian = jax.jit(jax.jacobian(lambda p, x, layer=layer: layer[1](p, x).reshape(-1)))
        left, right = (jax.tree.leaves(jacobian(params, x[i : i + 1])) for i in (0, 1))
        tangent = sum(a.reshape(75, -1) @ b.reshape(75, -1).T for a, b in zip(left, right, strict=True))
        assert tuple(out[1:]) == (5, 3, 5, 1)
        found = as_matrix(layer[2](x[:1], x[1:], "ntk"))
        np.testing.assert_allclose(found, tangent, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("head", [0, 1])
def test_full_recursion_is_the_orbit_identity_where_no_degree_is_cut(head):
    """A square doubles the degrees: 1, 2, 4 fit below the grid's band-limit 5, and then both routes are exact."""
    network = nf.GroupCNN("so3", 2, SQUARE, 1.3, 0.4, bandlimit=2, quadrature=5, head=head)
    f, g = signals(1, 2, 2).to_grid("gl"), signals(1, 2, 2, seed=1).to_grid("gl")
    layer = network.to_stax(3)
    found = jax.jit(lambda a, b: layer[2](a, b, BOTH))(f, g)
    for k, e in zip(found, network.kernel(f, g), strict=True):
        np.testing.assert_allclose(k, e, rtol=ROUNDING)


def rotated_output_error(network, f):
    init_fn, apply_fn, _ = network.to_stax(4)
    out, params = init_fn(jax.random.key(0), (1, *grid(network.bandlimit, network.sampling).shape, f.n_channels))
    assert out == (1, 1)
    before, after = (apply_fn(params, s.to_grid(network.sampling)) for s in (f, f.rotate(0.7, 1.1, -2.0)))
    return abs(float((after - before)[0, 0])) / abs(float(before[0, 0]))


def test_networks_are_invariant_to_the_band_limit_error():
    f = signals(1, 3, 2)
    square = nf.GroupCNN("so3", 1, SQUARE, bandlimit=3, quadrature=5, sampling="dh")
    assert rotated_output_error(square, f) < 1e-12
    errors = [rotated_output_error(nf.GroupCNN("so3", 2, "erf", 0.3, bandlimit=3, quadrature=q), f) for q in (3, 5, 8)]
    assert errors[2] < 0.1 * errors[1] < 0.1 * errors[0]  # measured: falls by more than ten at each step


def test_the_kernel_converges_to_the_orbit_identity():
    f, g = signals(1, 2, 2).to_grid("gl"), signals(1, 2, 2, seed=1).to_grid("gl")
    errors = []
    for quadrature in (2, 4):
        network = nf.GroupCNN("so3", 2, "erf", bandlimit=2, quadrature=quadrature)
        exact = nf.GroupCNN("so3", 2, "erf", bandlimit=2, quadrature=10).kernel(f, g).ntk
        layer = network.to_stax(1)
        errors.append(abs(float((jax.jit(lambda a, b, layer=layer: layer[2](a, b, "ntk"))(f, g) - exact)[0, 0])))
    assert errors[1] < 0.1 * errors[0]


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda b: b.SO3Conv(1, 3, max_beta=4.0), "at most pi"),
        (lambda b: b.SO3Conv(1, 3, max_beta=0.0), "max_beta"),
        (lambda b: b.SphereLifting(1, 4, quadrature=3), "quadrature"),
        (lambda b: b.SphereLifting(1, 4)[0](jax.random.key(0), (1, 3, 7, 1)), "4, 7, channels"),
        (lambda b: b.SO3Pool(3)[0](jax.random.key(0), (1, 5, 3, 4, 1)), "5, 3, 5, channels"),
    ],
)
def test_bad_arguments_are_refused(bridge, make, complaint):
    with pytest.raises(ValueError, match=complaint):
        make(bridge)
