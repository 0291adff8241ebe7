"""Trained ensembles against exact gradient flow."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntkfield as nf
from ntkfield.dynamics.ensembles import FiniteNetwork, Task, train

RNG = np.random.default_rng(0)
X, QUERIES = RNG.normal(size=(2, 5, 3))
Y = RNG.normal(size=(5, 2))


def linear() -> FiniteNetwork:
    """Linear in its parameters: gradient flow is exact for it at any width, with NTK x.x'/3."""
    return FiniteNetwork(lambda key: jax.random.normal(key, (3, 2)), lambda w, x: x @ w / jnp.sqrt(3.0))


def test_a_linear_network_follows_the_exact_flow() -> None:
    weights = np.array([1.0, 0.5, 0.5, 1.0, 2.0])
    task = Task(*map(jnp.asarray, (X, Y, weights, np.concatenate([X, QUERIES]))))
    times = [0.0, 0.7, 3.0]
    outputs = train(linear(), task, times, step=0.01, seed=3, members=range(4), rate=0.8)
    # weights enter the flow like a kernel and targets scaled by their square roots
    root = np.sqrt(weights)[:, None]
    inputs = np.concatenate([X, QUERIES])
    for member in range(4):
        start = outputs[member, 0]
        gram, across = root * (X @ X.T / 3) * root.T, inputs @ X.T / 3 * root.T
        change = nf.gradient_flow(gram, across, root * (Y - start[:5]), times, rate=0.8)
        # global error of a fourth-order rule, (step * rate * eigenvalue)^4 / 120, below 0.06^4 / 120 = 1.1e-7
        np.testing.assert_allclose(outputs[member], start + change, atol=1.1e-7)


def test_members_depend_on_seed_and_number_only() -> None:
    task = Task(*map(jnp.asarray, (X, Y, np.ones(5), QUERIES)))
    together = train(linear(), task, [0.3], 0.1, seed=1, members=range(6))
    apart = train(linear(), task, [0.3], 0.1, seed=1, members=range(2, 5), at_once=2)
    np.testing.assert_allclose(together[2:5], apart, rtol=1e-12)  # other batch sizes, other order of sums
    assert np.abs(together[0] - together[1]).min() > 1e-6
    assert np.abs(train(linear(), task, [0.3], 0.1, seed=2, members=range(6)) - together).min() > 1e-9


@pytest.mark.parametrize("times", [[-1.0], [1.0, 1.0], [2.0, 1.0]])
def test_bad_times_are_refused(times: list[float]) -> None:
    task = Task(*map(jnp.asarray, (X, Y, np.ones(5), QUERIES)))
    with pytest.raises(ValueError, match=r"times = .* is refused: expected increasing numbers"):
        train(linear(), task, times, 0.1, seed=0, members=range(1))


def test_a_richness_scales_targets_and_outputs() -> None:
    """Against gradient flow of f = z / gamma itself, at the rate gamma^2, for a network that is not linear."""

    def apply(w: jax.Array, x: jax.Array) -> jax.Array:
        return jnp.tanh(x @ w[:3]) @ w[3:] / 4.0

    plain = FiniteNetwork(lambda key: jax.random.normal(key, (19, 16)), lambda w, x: apply(w, x)[:, :2], 16)
    scale = 0.5 * 16**0.5
    rich = FiniteNetwork(plain.init, lambda w, x: plain.apply(w, x) / scale)
    task = Task(*map(jnp.asarray, (X, Y, np.ones(5), QUERIES)))
    found = train(plain, task, [0.0, 0.4], 0.02, seed=2, members=range(3), richness=0.5)
    direct = train(rich, task, [0.0, 0.4], 0.02, seed=2, members=range(3), rate=scale**2)
    np.testing.assert_allclose(found, direct, rtol=1e-11)  # the same steps but for the order of products
    with pytest.raises(ValueError, match="width = None is refused"):
        train(rich, task, [0.4], 0.02, seed=2, members=range(1), richness=0.5)
