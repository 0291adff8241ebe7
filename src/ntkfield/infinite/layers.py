r"""The infinite-width layer map on covariances, elementwise in the pairs of inputs.

Source: Jacot, Gabriel and Hongler, *Neural Tangent Kernel* (2018), theorem 1, with variances and rates as in
Roberts, Yaida and Hanin (2022), sections 4.1 and 8.1.
"""

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ntkfield import checks
from ntkfield.activations import Activation, Quadrature
from ntkfield.networks.base import Kernels, Scales

SERIES_RTOL = 1e-3
"""Error of an activation's series, relative to the kernel at equal inputs, that is passed over."""
MOST_TERMS = 512  # of a series that is tried as a remedy
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
    q11, q12, q22 = map(scales.kernel, pair[:3])
    return Pair(q11, q12, q22, scales.ntk(pair.q12, pair.ntk))


def activate(pair: Pair, activation: Activation) -> Pair:
    r"""An activation: :math:`K' = \langle\sigma\sigma\rangle`, :math:`\Theta' = \Theta\langle\sigma'\sigma'\rangle`."""
    q11, q12, q22, ntk = pair
    return Pair(
        activation.two_point(q11, q11, q11),
        activation.two_point(q11, q12, q22),
        activation.two_point(q22, q22, q22),
        ntk * activation.two_point_derivative(q11, q12, q22),
    )


def check_series(
    count: int, activation: Activation, scales: Scales, mean_squares: Callable[[Any], np.ndarray], *inputs: Any
) -> None:
    """Warn where an activation's series may lose accuracy at the variances met in a network, before any work.

    It looks at the smallest, the middle and the largest variance of each layer, one-dimensional integrals each: some
    milliseconds whatever the number of inputs. Errors of the layers add up.

    Args:
        count: number of activations.
        activation: after each weight layer but the last.
        scales: variances and rates.
        mean_squares: of such inputs, an array of any shape.
        inputs: arrays or signals. While JAX traces them their values are not known, and nothing is checked.

    Raises:
        ValueError: if the activation's mean square is infinite, or out of the quadrature's reach, at such a variance.

    Warns:
        RuntimeWarning: if the error may exceed :data:`SERIES_RTOL` of the kernel at equal inputs.
    """
    if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(inputs)):
        return
    q = np.concatenate([mean_squares(x).ravel() for x in inputs])
    if (error := _series_error(count, activation, scales, q)) <= SERIES_RTOL:
        return
    series = cast(Quadrature, activation)  # whatever errs has one
    orders = [n for n in (series.order * 2**k for k in range(1, 8)) if n <= MOST_TERMS]
    finer = (dataclasses.replace(series, order=order) for order in orders)
    enough = next((a.order for a in finer if _series_error(count, a, scales, q) <= SERIES_RTOL), None)
    remedy = f"order={enough} in from_function is" if enough else f"even {MOST_TERMS} are not"
    warnings.warn(
        f"activation {activation.name}: at this network's variances the {series.order} terms of its series may "
        f"leave the kernel off by {error:.1g} of its value at equal inputs; {remedy} enough for {SERIES_RTOL:g}",
        RuntimeWarning,
        stacklevel=2,
    )


def _series_error(count: int, activation: Activation, scales: Scales, q: np.ndarray) -> float:
    """Estimated errors of an activation's series, the largest of each layer, summed over layers."""
    q, total = np.quantile(q, [0.0, 0.5, 1.0]), 0.0
    for _ in range(count):
        q = scales.kernel(q)
        accuracy = activation.accuracy(q)
        if accuracy is None:
            return 0.0
        if np.isinf(accuracy.error).any():
            lost = q[np.isinf(accuracy.error)].min()
            accepted = f"a function with a mean square within 12 standard deviations at a variance of {lost:.3g}"
            raise checks.refuse("activation", activation.name, accepted)
        q, total = accuracy.square, total + float(accuracy.error.max())
    return total


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
