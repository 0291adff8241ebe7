r"""Layers on images under planar point groups, in the full two-index form.

The group is made of the shifts of the image and of a point group P; a feature map on it is an array
[n, height, width, \|P\|, channels]. Filters may have any shape and support; a filter that P does not map to itself
reaches over different pixels at each of its elements.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.bridge._neural_tangents import Kernel
from ntkfield.bridge.networks import stacked
from ntkfield.bridge.steps import GroupConv, GroupPool, Layer, full_layer, mean_over_steps, stepping
from ntkfield.bridge.weights import Weights, input_shape
from ntkfield.groups.finite import PLANAR_GROUPS, point_action, point_group
from ntkfield.groups.windows import PADDINGS, margins, windows
from ntkfield.networks.base import stax_layer
from ntkfield.networks.planar import PlanarCNN


@stax_layer.register
def layers(network: PlanarCNN, width: int) -> tuple:
    """See :meth:`ntkfield.networks.Network.to_stax`."""
    if network.is_local:
        form = (network.group, width, network.filter_shape, network.padding)
        return stacked(network, width, lambda o: (PlanarLifting(*form, **o), PlanarConv(*form, **o), GroupPool()))
    group = point_group(network.group, 2, 2)
    return stacked(
        network, width, lambda o: (GlobalLifting(network.group, width, **o), GroupConv(group, width, **o), GroupPool())
    )


class Filter:
    """A filter on a patch of pixels and the point group that turns the patch.

    Args:
        group: one of :data:`~ntkfield.groups.finite.PLANAR_GROUPS`.
        filter_shape: rows and columns; both odd or both even where the group turns one into the other, and the filter
            then lies in the middle of the smallest square patch around it.
        padding: "SAME", "VALID" or "CIRCULAR".
        support: which pixels of the filter are there, bool [rows, columns]; all if None.
    """

    def __init__(
        self, group: str, filter_shape: int | Sequence[int], padding: str, support: np.ndarray | None = None
    ) -> None:
        shape = (filter_shape,) * 2 if isinstance(filter_shape, int) else tuple(filter_shape)
        if len(shape) != 2:
            raise checks.refuse("filter_shape", filter_shape, "one or two whole numbers, 1 or above")
        rows, columns = (checks.whole("filter_shape", side, 1) for side in shape)
        shape = (rows, columns)
        if padding not in PADDINGS:
            raise checks.refuse("padding", padding, f"one of {', '.join(PADDINGS)}")
        there = np.ones(shape, dtype=bool) if support is None else np.asarray(support, dtype=bool)
        if there.shape != shape or not there.any():
            raise checks.refuse("support of shape", there.shape, f"{shape}, with at least one pixel of the filter")
        self.group, self.padding = group, padding
        square = PLANAR_GROUPS[group].needs_squares
        self.patch = (max(shape), max(shape)) if square else shape
        if square and (shape[0] - shape[1]) % 2:
            raise checks.refuse("filter_shape", shape, f"sides both odd or both even, for {group} to have a centre")
        if not PLANAR_GROUPS[group].keeps_centre(shape, padding):
            raise checks.refuse("filter_shape", shape, f"odd sides with {padding} padding under {group}")
        start = [(outer - inner) // 2 for outer, inner in zip(self.patch, shape, strict=True)]
        inside = np.zeros(self.patch, dtype=bool)
        inside[start[0] : start[0] + shape[0], start[1] : start[1] + shape[1]] = there
        # Where each pixel of the filter lies on the patch once the element r has turned it [|P|, pixels].
        self.turned = point_action(group, *self.patch)[:, np.flatnonzero(inside)]
        self.products = point_group(group, 2, 2).products
        self.order, self.pixels = self.turned.shape

    def table(self, height: int, width: int, lifting: bool) -> tuple[np.ndarray, tuple[int, int, int]]:
        """Index of the input that each step reaches from each output [outputs, steps], and the outputs' sides."""
        reached, sides = windows(self.patch, self.padding, height, width)
        pixel = reached[:, self.turned]  # [position, r, s]
        if not lifting:
            element = self.products[:, None, :]  # r, s, u
            pixel = np.where(pixel[..., None] < 0, -1, pixel[..., None] * self.order + element)
        return pixel.reshape(len(reached) * self.order, -1), (*sides, self.order)

    def patches(self, x: jax.Array) -> jax.Array:
        """What the filter reaches from each pixel: [n, h', w', patch's pixels times channels] of [n, h, w, channels].

        Slices, whose derivative adds slices; that of a table of indices adds number by number.
        """
        for axis, reach in enumerate(self.patch, 1):
            ends = [(0, 0)] * x.ndim
            ends[axis] = margins(reach, self.padding)
            x = jnp.pad(x, ends, mode="wrap" if self.padding == "CIRCULAR" else "constant")
            length = x.shape[axis] - reach + 1
            steps = [jax.lax.slice_in_dim(x, i, i + length, axis=axis) for i in range(reach)]
            x = jnp.stack(steps, axis=axis + 2)
        return x.reshape(*x.shape[:3], -1)

    def convolution(self, w: jax.Array, lifting: bool) -> jax.Array:
        r"""Weights [steps, channels, out] as those of a plain convolution [rows, columns, in, \|P\| · out]."""
        channels, out = w.shape[1:]
        rows = self.rows(lifting)
        w = jnp.concatenate([w, jnp.zeros((1, channels, out), w.dtype)])  # the last row is where the filter has none
        plain = w[rows.ravel()].reshape(*rows.shape, channels, out)  # [patch, inner, r, channels, out]
        return jnp.moveaxis(plain, 2, 3).reshape(*self.patch, -1, self.order * out)

    def rows(self, lifting: bool) -> np.ndarray:
        """Which step of the filter stands at each pixel of the patch and inner element, for each element r."""
        inner = 1 if lifting else self.order
        steps = np.arange(self.pixels * inner).reshape(self.pixels, inner)
        found = np.full((self.patch[0] * self.patch[1], inner, self.order), steps.size)
        for r in range(self.order):
            column = [0] if lifting else self.products[r]
            found[self.turned[r][:, None], np.asarray(column)[None, :], r] = steps
        return found


@full_layer
def GlobalLifting(
    group: str,
    out_chan: int,
    W_std: float = 1.0,
    b_std: float | None = None,
    parameterization: str = "ntk",
    rates: tuple[float, float] | None = None,
) -> Layer:
    r"""Lifting of images to a point group by a filter over the whole image: :math:`z(r) = \sum_p \kappa(p) f(rp)`.

    Followed by :func:`~ntkfield.bridge.steps.GroupConv` on ``point_group(group, 2, 2)``. Arguments as for
    :func:`PlanarLifting`.

    Returns:
        ``(init_fn, apply_fn, kernel_fn)`` from [n, h, w, channels] to [n, \|P\|, out_chan].
    """
    weights = Weights.of(W_std, b_std, parameterization, rates)
    return stepping(lambda shape: point_action(group, *shape[1:3]), out_chan, weights)


@full_layer
def PlanarLifting(
    group: str,
    out_chan: int,
    filter_shape: int | Sequence[int],
    padding: str = "VALID",
    support: np.ndarray | None = None,
    W_std: float = 1.0,
    b_std: float | None = None,
    parameterization: str = "ntk",
    rates: tuple[float, float] | None = None,
) -> Layer:
    r"""Lifting of images to shifts and a point group: :math:`z(p, r) = \sum_s \kappa(s) f(p + rs)`.

    Source: arXiv 2406.06504, equation 11 and theorem 4.1, without an NTK of the input. Exactly equivariant.

    Args:
        group: one of :data:`~ntkfield.groups.finite.PLANAR_GROUPS`.
        out_chan: number of output channels.
        filter_shape: rows and columns of the filter, or one number for both.
        padding: "SAME" (zeros, counted in the mean over a filter), "VALID" or "CIRCULAR".
        support: which pixels of the filter are there, bool [rows, columns]; all if None.
        W_std: standard deviation of the weights.
        b_std: standard deviation of the biases; None for no bias.
        parameterization: "ntk" or "standard".
        rates: rates of weights and biases, in place of those of the parametrization.

    Returns:
        ``(init_fn, apply_fn, kernel_fn)`` from [n, h, w, channels] to [n, h', w', \|P\|, out_chan].
    """
    weights = Weights.of(W_std, b_std, parameterization, rates)
    return _planar(Filter(group, filter_shape, padding, support), out_chan, weights, lifting=True)


@full_layer
def PlanarConv(
    group: str,
    out_chan: int,
    filter_shape: int | Sequence[int],
    padding: str = "VALID",
    support: np.ndarray | None = None,
    W_std: float = 1.0,
    b_std: float | None = None,
    parameterization: str = "ntk",
    rates: tuple[float, float] | None = None,
) -> Layer:
    r"""Convolution over shifts and a point group: :math:`z(p, r) = \sum_{s,u} \kappa(s, u) f(p + rs, ru)`.

    Source: arXiv 2406.06504, equation 12 and theorem 4.2. Arguments as for :func:`PlanarLifting`.

    Returns:
        ``(init_fn, apply_fn, kernel_fn)`` from [n, h, w, \|P\|, channels] to [n, h', w', \|P\|, out_chan].
    """
    weights = Weights.of(W_std, b_std, parameterization, rates)
    return _planar(Filter(group, filter_shape, padding, support), out_chan, weights, lifting=False)


def _planar(form: Filter, out_chan: int, weights: Weights, lifting: bool) -> Layer:
    checks.whole("out_chan", out_chan, 1)
    steps = form.pixels * (1 if lifting else form.order)
    table = functools.lru_cache(maxsize=4)(functools.partial(form.table, lifting=lifting))

    def init_fn(rng: jax.Array, shape: Sequence[int]) -> tuple:
        _check(form, shape, lifting)
        sides = table(*shape[1:3])[1]
        return (shape[0], *sides, out_chan), weights.init(rng, steps, shape[-1], out_chan)

    def apply_fn(params: tuple, x: jax.Array) -> jax.Array:
        w, b = weights.scaled(params)
        # Windows times weights: faster than a convolution in double precision and with many networks' weights at once.
        patches = form.patches(x.reshape(*x.shape[:3], -1))
        z = patches @ form.convolution(w, lifting).reshape(patches.shape[-1], -1)
        return z.reshape(*patches.shape[:3], form.order, out_chan) + b

    def kernel_fn(k: Kernel) -> Kernel:
        _check(form, input_shape(k), lifting)
        places, sides = table(*input_shape(k)[1:3])
        k = weights.kernel(k, steps, lambda mat, batch: mean_over_steps(mat, batch, places, sides))
        return k.replace(channel_axis=4)

    return init_fn, apply_fn, kernel_fn


def _check(form: Filter, shape: Sequence[int], lifting: bool) -> None:
    expected = "[n, h, w, channels]" if lifting else f"[n, h, w, {form.order}, channels]"
    if len(shape) != (4 if lifting else 5) or (not lifting and shape[3] != form.order):
        raise checks.refuse("inputs of shape", tuple(shape), expected)
    if PLANAR_GROUPS[form.group].needs_squares and shape[1] != shape[2]:
        raise checks.refuse("inputs of shape", tuple(shape), f"a square image, which {form.group} maps to itself")
    if form.padding == "VALID" and (shape[1] < form.patch[0] or shape[2] < form.patch[1]):
        raise checks.refuse("inputs of shape", tuple(shape), f"at least {form.patch[0]} x {form.patch[1]} pixels")
