"""Kernels of fully connected networks."""

import functools
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.activations import Activation
from ntkfield.checks import Array
from ntkfield.infinite import atoms, layers
from ntkfield.infinite.buckets import first, padded
from ntkfield.infinite.errors import Turn
from ntkfield.networks.base import Kernels, Scales, infinite_kernel
from ntkfield.networks.mlp import MLP

if TYPE_CHECKING:
    from ntkfield.signals.harmonics import Harmonics


@infinite_kernel.register
def kernel(network: MLP, x1: Any, x2: Any = None) -> Kernels:
    """NNGP and NTK of an MLP between inputs [n1, d] and [n2, d]; see :meth:`ntkfield.networks.Network.kernel`."""
    a = checks.array("x1", x1, "n, d")
    if x2 is None:
        return gram(network, a)
    b = checks.array("x2", x2, "n, d")
    if a.shape[1] != b.shape[1]:
        raise checks.refuse("x2 of shape", b.shape, f"inputs of the same dimension as x1, {a.shape[1]}")
    layers.check_series(network.depth - 1, network.activation, network.scales, _mean_squares, a, b)
    kernels = _between(network.depth, network.activation, network.scales, *(padded(x) for x in (a, b)))
    return Kernels(*(first(k, len(a), len(b)) for k in kernels))


def gram(network: MLP, x: np.ndarray) -> Kernels:
    """Kernels of inputs [n, d] with themselves, exactly symmetric."""
    layers.check_series(network.depth - 1, network.activation, network.scales, _mean_squares, x)
    kernels = _gram(network.depth, network.activation, network.scales, padded(x))
    return Kernels(*(first(k, len(x), len(x)) for k in kernels))


@atoms.atom_pairs.register(MLP)
def _atom_pairs(
    network: MLP, a: "Harmonics", b: "Harmonics", i: np.ndarray, j: np.ndarray, sampling: str, turn: Turn | None
) -> Kernels:
    full = kernel(network, atoms.samples(a, sampling), None if a is b else atoms.samples(b, sampling))
    return Kernels(*(k[i, j] for k in full))


@atoms.atom_variances.register(MLP)
def _atom_variances(network: MLP, signals: "Harmonics", sampling: str) -> Array:
    return _mean_squares(atoms.samples(signals, sampling))


def _mean_squares(x: np.ndarray) -> np.ndarray:
    return np.mean(x**2, axis=1)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _between(depth: int, activation: Activation, scales: Scales, a: jax.Array, b: jax.Array) -> Kernels:
    q11, q22 = jnp.mean(a**2, axis=1)[:, None], jnp.mean(b**2, axis=1)[None, :]
    return layers.recursion(depth, activation, scales, q11, a @ b.T / a.shape[1], q22)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _gram(depth: int, activation: Activation, scales: Scales, x: jax.Array) -> Kernels:
    variance = jnp.mean(x**2, axis=1)
    product = x @ x.T / x.shape[1]
    # An input's product with itself must be its variance to the last bit, or it has an angle with itself.
    product = jnp.where(jnp.eye(len(x), dtype=bool), variance, 0.5 * (product + product.T))
    kernels = layers.recursion(depth, activation, scales, variance[:, None], product, variance[None, :])
    return Kernels(*(0.5 * (k + k.T) for k in kernels))
