r"""The infinite-width layer map on covariances, elementwise in the pairs of inputs.

Source: Jacot, Gabriel and Hongler, *Neural Tangent Kernel* (2018), theorem 1, with variances and rates as in
Roberts, Yaida and Hanin (2022), sections 4.1 and 8.1.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from ntkfield.activations import Activation
from ntkfield.networks import Kernels, Scales

UNROLLED = 4  # layers whose code is repeated; behind them a loop, or deep networks would compile for long


class Pair(NamedTuple):
    """NNGP covariance of a pair of inputs, and its NTK; arrays that broadcast against each other."""

    q11: jax.Array
    q12: jax.Array
    q22: jax.Array
    ntk: jax.Array


def inputs(q11: jax.Array, q12: jax.Array, q22: jax.Array) -> Pair:
    """The pair at the input, where no parameter acts yet and the NTK is zero."""
    return Pair(q11, q12, q22, jnp.zeros_like(q12))


def dense(pair: Pair, scales: Scales) -> Pair:
    r"""A weight layer: :math:`K' = C_b + C_W K`, :math:`\Theta' = \lambda_b + \lambda_W K + C_W \Theta`."""
    return Pair(*map(scales.kernel, pair[:3]), scales.ntk(pair.q12, pair.ntk))


def activate(pair: Pair, activation: Activation) -> Pair:
    r"""An activation: :math:`K' = \langle\sigma\sigma\rangle`, :math:`\Theta' = \Theta\langle\sigma'\sigma'\rangle`."""
    q11, q12, q22, ntk = pair
    return Pair(
        activation.two_point(q11, q11, q11),
        activation.two_point(q11, q12, q22),
        activation.two_point(q22, q22, q22),
        ntk * activation.two_point_derivative(q11, q12, q22),
    )


def recursion(
    depth: int, activation: Activation, scales: Scales, q11: jax.Array, q12: jax.Array, q22: jax.Array
) -> Kernels:
    """NNGP and NTK of an MLP as functions of the inputs' inner products per dimension.

    Args:
        depth: number of weight layers.
        activation: between them.
        scales: variances and rates.
        q11: mean square of the first inputs.
        q12: mean products.
        q22: mean square of the second inputs; the three broadcast against each other.

    Returns:
        Kernels of the broadcast shape.
    """
    pair = dense(inputs(q11, q12, q22), scales)
    unrolled = min(depth - 1, UNROLLED)
    for _ in range(unrolled):
        pair = dense(activate(pair, activation), scales)
    if depth - 1 > unrolled:
        pair = jax.lax.fori_loop(unrolled, depth - 1, lambda _, p: dense(activate(p, activation), scales), pair)
    return Kernels(pair.q12, pair.ntk)
