r"""Kernels of convolutional networks on images, by the orbit identity for the point groups.

A filter that a point group G maps to itself makes the group part of every convolution the identity on the kernel:

.. math:: \Theta^{G}(f, f') = \frac{1}{|G|}\sum_{g\in G} \Theta^{c1}\big(f, \rho(g) f'\big),

one plain convolutional kernel for each element. Source: arXiv 2406.06504, section 4, reduced by the identity.

The plain kernel is a function of two pixels p, p'. A convolution sums it over steps that both pixels take together, so
their displacement p' - p stays what it is through all layers, and the activation acts on each pair of pixels alone.
The pairs of pixels whose rows differ by d (modulo the height) are therefore one tile, an array [height, width, width]
that goes through the whole network by itself; in it a filter of k × l pixels is k + l shifted additions. The mean over
tiles is the pooled kernel. Memory is a few such arrays, 0.26 MB each for 32 × 32 pixels, and nothing is approximate.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.activations import Activation
from ntkfield.checks import Array
from ntkfield.groups.finite import PLANAR_GROUPS, FiniteGroup, point_group
from ntkfield.groups.windows import margins, windows
from ntkfield.infinite import augmented, finite_group, layers, pairs
from ntkfield.infinite.buckets import pad, power
from ntkfield.networks.base import Kernels, Scales, infinite_kernel
from ntkfield.networks.mlp import MLP
from ntkfield.networks.planar import PlanarCNN
from ntkfield.progress import track


def _filters(network: PlanarCNN) -> tuple[tuple[int, int], str]:
    """Rows and columns of a network's local filters, and the padding."""
    assert isinstance(network.filter_shape, tuple)  # settled, where filters are local
    assert network.padding is not None
    return network.filter_shape, network.padding


def images(network: PlanarCNN, field: str, x: Any) -> np.ndarray:
    """Images [n, height, width, channels] that the network takes, checked."""
    x = checks.array(field, x, "n, height, width, channels")
    if PLANAR_GROUPS[network.group].needs_squares and x.shape[1] != x.shape[2]:
        raise checks.refuse(f"{field} of shape", x.shape, f"square images, which {network.group} maps to themselves")
    if network.padding == "VALID":
        reach = [network.depth * (side - 1) + 1 for side in _filters(network)[0]]
        if x.shape[1] < reach[0] or x.shape[2] < reach[1]:
            accepted = f"at least {reach[0]} x {reach[1]} pixels for {network.depth} convolutions with VALID padding"
            raise checks.refuse(f"{field} of shape", x.shape, accepted)
    return x


@infinite_kernel.register
def kernel(network: PlanarCNN, x1: Any, x2: Any = None) -> Kernels:
    """NNGP and NTK between images [n, height, width, channels]."""
    a = images(network, "x1", x1)
    b = None if x2 is None else images(network, "x2", x2)
    if b is not None and a.shape[1:] != b.shape[1:]:
        raise checks.refuse("x2 of shape", b.shape, f"images shaped as x1, {a.shape}")
    if network.is_local:
        return pairs.matrices(functools.partial(pair_kernels, network), a, b, network)
    group = point_group(network.group, *a.shape[1:3])
    left, right = a.reshape(len(a), group.points, -1), None if b is None else b.reshape(len(b), group.points, -1)
    return finite_group.orbit_kernel(network, group, left, right)


@augmented.copies_kernel.register
def copies_kernel(network: PlanarCNN, group: Any, x1: Any, x2: Any, grid: augmented.Grid) -> Kernels:
    """See :func:`ntkfield.infinite.augmented.augmented_kernel`."""
    a = images(network, "x1", x1)
    b = None if x2 is None else images(network, "x2", x2)
    if not isinstance(group, FiniteGroup):
        augmented.check_group(network, group)
        group = point_group(group, *a.shape[1:3])
    return augmented.turned_copies(network, group, a, b, functools.partial(_leaves_alone, network))


@augmented.mlp_copies_kernel.register(PlanarCNN)
def mlp_copies_kernel(network: MLP, group: str, x1: Any, x2: Any, grid: augmented.Grid) -> Kernels:
    """See :func:`ntkfield.infinite.augmented.augmented_kernel`."""
    ranks = {"n, height, width, channels": 4}
    return finite_group.flattened_average(network, lambda shape: point_group(group, *shape[1:3]), ranks, x1, x2)


def _leaves_alone(network: PlanarCNN, permutation: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether permuting the pixels of both images leaves the kernel as it is."""
    own = point_group(network.group, *shape[1:3])
    if not network.is_local:
        return own.normalised_by(permutation)
    return permutation in own or (own.normalised_by(permutation) and _keeps_windows(network, permutation, *shape[1:3]))


def _keeps_windows(network: PlanarCNN, permutation: np.ndarray, height: int, width: int) -> bool:
    """Whether a permutation of the pixels takes filter windows to filter windows, their pixels alike, at every layer.

    That is: for each pixel p and step s, the pixel reached from p goes to the pixel reached from where p goes, by a
    step that depends on s alone.
    """
    for _ in range(network.depth):
        reached, (height, width) = windows(*_filters(network), height, width)
        moved = np.append(permutation, -1)[reached]  # the point -1 is the padding, which stays where it is
        if network.padding == "VALID":
            found = {tuple(np.sort(row)): p for p, row in enumerate(reached)}
            permutation = np.array([found.get(tuple(np.sort(row)), -1) for row in moved])
            if (permutation < 0).any():
                return False
        there = reached[permutation]
        if not np.array_equal(moved[:, np.lexsort(moved)], there[:, np.lexsort(there)]):
            return False
    return True


def pair_kernels(network: PlanarCNN, a: np.ndarray, b: np.ndarray, i: np.ndarray, j: np.ndarray) -> Kernels:
    """Kernels of the pairs (a[i], b[j]) only, after pooling and readout, without the head.

    Args:
        network: with local filters.
        a: images [n1, height, width, channels].
        b: images [n2, height, width, channels].
        i: indices into `a` [pairs].
        j: indices into `b` [pairs].

    Returns:
        Kernels as NumPy arrays [pairs].
    """
    n, height, width, channels = b.shape
    group = point_group(network.group, height, width)
    turned = group.orbit(b.reshape(n, height * width, channels)).reshape(-1, height, width, channels)
    i = np.repeat(i, group.order)
    j = (j[:, None] * group.order + np.arange(group.order)).ravel()
    numbers = 2 * height * width**2  # both kernels of a tile
    chunk = min(pairs.at_once(numbers), power(len(i)))
    squares = functools.partial(_mean_squares, network)
    layers.check_series(network.depth, network.activation, network.scales, squares, a, b)
    static = (network.depth, network.activation, *_filters(network))
    parts = [
        _pairs(*static, network.scales, *(pad(x[k[start : start + chunk]], chunk) for x, k in ((a, i), (turned, j))))
        for start in track(range(0, len(i), chunk), f"planar kernels of {len(i)} pairs")
    ]
    return Kernels(*(k.reshape(-1, group.order).mean(axis=1) for k in pairs.joined(parts, len(i))))


def _mean_squares(network: PlanarCNN, x: np.ndarray) -> np.ndarray:
    """What each filter of the first layer sees of the squared images, zeros of the padding included."""
    reached, _ = windows(*_filters(network), *x.shape[1:3])
    squares = np.mean(x**2, axis=-1).reshape(len(x), -1)
    return np.pad(squares, ((0, 0), (0, 1)))[:, reached].mean(axis=2)  # the point -1 is the padding


@functools.partial(jax.jit, static_argnums=(0, 1, 2, 3))
def _pairs(
    depth: int,
    activation: Activation,
    filter_shape: tuple[int, int],
    padding: str,
    scales: Scales,
    f: jax.Array,
    g: jax.Array,
) -> Kernels:
    """Kernels [pairs] of the plain network between images [pairs, height, width, channels]."""
    return jax.vmap(functools.partial(_plain, depth, activation, filter_shape, padding, scales))(f, g)


def _plain(
    depth: int,
    activation: Activation,
    filter_shape: tuple[int, int],
    padding: str,
    scales: Scales,
    f: jax.Array,
    g: jax.Array,
) -> Kernels:
    """Kernels (scalars) of the plain network between two images [height, width, channels]."""
    height, width, channels = f.shape
    rows, columns = (_Line(side, reach, padding) for side, reach in zip((height, width), filter_shape, strict=True))
    shifted = (np.arange(width)[:, None] + np.arange(width)) % width
    variance1 = _variances(depth, activation, rows, columns, scales, jnp.mean(f**2, axis=-1))
    # Columns of the second image next to those of the first: [row', displacement of columns, column].
    variance2 = [v[:, shifted] for v in _variances(depth, activation, rows, columns, scales, jnp.mean(g**2, axis=-1))]
    spread = g[:, shifted]

    def tile(total: Kernels, shift: jax.Array) -> tuple[Kernels, None]:
        row2 = (jnp.arange(height) + shift) % height
        other = spread[row2]
        q12 = jnp.asarray(sum(f[:, None, :, c] * other[..., c] for c in range(channels))) / channels
        pair = layers.inputs(variance1[0], q12, variance2[0])
        for v1, v2 in zip(variance1, variance2, strict=True):
            q12, ntk = (columns.mean(rows.mean(k, 0, shift), 2) for k in (pair.q12, pair.ntk))
            # The variances are those that `_variances` found; what `dense` makes of them here is dropped.
            pair = layers.dense(pair._replace(q12=q12, ntk=ntk), scales)._replace(q11=v1[:, None, :], q22=v2[row2])
            pair = layers.activate(pair, activation)
        left_over = rows.kept(depth, shift)[:, None, None] & columns.kept(depth)
        sums = (jnp.sum(jnp.where(left_over, k, 0.0)) for k in (pair.q12, pair.ntk))
        return Kernels(*(old + new for old, new in zip(total, sums, strict=True))), None

    total, _ = jax.lax.scan(tile, Kernels(jnp.zeros(()), jnp.zeros(())), jnp.arange(height))
    count = (rows.length(depth) * columns.length(depth)) ** 2
    nngp, ntk = (jnp.asarray(k) / count for k in total)
    pooled = layers.Pair(jnp.zeros(()), nngp, jnp.zeros(()), ntk)
    readout = layers.dense(pooled, scales)
    return Kernels(readout.q12, readout.ntk)


def _variances(
    depth: int, activation: Activation, rows: "_Line", columns: "_Line", scales: Scales, q: jax.Array
) -> list[jax.Array]:
    """Variance of every pixel before each activation, [height, width] for each layer."""
    found = []
    for _ in range(depth):
        q = scales.kernel(columns.mean(rows.mean(q, 0), 1))
        found.append(q)
        q = activation.two_point(q, q, q)
    return found


class _Line:
    """One axis of the image: how a filter moves pairs of its pixels, whose displacement is kept modulo the side."""

    def __init__(self, side: int, reach: int, padding: str) -> None:
        self.side, self.reach, self.padding = side, reach, padding
        self.before, _ = margins(reach, padding)

    def length(self, depth: int) -> int:
        """Number of pixels after `depth` convolutions."""
        return self.side - depth * (self.reach - 1) if self.padding == "VALID" else self.side

    def mean(self, k: jax.Array, axis: int, shift: jax.Array | None = None) -> jax.Array:
        """The mean over a filter of a function of pairs of pixels (p, p') along this line.

        Args:
            k: array with p on `axis`. For a function of one pixel alone (a variance) there is no p'.
            axis: 0 for rows, whose displacement is `shift`; the last for columns, whose displacements are the axis
                before it.
            shift: the displacement of rows; None for a function of one pixel.
        """
        pairs_of_columns = k.ndim == 3 and axis == 2
        total = 0.0
        for step in range(-self.before, self.reach - self.before):
            moved = self._moved(k, axis, step)
            if step and self.padding == "SAME":
                if pairs_of_columns:
                    moved = moved * self._inside(step, np.arange(self.side)[:, None])
                elif shift is not None:
                    moved = moved * self._inside(step, shift)[:, None, None]
            total = total + moved
        return jnp.asarray(total) / self.reach

    def kept(self, depth: int, shift: jax.Array | None = None) -> jax.Array:
        """Which pairs of pixels are there after `depth` convolutions: [side] for a shift, [shifts, side] for all."""
        p = jnp.arange(self.side)
        second = (p + (p[:, None] if shift is None else shift)) % self.side
        return (p < self.length(depth)) & (second < self.length(depth))

    def _moved(self, k: jax.Array, axis: int, step: int) -> jax.Array:
        if self.padding == "CIRCULAR":
            return jnp.roll(k, -step, axis)
        padding = [(0, 0)] * k.ndim
        padding[axis] = (max(-step, 0), max(step, 0))
        return jax.lax.slice_in_dim(jnp.pad(k, padding), max(step, 0), max(step, 0) + self.side, axis=axis)

    def _inside(self, step: int, shift: Array) -> Array:
        """One where the second pixel stays in the image when both take the step, else zero."""
        second = (np.arange(self.side) + shift) % self.side + step
        return ((second >= 0) & (second < self.side)) * 1.0
