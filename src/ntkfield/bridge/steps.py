"""Layers whose filter takes each output through a table of inputs: groups of permutations, and images under them."""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.bridge._neural_tangents import Bool, Diagonal, Kernel, layer, requires, supports_masking
from ntkfield.bridge.weights import Weights, input_shape
from ntkfield.groups.finite import FiniteGroup

Layer = tuple[Callable, Callable, Callable]
# Covariances between all pairs of places are needed before and after.
FULL = Diagonal(input=Bool.NO, output=Bool.NO)


def full_layer(function: Callable[..., Layer]) -> Callable[..., Layer]:
    """Make a layer of neural-tangents of (init_fn, apply_fn, kernel_fn) that need all covariances and no masks."""

    @functools.wraps(function)
    def build(*args: object, **kwargs: object) -> tuple:
        init_fn, apply_fn, kernel_fn = function(*args, **kwargs)

        # A layer of one input; the annotation asks for one of any tree of them.
        @requires(batch_axis=0, channel_axis=-1, diagonal_spatial=FULL)  # pyright: ignore[reportArgumentType]
        def kernel(k: Kernel, **_: object) -> Kernel:
            return kernel_fn(k.reverse() if k.is_reversed else k)

        def apply(params: object, inputs: jax.Array, **_: object) -> jax.Array:
            return apply_fn(params, inputs)

        def mask(mask: jax.Array, input_shape: Sequence[int]) -> jax.Array:
            raise NotImplementedError(f"{function.__name__} takes no masked inputs")

        return init_fn, apply, kernel, mask

    return layer(supports_masking(remask_kernel=False)(build))


def unzipped(k: jax.Array, batch: int) -> tuple[jax.Array, tuple[int, ...]]:
    """A covariance [batch..., a, a, b, b, ...] as [batch..., places, places], and the sides (a, b, ...)."""
    first, second = range(batch, k.ndim, 2), range(batch + 1, k.ndim, 2)
    sides = tuple(k.shape[axis] for axis in first)
    places = int(np.prod(sides))
    return k.transpose(*range(batch), *first, *second).reshape(*k.shape[:batch], places, places), sides


def zipped(k: jax.Array, batch: int, sides: tuple[int, ...]) -> jax.Array:
    """The inverse of :func:`unzipped`."""
    n = len(sides)
    order = [axis for i in range(n) for axis in (batch + i, batch + n + i)]
    return k.reshape(*k.shape[:batch], *sides, *sides).transpose(*range(batch), *order)


def mean_over_steps(k: jax.Array, batch: int, table: np.ndarray, sides: tuple[int, ...]) -> jax.Array:
    """The mean over steps s of a covariance between inputs ``table[:, s]``.

    Args:
        k: covariance [batch..., a, a, ...] of the inputs.
        batch: number of batch axes.
        table: index of the input that each step reaches from each output [outputs, steps]; -1 for a zero.
        sides: the outputs' axes.
    """
    flat, _ = unzipped(k, batch)
    flat = jnp.pad(flat, [(0, 0)] * batch + [(0, 1), (0, 1)])  # index -1 finds the zeros

    def add(total: jax.Array, step: jax.Array) -> tuple[jax.Array, None]:
        return total + flat[..., step[:, None], step[None, :]], None

    zero = jnp.zeros((*k.shape[:batch], len(table), len(table)), k.dtype)
    total, _ = jax.lax.scan(add, zero, jnp.asarray(table.T))
    return zipped(total / table.shape[1], batch, sides)


@full_layer
def GroupLifting(
    group: FiniteGroup,
    out_chan: int,
    support: Sequence[int] | None = None,
    W_std: float = 1.0,
    b_std: float | None = None,
    parameterization: str = "ntk",
    rates: tuple[float, float] | None = None,
) -> Layer:
    r"""Lifting of signals on a set X to a finite group: :math:`z(g) = \sum_{s\in S} \kappa(s) f(gs)`.

    Source: arXiv 2406.06504, equation 11 and theorem 4.1.

    Args:
        group: of permutations of X.
        out_chan: number of output channels.
        support: points S that the filter reaches; all if None.
        W_std: standard deviation of the weights.
        b_std: standard deviation of the biases; None for no bias.
        parameterization: "ntk" or "standard".
        rates: rates of weights and biases, in place of those of the parametrization.

    Returns:
        ``(init_fn, apply_fn, kernel_fn)`` from [n, \|X\|, channels] to [n, \|G\|, out_chan].
    """
    points = np.arange(group.points) if support is None else np.asarray(support)
    weights = Weights.of(W_std, b_std, parameterization, rates)
    return stepping(lambda shape: group.permutations[:, points], out_chan, weights)


@full_layer
def GroupConv(
    group: FiniteGroup,
    out_chan: int,
    support: Sequence[int] | None = None,
    W_std: float = 1.0,
    b_std: float | None = None,
    parameterization: str = "ntk",
    rates: tuple[float, float] | None = None,
) -> Layer:
    r"""Convolution on a finite group: :math:`z(g) = \sum_{h\in S} \kappa(h) f(gh)`.

    Source: arXiv 2406.06504, equation 12 and theorem 4.2. Arguments as for :func:`GroupLifting`, with `support` the
    elements S (rows of the group's permutations) that the filter reaches.

    Returns:
        ``(init_fn, apply_fn, kernel_fn)`` from [n, \|G\|, channels] to [n, \|G\|, out_chan].
    """
    elements = np.arange(group.order) if support is None else np.asarray(support)
    weights = Weights.of(W_std, b_std, parameterization, rates)
    return stepping(lambda shape: group.products[:, elements], out_chan, weights)


@full_layer
def GroupPool(keep_positions: bool = False) -> Layer:
    """Mean over the group: over all axes between batch and channels, or over the last of them only.

    Args:
        keep_positions: average over the last axis (the point group of an image) and keep the positions.
    """

    def axes(ndim: int) -> tuple[int, ...]:
        return (ndim - 2,) if keep_positions else tuple(range(1, ndim - 1))

    def init_fn(rng: jax.Array, shape: Sequence[int]) -> tuple:
        return tuple(side for axis, side in enumerate(shape) if axis not in axes(len(shape))), ()

    def apply_fn(params: tuple, x: jax.Array) -> jax.Array:
        return jnp.mean(x, axes(x.ndim))

    def kernel_fn(k: Kernel) -> Kernel:
        def pool(mat: jax.Array | None, batch: int) -> jax.Array | None:
            if mat is None or not mat.ndim:
                return mat
            return jnp.mean(mat, tuple(range(mat.ndim - 2 if keep_positions else batch, mat.ndim)))

        batch = 1 if k.diagonal_batch else 2
        pooled = {"nngp": pool(k.nngp, 2), "ntk": pool(k.ntk, 2)}
        pooled |= {"cov1": pool(k.cov1, batch), "cov2": pool(k.cov2, batch)}
        return k.replace(**pooled, channel_axis=k.channel_axis - len(axes(len(input_shape(k)))))

    return init_fn, apply_fn, kernel_fn


@full_layer
def Dense(
    out_dim: int,
    W_std: float = 1.0,
    b_std: float | None = None,
    parameterization: str = "ntk",
    rates: tuple[float, float] | None = None,
    orthogonal: bool = False,
) -> Layer:
    """A dense layer on the channels as ``stax.Dense``, with rates. Arguments as for :func:`GroupLifting`.

    `orthogonal` weights are Haar-distributed, with orthonormal rows or columns times what keeps an entry's variance.
    """
    weights = dataclasses.replace(Weights.of(W_std, b_std, parameterization, rates), orthogonal=orthogonal)

    def init_fn(rng: jax.Array, shape: Sequence[int]) -> tuple:
        return (*shape[:-1], out_dim), weights.init(rng, 1, shape[-1], out_dim)

    def apply_fn(params: tuple, x: jax.Array) -> jax.Array:
        w, b = weights.scaled(params)
        return x @ w[0] + b

    return init_fn, apply_fn, lambda k: weights.kernel(k, 1, lambda mat, batch: mat)


def stepping(table: Callable[[Sequence[int]], np.ndarray], out_chan: int, weights: Weights) -> Layer:
    """A layer from [n, inputs..., channels] to [n, outputs, out_chan].

    Args:
        table: from the shape of the inputs, which of them each step reaches from each output [outputs, steps].
        out_chan: number of output channels.
        weights: variances and rates.
    """
    checks.whole("out_chan", out_chan, 1)

    def init_fn(rng: jax.Array, shape: Sequence[int]) -> tuple:
        reached = table(shape)
        if reached.max() >= np.prod(shape[1:-1]):
            raise checks.refuse("inputs of shape", tuple(shape), f"[n, {reached.max() + 1} or more, channels]")
        return (shape[0], len(reached), out_chan), weights.init(rng, reached.shape[1], shape[-1], out_chan)

    def apply_fn(params: tuple, x: jax.Array) -> jax.Array:
        w, b = weights.scaled(params)
        return jnp.einsum("ngsc,sco->ngo", x.reshape(len(x), -1, x.shape[-1])[:, table(x.shape)], w) + b

    def kernel_fn(k: Kernel) -> Kernel:
        reached = table(input_shape(k))
        sides = (len(reached),)
        k = weights.kernel(k, reached.shape[1], lambda mat, batch: mean_over_steps(mat, batch, reached, sides))
        return k.replace(channel_axis=2)

    return init_fn, apply_fn, kernel_fn
