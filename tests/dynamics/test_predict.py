"""One call from network and data to predictions."""

import jax
import numpy as np
import pytest

import ntkfield as nf
from ntkfield.activations import from_function

MLP = nf.MLP(3, "tanh", weight_variance=1.6, bias_variance=0.2)
RNG = np.random.default_rng(0)
X, QUERIES, Y = RNG.normal(size=(6, 4)), RNG.normal(size=(11, 4)), RNG.normal(size=(6, 2))
TIMES = np.array([0.0, 0.7, np.inf])


def test_the_ensemble_is_that_of_the_kernels():
    train, across, prior = MLP.kernel(X), MLP.kernel(QUERIES, X), MLP.kernel(QUERIES)
    found = nf.predict(MLP, X, Y, QUERIES, TIMES, rate=0.4, diag_reg=1e-3, covariance=True)
    mean = nf.gradient_flow(train.ntk, across.ntk, Y, TIMES, rate=0.4, diag_reg=1e-3)
    spread = nf.ensemble_covariance(
        train.nngp, across.nngp, prior.nngp, train.ntk, across.ntk, TIMES, rate=0.4, diag_reg=1e-3
    )
    assert found["mean"].dims == ("time", "query", "output")
    np.testing.assert_array_equal(found["mean"], mean)
    np.testing.assert_array_equal(found["covariance"], spread)
    # the variances of queries taken a few at a time, by another route through the same kernels
    alone = nf.predict(MLP, X, Y[:, 0], QUERIES, TIMES, rate=0.4, diag_reg=1e-3)
    assert alone["mean"].dims == alone["variance"].dims == ("time", "query")
    np.testing.assert_allclose(alone["variance"], found["variance"], atol=1e-13)  # rounding
    np.testing.assert_allclose(alone["mean"], found["mean"][..., 0], atol=1e-13)


def test_linear_regression_by_hand():
    # f = w x / sqrt(d) with w ~ N(0, 1): at the end of training least squares from w, whose mean is the ridgeless fit,
    # and whose variance is that of the part of w orthogonal to the data, for NTK and NNGP alike.
    x, queries, y = X[:3], QUERIES, Y[:3, 0]
    projection = np.eye(4) - np.linalg.pinv(x) @ x
    for kernel in ("ntk", "nngp"):
        found = nf.predict(nf.MLP(1, "relu"), x, y, queries, kernel=kernel)
        np.testing.assert_allclose(found["mean"][0], queries @ np.linalg.pinv(x) @ y, rtol=1e-10)
        expected = np.einsum("md,de,me->m", queries, projection, queries) / 4
        np.testing.assert_allclose(found["variance"][0], expected, atol=1e-12)


def test_the_posterior_is_reached_by_name():
    train, across, prior = MLP.kernel(X), MLP.kernel(QUERIES, X), MLP.kernel(QUERIES)
    mean, spread = nf.posterior(train.nngp, across.nngp, prior.nngp, Y, diag_reg=0.1)
    found = nf.predict(MLP, X, Y, QUERIES, kernel="nngp", diag_reg=0.1, covariance=True)
    np.testing.assert_array_equal(found["mean"][0], mean)
    np.testing.assert_array_equal(found["covariance"][0], spread)


def test_signals_on_the_sphere():
    signals = nf.Harmonics.from_grid(RNG.normal(size=(10, 4, 7, 2)), "gl")
    square = {"name": "polynomial", "coefficients": [0.0, 1.0, 0.5]}  # of degree 6 in the rotation: no quadrature error
    network = nf.GroupCNN("so3", 1, square, bandlimit=4, quadrature=6)
    found = nf.predict(network, signals[:4], Y[:4, 0], signals, diag_reg=1e-9)
    np.testing.assert_allclose(found["mean"][0, :4], Y[:4, 0], atol=1e-6)  # interpolation up to diag_reg
    assert (found["variance"][0, :4] < 1e-6).all()
    assert (found["variance"][0, 4:] > 1e-3).all()


def test_errors_follow_the_kernels():
    def network(order):
        return nf.MLP(2, from_function(jax.nn.softplus, order=order), weight_variance=2.0)

    coarse, fine = network(12), network(96)
    found = nf.predict(coarse, X, Y, QUERIES, [1.0, np.inf], diag_reg=1e-3, errors=True)
    true = nf.predict(fine, X, Y, QUERIES, [1.0, np.inf], diag_reg=1e-3)
    for name in ("mean", "variance"):
        error = abs(found[name] - true[name])
        assert (error > 1e-9).any()  # there is something to estimate
        assert float((error <= found[f"{name}_error"]).mean()) > 0.95


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": "gram"}, "kernel = 'gram' is refused: expected ntk or nngp"),
        ({"kernel": "nngp", "t": 3.0}, "t = 3.0 is refused: expected inf for kernel = nngp"),
        ({"y": Y[:5]}, r"y of shape = \(5, 2\) is refused"),
        ({"rate": 0.0}, "rate = 0.0 is refused"),
        ({"t": -1.0}, "t = -1.0 is refused"),
        ({"network": "mlp"}, "network = 'str' is refused: expected an ntkfield network"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ValueError, match=message):
        nf.predict(**({"network": MLP, "x": X, "y": Y, "queries": QUERIES} | options))
