"""From kernels of listed pairs of inputs to matrices, and the layers after pooling."""

import functools
from collections.abc import Callable, Sequence, Sized
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.activations import Activation
from ntkfield.checks import Array
from ntkfield.infinite import layers
from ntkfield.infinite.buckets import first, pad, padded, room, settled
from ntkfield.networks.base import Kernels, Scales
from ntkfield.networks.group_cnn import GroupCNN

CACHE = 2**17  # numbers worked on at once on a CPU, where this is memory-bound otherwise
ARRAYS = 64  # of the numbers worked on at once, that an accelerator has room for
MEMORY = 2**33  # of an accelerator that does not tell, in bytes

# Kernels [pairs] between a[i] and b[j], called as (a, b, i, j).
PairKernels = Callable[[Any, Any, np.ndarray, np.ndarray], Kernels]


def at_once(numbers_a_pair: int) -> int:
    """How many pairs to work on at once, each of which needs so many numbers in one array.

    Raises:
        ValueError: if an accelerator's memory has no room for one.
    """
    device = jax.devices()[0]
    if device.platform == "cpu":
        return max(1, CACHE // numbers_a_pair)
    memory = (device.memory_stats() or {}).get("bytes_limit", MEMORY)
    fit = memory // (8 * ARRAYS * numbers_a_pair)
    if fit < 1:
        room = f"{memory // (8 * ARRAYS)} on a device of {memory / 2**30:.1f} GiB"
        accepted = f"at most {room}: a coarser quadrature, or CPUs"
        raise checks.refuse("numbers that one pair of inputs needs", numbers_a_pair, accepted)
    return fit


def matrices(pair_kernels: PairKernels, a: Sized, b: Sized | None, network: GroupCNN | None = None) -> Kernels:
    """Kernels [n1, n2] between all of `a` and all of `b`; of `a` with itself, each pair once, if `b` is None.

    Args:
        pair_kernels: of listed pairs, after pooling and readout.
        a: inputs that `pair_kernels` takes, of length n1.
        b: likewise, of length n2.
        network: whose head is added, if it has one.
    """
    if b is None:
        i, j = np.triu_indices(len(a))
        pooled = Kernels(*(_mirrored(k, i, j) for k in pair_kernels(a, a, i, j)))
    else:
        i, j = (index.ravel() for index in np.indices((len(a), len(b))))
        pooled = Kernels(*(k.reshape(len(a), len(b)) for k in pair_kernels(a, b, i, j)))
    if network is None or not network.head:
        return Kernels(*(jnp.asarray(k) for k in pooled))
    own = [pair_kernels(x, x, n, n).nngp for x in (a, b) if x is not None for n in [np.arange(len(x))]]
    return after_pooling(network, pooled, own[0], own[-1])


def joined(parts: Sequence[Kernels], n: int) -> Kernels:
    """Kernels of the first `n` of pairs computed in parts, as arrays [n]: NumPy's, unless JAX traces them."""
    return Kernels(*(_joined([settled(part) for part in k])[:n] for k in zip(*parts, strict=True)))


def _joined(arrays: Sequence[Any]) -> Any:
    return arrays[0].__array_namespace__().concatenate(arrays)


def after_pooling(network: GroupCNN, pooled: Kernels, own1: Array, own2: Array) -> Kernels:
    """The head: activations and weight layers that act on the group's mean.

    Args:
        network: whose ``head`` is added.
        pooled: kernels [n1, n2] after the readout.
        own1: NNGP variance of each first input after the readout [n1].
        own2: of each second input [n2].
    """
    sizes = len(own1), len(own2)
    rows, columns = map(room, sizes)
    arrays = padded(own1), padded(own2), *(pad(k, rows, columns) for k in pooled)
    kernels = _head(network.head, network.activation, network.scales, *arrays)
    return Kernels(*(first(k, *sizes) for k in kernels))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _head(
    depth: int,
    activation: Activation,
    scales: Scales,
    own1: jax.Array,
    own2: jax.Array,
    nngp: jax.Array,
    ntk: jax.Array,
) -> Kernels:
    """Kernels [n1, n2] from variances [n1], [n2] and kernels [n1, n2] after the readout."""
    pair = layers.Pair(own1[:, None], nngp, own2[None, :], ntk)
    for _ in range(depth):
        pair = layers.dense(layers.activate(pair, activation), scales)
    return Kernels(pair.q12, pair.ntk)


def _mirrored(upper: Array, i: np.ndarray, j: np.ndarray) -> Array:
    place = np.empty((i[-1] + 1,) * 2, dtype=int)
    place[i, j] = place[j, i] = np.arange(len(i))
    return upper[place]
