r"""Kernels of networks that are invariant under a finite group of permutations of a set X.

For a lifting filter on :math:`S \subseteq X` and group filters on :math:`T \subseteq G`,

.. math:: K_{g,g'}(f, f') = \frac{1}{|S|}\sum_{s\in S} f(gs)\cdot f'(g's), \qquad
   K'_{g,g'} = \frac{1}{|T|}\sum_{h\in T} K_{gh,g'h},

and the activation acts on :math:`K_{g,g'}` with :math:`K_{g,g}(f,f)` and :math:`K_{g',g'}(f',f')` on the diagonal.
Source: arXiv 2406.06504, theorems 4.1 and 4.2. With S = X the first is a function of :math:`g'g^{-1}` alone, on which
the second is the identity for any T, and the pooled kernel is an orbit average of the MLP's (:func:`orbit_kernel`).
Otherwise the full recursion is taken.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.activations import Activation
from ntkfield.groups.finite import FiniteGroup
from ntkfield.infinite import augmented, layers, pairs
from ntkfield.infinite.buckets import bucket, pad, power
from ntkfield.networks.base import Kernels, Scales, infinite_kernel
from ntkfield.networks.finite_group import FiniteGroupCNN
from ntkfield.networks.group_cnn import GroupCNN
from ntkfield.networks.mlp import MLP
from ntkfield.progress import track


@infinite_kernel.register
def kernel(network: FiniteGroupCNN, x1: Any, x2: Any = None) -> Kernels:
    r"""NNGP and NTK between signals [n, \|X\|, channels]."""
    a = signals(network.group, "x1", x1)
    b = None if x2 is None else signals(network.group, "x2", x2)
    if b is not None and a.shape[1:] != b.shape[1:]:
        raise checks.refuse("x2 of shape", b.shape, f"signals shaped as x1, {a.shape}")
    if network.is_local:
        return pairs.matrices(functools.partial(pair_kernels, network), a, b, network)
    return orbit_kernel(network, network.group, a, b)


@augmented.copies_kernel.register
def copies_kernel(network: FiniteGroupCNN, group: Any, x1: Any, x2: Any, grid: augmented.Grid) -> Kernels:
    """See :func:`ntkfield.infinite.augmented.augmented_kernel`."""
    a = signals(network.group, "x1", x1)
    b = None if x2 is None else signals(network.group, "x2", x2)
    if not isinstance(group, FiniteGroup) or group.points != network.group.points:
        raise checks.refuse("group", group, f"a FiniteGroup on the network's {network.group.points} points")

    def leaves_alone(permutation: np.ndarray, shape: tuple[int, ...]) -> bool:
        return permutation in network.group or (not network.is_local and network.group.normalised_by(permutation))

    return augmented.turned_copies(network, group, a, b, leaves_alone)


@augmented.mlp_copies_kernel.register(FiniteGroupCNN)
def mlp_copies_kernel(network: MLP, group: FiniteGroup, x1: Any, x2: Any, grid: augmented.Grid) -> Kernels:
    """See :func:`ntkfield.infinite.augmented.augmented_kernel`."""
    ranks = {"n, points": 2, "n, points, channels": 3, "n, height, width, channels": 4}
    return flattened_average(network, lambda shape: group, ranks, x1, x2)


def flattened_average(
    network: MLP, acting: Callable[[tuple[int, ...]], FiniteGroup], ranks: dict[str, int], x1: Any, x2: Any
) -> Kernels:
    """Orbit average of the kernel of an MLP that reads its inputs flattened.

    Args:
        network: the MLP.
        acting: the permutations of the points of inputs of a shape [n, ...].
        ranks: how many axes inputs may have, by what they are.
        x1: inputs.
        x2: likewise; `x1` again if None.
    """
    a = _array("x1", x1, ranks)
    b = None if x2 is None else _array("x2", x2, ranks)
    group = acting(a.shape)
    if b is not None and a.shape[1:] != b.shape[1:]:
        raise checks.refuse("x2 of shape", b.shape, f"inputs shaped as x1, {a.shape}")
    points = int(np.prod(a.shape[1:3])) if a.ndim == 4 else a.shape[1]
    if points != group.points:
        raise checks.refuse("x1 of shape", a.shape, f"{group.points} points, which {group.name} permutes")
    left, right = (x.reshape(len(x), points, -1) for x in (a, a if b is None else b))
    kernels = mlp_average(network, group, left, right)
    return augmented.symmetric(kernels) if b is None else Kernels(*(jnp.asarray(k) for k in kernels))


def _array(field: str, x: Any, ranks: dict[str, int]) -> np.ndarray:
    axes = next((axes for axes, rank in ranks.items() if np.ndim(x) == rank), None)
    if axes is None:
        raise checks.refuse(f"{field} of shape", np.shape(x), f"an array {' or '.join(f'[{axes}]' for axes in ranks)}")
    return checks.array(field, x, axes)


def signals(group: FiniteGroup, field: str, x: Any) -> np.ndarray:
    r"""Signals [n, \|X\|, channels] on the points that a group permutes, checked."""
    x = checks.array(field, x, "n, points, channels")
    if x.shape[1] != group.points:
        raise checks.refuse(f"{field} of shape", x.shape, f"{group.points} points, which {group.name} permutes")
    return x


def orbit_kernel(network: GroupCNN, group: FiniteGroup, a: np.ndarray, b: np.ndarray | None) -> Kernels:
    """Kernels of a network with filters over all of X, as an orbit average; `b` None stands for `a` again.

    Args:
        network: whose ``plain`` network is an MLP.
        group: of the order summed over.
        a: signals [n1, points, channels].
        b: signals [n2, points, channels].
    """
    plain = network.plain
    assert isinstance(plain, MLP)  # filters over all of X leave no other
    pooled = mlp_average(plain, group, a, a if b is None else b)
    if b is None:
        pooled = Kernels(*(0.5 * (k + k.T) for k in pooled))
    if not network.head:
        return Kernels(*(jnp.asarray(k) for k in pooled))
    own = [[mlp_average(plain, group, f, f).nngp[0, 0] for f in x[:, None]] for x in (a, b) if x is not None]
    return pairs.after_pooling(network, pooled, np.array(own[0]), np.array(own[-1]))


def mlp_average(plain: MLP, group: FiniteGroup, a: np.ndarray, b: np.ndarray) -> Kernels:
    """Mean over the group of an MLP's kernels between signals [n1, points, channels] and turned [n2, ...], as NumPy."""
    layers.check_series(plain.depth - 1, plain.activation, plain.scales, _mean_squares, a, b)
    left, right = (np.asarray(x, dtype=np.float64) for x in (a.reshape(len(a), -1), group.orbit(b)))
    right = right.reshape(len(b), group.order, -1)
    rows = min(pairs.at_once(len(b) * group.order), bucket(len(a)))
    left = pad(left, -(-len(left) // rows) * rows)
    parts = [
        _rows(plain.depth, plain.activation, plain.scales, left[start : start + rows], right)
        for start in range(0, len(left), rows)
    ]
    return Kernels(*(np.concatenate(k)[: len(a)] for k in zip(*parts, strict=True)))


def _mean_squares(x: np.ndarray) -> np.ndarray:
    return np.mean(x**2, axis=tuple(range(1, x.ndim)))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _rows(depth: int, activation: Activation, scales: Scales, left: jax.Array, right: jax.Array) -> Kernels:
    dimension = left.shape[-1]
    q11 = jnp.mean(left**2, axis=-1)[:, None, None]
    q22 = jnp.mean(right**2, axis=-1)[None]
    q12 = jnp.einsum("ad,bgd->abg", left, right) / dimension
    kernels = layers.recursion(depth, activation, scales, q11, q12, q22)
    return Kernels(*(jnp.mean(k, axis=-1) for k in kernels))


def pair_kernels(network: FiniteGroupCNN, a: np.ndarray, b: np.ndarray, i: np.ndarray, j: np.ndarray) -> Kernels:
    """Kernels of the pairs (a[i], b[j]) only, by the full recursion, after pooling and readout, without the head.

    Args:
        network: which one.
        a: signals [n1, points, channels].
        b: signals [n2, points, channels].
        i: indices into `a` [pairs].
        j: indices into `b` [pairs].

    Returns:
        Kernels as NumPy arrays [pairs].
    """
    group = network.group
    chunk = min(pairs.at_once(group.order**2), power(len(i)))
    tables = (group.permutations[:, network.reached], group.products[:, network.steps].T)

    def squares(x: np.ndarray) -> np.ndarray:
        return np.mean(x[:, tables[0]] ** 2, axis=(2, 3))

    layers.check_series(network.depth, network.activation, network.scales, squares, a, b)
    static = (network.depth, network.activation)
    parts = [
        _pairs(
            *static, network.scales, *tables, *(pad(x[k[start : start + chunk]], chunk) for x, k in ((a, i), (b, j)))
        )
        for start in track(range(0, len(i), chunk), f"finite-group kernels of {len(i)} pairs")
    ]
    return pairs.joined(parts, len(i))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _pairs(
    depth: int,
    activation: Activation,
    scales: Scales,
    lift: jax.Array,
    steps: jax.Array,
    left: jax.Array,
    right: jax.Array,
) -> Kernels:
    """Kernels [pairs] of signals [pairs, points, channels].

    Args:
        depth: number of convolutions.
        activation: after each.
        scales: variances and rates.
        lift: points gs that the lifting filter reaches [order, reached points].
        steps: products gh that the other filters reach [reached elements, order].
        left: first signals.
        right: second signals.
    """

    def convolve(k: jax.Array, index: Any) -> jax.Array:
        total, _ = jax.lax.scan(lambda total, step: (total + k[index(step)], None), jnp.zeros_like(k), steps)
        return total / len(steps)

    def single(k: jax.Array) -> jax.Array:
        return convolve(k, lambda step: step)

    def double(k: jax.Array) -> jax.Array:
        return convolve(k, lambda step: (step[:, None], step[None, :]))

    def pooled(f: jax.Array, g: jax.Array) -> Kernels:
        f, g = (x[lift].reshape(len(lift), -1) for x in (f, g))
        q11, q22 = (jnp.mean(x**2, axis=1) for x in (f, g))
        pair = layers.inputs(q11[:, None], f @ g.T / f.shape[1], q22[None, :])
        for layer in range(depth):
            if layer:
                sides = (single(pair.q11[:, 0])[:, None], single(pair.q22[0])[None, :])
                pair = layers.Pair(sides[0], double(pair.q12), sides[1], double(pair.ntk))
            pair = layers.activate(layers.dense(pair, scales), activation)
        readout = layers.dense(layers.Pair(*(jnp.mean(k) for k in pair)), scales)
        return Kernels(readout.q12, readout.ntk)

    return jax.vmap(pooled)(left, right)
