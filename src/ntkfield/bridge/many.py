r"""Networks of finite width in a form that is fast when many of them run at once.

A convolution with other weights for every member of an ensemble is a grouped convolution, for which compilers have no
fast code on processors; here it is a product of image patches with a matrix instead, which computes the same numbers
from the same parameters as :meth:`ntkfield.networks.Network.to_stax`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from ntkfield.bridge.networks import to_stax
from ntkfield.bridge.planar import Filter
from ntkfield.bridge.weights import Weights
from ntkfield.groups.windows import windows
from ntkfield.networks import GroupCNN, Network


def many_networks(network: Network, width: int) -> tuple[Callable, Callable]:
    """The ``(init_fn, apply_fn)`` of :meth:`~ntkfield.networks.Network.to_stax`, with an apply_fn made for ``vmap``.

    Args:
        network: an :class:`~ntkfield.networks.MLP` or :class:`~ntkfield.networks.GroupCNN`.
        width: channels of every hidden layer.

    Raises:
        ValueError: naming the field, the value and what is accepted.
    """
    init_fn, apply_fn, _ = to_stax(network, width)
    if isinstance(network, GroupCNN) and network.kind == "planar" and network.is_local:
        apply_fn = _patch_apply(network, width)
    return init_fn, apply_fn


def _patch_apply(network: GroupCNN, width: int) -> Callable[[Any, jax.Array], jax.Array]:
    form = Filter(network.group, network.filter_shape, network.padding)
    scales = network.scales
    options = {
        "W_std": scales.weight_variance**0.5,
        "b_std": scales.bias_variance**0.5,
        "rates": (scales.weight_rate, scales.bias_rate),
    }
    weights = Weights.of(parameterization="ntk", **options)

    def apply(parameters: Sequence[Any], x: jax.Array) -> jax.Array:
        layers = [layer for layer in parameters if len(layer)]  # activations and pooling have none
        for k, layer in enumerate(layers[: network.depth]):
            w, b = weights.scaled(layer)
            x = network.activation(_convolution(form, w, x.reshape(*x.shape[:3], -1), k == 0) + jnp.tile(b, form.order))
        x = x.reshape(*x.shape[:3], form.order, width).mean((1, 2, 3))
        for k, layer in enumerate(layers[network.depth :]):
            w, b = weights.scaled(layer)
            x = (network.activation(x) if k else x) @ w[0] + b
        return x

    return apply


def _convolution(form: Filter, w: jax.Array, x: jax.Array, lifting: bool) -> jax.Array:
    """From [n, h, w, in] to [n, h', w', |P| · out], as patches times a matrix."""
    reached, sides = windows(form.patch, form.padding, *x.shape[1:3])
    flat = x.reshape(len(x), -1, x.shape[-1])
    flat = jnp.concatenate([flat, jnp.zeros_like(flat[:, :1])], axis=1)  # index -1, outside the image, is zero
    patches = flat[:, reached].reshape(len(x), *sides, -1)
    matrix = form.convolution(w, lifting)
    return patches @ matrix.reshape(-1, matrix.shape[-1])
