r"""Networks sampled with their weights, differentiated by JAX: the plain check, and the derivatives of the NTK.

Rates enter as scales of the directions of differentiation: with :math:`\theta = \theta_0 + \sqrt\lambda\,\delta`, every
contraction :math:`\sum\lambda\,\partial_\theta\,\partial_\theta` is one over :math:`\delta` at 0. With gradients
:math:`g_u` of the outputs u = (channel, input) and the forward-mode products :math:`H_u g_w` of their Hessians,
:math:`d\hat\Theta_{012} = g_2\cdot H_0 g_1` and :math:`dd_{II}\hat\Theta_{1234} = (H_1 g_3)\cdot(H_2 g_4)`;
:math:`dd_I\hat\Theta` is a third directional derivative.
"""

import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from ntkfield.networks.base import Scales
from ntkfield.networks.haar import semi_orthogonal
from ntkfield.sampling.draws import CHANNELS, Draw, Setting, Supply, kernel_of

Parameters = list[tuple[jax.Array, jax.Array]]


def noise_size(setting: Setting, m: int, d: int) -> int:
    """Standard normal numbers that one network takes: its parameters."""
    return sum(n * (before + 1) for n, before in zip((*setting.widths, CHANNELS), setting.fans(d), strict=True))


@functools.partial(jax.jit, static_argnums=(0, 4))
def draw(setting: Setting, scales: Scales, inputs: jax.Array, noise: jax.Array, derivatives: bool = False) -> Draw:
    """Networks, one per row of `noise`; each field of the Draw with a leading axis.

    Args:
        setting: activation and hidden widths.
        scales: variances and rates.
        inputs: array [m, d], or rows as :func:`~ntkfield.sampling.draws.sampled` gives them.
        noise: independent standard normal numbers [networks, :func:`noise_size`].
        derivatives: whether to contract the derivatives of the NTK too.
    """
    return jax.vmap(lambda row: _one(setting, scales, inputs, Supply(row), derivatives))(noise)


def _one(setting: Setting, scales: Scales, inputs: jax.Array, supply: Supply, derivatives: bool) -> Draw:
    sizes = zip((*setting.widths, CHANNELS), setting.fans(inputs.shape[1]), strict=True)
    parameters = []
    for number, (n, before) in enumerate(sizes, 1):
        normal = supply.take(n, before)
        weights = semi_orthogonal(normal) if number in setting.orthogonal else normal
        weights = jnp.sqrt(scales.weight_variance) * weights
        parameters.append((weights, jnp.sqrt(scales.bias_variance) * supply.take(n, 1)))
    outputs, values = _network(setting, parameters, inputs)
    move = _moved(setting, scales, parameters, inputs)
    start = jnp.zeros(ravel_pytree(parameters)[0].size)
    gradients = jax.jacrev(move)(start)  # [c, m, parameters]
    ntk = jnp.einsum("iap,jbp->ijab", gradients, gradients)
    result = Draw(kernel_of(scales, values), ntk, outputs - parameters[-1][1])
    return result._replace(**_derivatives(move, start, gradients)) if derivatives else result


def _network(setting: Setting, parameters: Parameters, inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Outputs [c, m] and what the readout reads, the values of the last hidden layer or their mean [m, n]."""
    values = inputs
    for layer, (weights, bias) in enumerate(parameters[:-1], 1):
        values = setting.read(setting.activation(_affine(values, weights, bias)), layer)
    return _affine(values, *parameters[-1]).T, values


def _affine(values: jax.Array, weights: jax.Array, bias: jax.Array) -> jax.Array:
    return values @ weights.T / math.sqrt(values.shape[1]) + bias[:, 0]


def _moved(setting: Setting, scales: Scales, parameters: Parameters, inputs: jax.Array) -> Callable:
    """The outputs as a function of the parameters' displacement, scaled by the roots of the rates."""
    _, unravel = ravel_pytree(parameters)
    roots = jnp.sqrt(scales.weight_rate), jnp.sqrt(scales.bias_rate)

    def outputs(displacement: jax.Array) -> jax.Array:
        moved = [
            tuple(p + root * d for p, root, d in zip(layer, roots, change, strict=True))
            for layer, change in zip(parameters, unravel(displacement), strict=True)
        ]
        return _network(setting, moved, inputs)[0]

    return outputs


def _derivatives(move: Callable, start: jax.Array, gradients: jax.Array) -> dict[str, jax.Array]:
    """Contractions of the second and third derivatives; see :class:`~ntkfield.sampling.draws.Draw`."""
    c, m, _ = gradients.shape

    def along(direction: jax.Array, function: Callable) -> Callable:
        return lambda theta: jax.jvp(function, (theta,), (direction,))[1]

    directions = gradients.reshape(c * m, -1)
    hessians = jax.lax.map(lambda g: along(g, jax.jacrev(move))(start), directions)  # [u, c, m, parameters]
    hessians = hessians.reshape(c, m, c, m, -1)
    second = jnp.einsum("jbiap,kcp->iajbkc", hessians, gradients)
    crossed = jnp.einsum("kciap,ldjbp->iajbkcld", hessians, hessians)

    def third(triple: jax.Array) -> jax.Array:
        i, b, d, e = triple
        one, two, three = gradients[i, b], gradients[1 - i, d], gradients[1 - i, e]
        return along(three, along(two, along(one, move)))(start)[i]

    triples = jnp.stack(jnp.meshgrid(jnp.arange(c), *[jnp.arange(m)] * 3, indexing="ij"), axis=-1).reshape(-1, 4)
    thirds = jax.lax.map(third, triples).reshape(c, m, m, m, m)
    return {"second": second, "third": jnp.moveaxis(thirds, 4, 1), "crossed": crossed}
