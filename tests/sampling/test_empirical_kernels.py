"""Sampled networks against the exact kernels."""

import numpy as np
import pytest

import ntkfield as nf
from ntkfield.sampling.empirical_kernels import convergence, empirical_kernels

X = np.random.default_rng(1).normal(size=(3, 4))


def test_one_layer_is_exact_at_any_width():
    # f = sqrt(C_W / d) w x + sqrt(C_b) b is linear in its parameters: no fluctuation.
    network = nf.MLP(1, "relu", weight_variance=1.7, bias_variance=0.3)
    sampled, exact = empirical_kernels(network, X, 5, 2, seed=0), network.kernel(X)
    for k in range(2):
        np.testing.assert_allclose(sampled.nngp[k], exact.nngp, rtol=1e-12)
        np.testing.assert_allclose(sampled.ntk[k], exact.ntk, rtol=1e-12)


@pytest.mark.parametrize(
    "network",
    [
        nf.MLP(2, "erf", weight_variance=1.5, bias_variance=0.2),
        nf.MLP(2, "relu", weight_variance=1.5, bias_variance=0.2, weight_rate=1.0, bias_rate=0.0),
        nf.GroupCNN("c4", 1, "relu", filter_shape=2, padding="VALID"),
    ],
)
def test_two_layers_have_the_exact_mean_at_any_width(network):
    x = X.reshape(3, 2, 2, 1) if isinstance(network, nf.GroupCNN) else X
    n = 2000
    sampled, exact = empirical_kernels(network, x, 4, n, seed=0), network.kernel(x)
    for kind in ("nngp", "ntk"):
        draws = np.asarray(getattr(sampled, kind))
        error = draws.std(axis=0, ddof=1) / np.sqrt(n)
        assert (abs(draws.mean(axis=0) - getattr(exact, kind)) < 4 * error + 1e-12).all()


def test_few_draws_are_the_first_of_many():
    network = nf.MLP(2, "erf")
    few, many = (empirical_kernels(network, X, 3, n, seed=2) for n in (3, 20))
    np.testing.assert_allclose(few.ntk, many.ntk[:3], rtol=1e-12)
    assert not np.allclose(empirical_kernels(network, X, 3, 3, seed=3).ntk, few.ntk)


def test_fluctuations_fall_as_the_root_of_the_width():
    result = convergence(nf.MLP(2, "relu"), X, [4, 64], 600, seed=0)
    ratio = result["fluctuation"].sel(width=4) / result["fluctuation"].sel(width=64)
    np.testing.assert_allclose(ratio, 4, rtol=0.25)
    assert (abs(result["deviation"]) < 4 * result["deviation_error"]).all()
    assert (result["fluctuation_error"] < 0.1 * result["fluctuation"]).all()


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="n_networks = 2 is refused"):
        convergence(nf.MLP(2, "relu"), X, [4], 2, seed=0)
    with pytest.raises(ValueError, match=r"weight_rate = 0\.0 is refused"):
        empirical_kernels(nf.MLP(2, "relu", weight_rate=0.0), X, 4, 3, seed=0)
