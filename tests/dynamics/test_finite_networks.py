"""Finite networks for training against those of the bridge."""

import jax
import numpy as np
import pytest

import ntkfield as nf
from ntkfield.dynamics.ensembles import stream

pytestmark = pytest.mark.usefixtures("neural_tangents")

X = np.random.default_rng(0).normal(size=(3, 5, 5, 2))


@pytest.mark.parametrize("group", ["c1", "c4"])
@pytest.mark.parametrize("padding", ["VALID", "SAME", "CIRCULAR"])
def test_patches_compute_what_the_convolution_computes(group: str, padding: str) -> None:
    from ntkfield.dynamics.finite_networks import finite_network

    network = nf.GroupCNN(group, 2, "erf", 2.0, 0.3, filter_shape=3, padding=padding, head=1)
    finite = finite_network(network, 4, X.shape[1:])
    parameters = finite.init(jax.random.key(0))
    # rounding of sums of 150 terms
    np.testing.assert_allclose(finite.apply(parameters, X), network.to_stax(4)[1](parameters, X), atol=1e-13)


def test_the_empirical_ntk_of_a_wide_mlp_is_the_exact_one() -> None:
    from ntkfield.dynamics.finite_networks import empirical_ntk, finite_network

    network, x = nf.MLP(2, "erf", 2.0, 0.2), X.reshape(3, -1)[:, :4]
    finite = finite_network(network, 20_000, (4,))
    found = empirical_ntk(finite.apply, finite.init(jax.random.key(1)), x)
    # fluctuations of a mean over 20,000 channels, of relative size 1 / 141 each: four of them
    np.testing.assert_allclose(found, network.kernel(x).ntk, atol=4 / 141 * np.max(network.kernel(x).ntk))


def test_streams_are_named_by_their_words() -> None:
    assert stream(0, 1, 2) == stream(0, 1, 2)
    assert len({stream(0, 1, 2), stream(0, 2, 1), stream(1, 1, 2), stream(0, 1, 3)}) == 4
