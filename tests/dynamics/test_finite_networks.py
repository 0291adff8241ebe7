"""Finite networks for training against those of the bridge."""

import jax
import numpy as np
import pytest

import ntkfield as nf
from ntkfield.dynamics.ensembles import stream
from ntkfield.groups.finite import cyclic

pytestmark = pytest.mark.usefixtures("neural_tangents")

X = np.random.default_rng(0).normal(size=(3, 5, 5, 2))


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


def test_mirrored_networks_are_a_network_and_its_opposite() -> None:
    from ntkfield.dynamics.finite_networks import finite_network, mirrored

    x = X.reshape(3, -1)[:, :4]
    finite, key = finite_network(nf.MLP(3, "tanh", 1.5, 0.3), 8, (4,)), jax.random.key(1)
    pairs = mirrored(finite, copies=2)
    outputs = pairs.apply(pairs.init(key), x)
    own = finite.apply(finite.init(key), x)
    np.testing.assert_allclose(outputs, own * np.array([1, -1, 1, -1]), atol=1e-14)
    assert np.abs(own).min() > 1e-3
    assert pairs.scale(0.5) == finite.scale(0.5)  # a richness is one of each network, not of the pair


def test_averaged_networks_are_means_over_copies() -> None:
    from ntkfield.dynamics.finite_networks import averaged, finite_network

    x, ring = X[:, 0, :4, :1], cyclic(4)
    finite, key = finite_network(nf.MLP(2, "tanh", 1.5, 0.3), 8, (4,)), jax.random.key(1)
    outputs = averaged(finite, ring).apply(finite.init(key), x)
    shifted = [finite.apply(finite.init(key), np.roll(x[..., 0], k, axis=1)) for k in range(4)]
    np.testing.assert_allclose(outputs, np.mean(shifted, axis=0), atol=1e-14)
    assert np.ptp(np.stack(shifted), axis=0).max() > 0.01
