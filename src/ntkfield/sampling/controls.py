r"""Control variates: what a sampled network's kernels owe to chance at first order, whose mean is exactly zero.

Given the layers before, the means over a hidden layer's n channels scatter about known expectations at its own
covariance :math:`\hat K`, and the noise :math:`\Xi` of the backward products about a known covariance:

.. math:: c = \tfrac1n\sigma\cdot\sigma - \langle\sigma\sigma\rangle_{\hat K}, \quad
   c' = \tfrac1n\sigma'\cdot\sigma' - \langle\sigma'\sigma'\rangle_{\hat K}, \quad
   y = \tfrac1n\sum_k(\Xi_{ak}\Xi_{bk} - C_W\,\Gamma_{ab})\,\sigma'_{ak}\sigma'_{bk},

:math:`\Gamma` the products of the derivatives one layer up. Each has mean zero at any width. Carried to the output by
the infinite-width map's derivative they make up the part of :math:`\hat K - K` and :math:`\hat\Theta - \Theta` of order
:math:`1/\sqrt n`; subtracting them leaves order 1/n, so that n times the mean deviation is known as well at large n as
at small. The coefficients are constants: whatever they are, no mean changes.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from ntkfield.activations import Activation
from ntkfield.networks import Scales
from ntkfield.sampling.draws import Setting, kernel_of, share

Pair = tuple[jax.Array, jax.Array]


def limits(setting: Setting, scales: Scales, inputs: jax.Array) -> list[Pair]:
    """NNGP and NTK of every hidden layer's preactivations at infinite width, arrays [m, m]."""
    known = [(kernel_of(scales, inputs), share(scales, inputs))]
    for _ in setting.widths[1:]:
        k, theta = known[-1]
        g, slope = expectations(setting.activation, k)
        ntk = scales.bias_rate + scales.weight_rate * g + scales.weight_variance * theta * slope
        known.append((scales.bias_variance + scales.weight_variance * g, ntk))
    return known


def expectations(activation: Activation, k: jax.Array) -> Pair:
    r""":math:`\langle\sigma_a\sigma_b\rangle` and :math:`\langle\sigma'_a\sigma'_b\rangle` at covariance k, [m, m]."""
    variance = jnp.diagonal(k)
    q = jnp.broadcast_arrays(variance[:, None], k, variance[None, :])
    return activation.two_point(*q), activation.two_point_derivative(*q)


def controls(
    setting: Setting, scales: Scales, known: Sequence[Pair], layers: Sequence[dict], backward: Sequence[jax.Array]
) -> Pair:
    """What to subtract from a network's kernel and NTK at the output layer, [m, m] each, zero on average.

    Args:
        setting: activation and hidden widths.
        scales: variances and rates.
        known: as :func:`limits` gives it.
        layers: for every hidden layer the ``values`` and ``slopes`` [m, n], and the values ``before`` [m, n'].
        backward: y for every hidden layer, [m, m].
    """
    dk = dtheta = jnp.zeros_like(known[0][0])
    for (k, theta), layer in zip(known, layers, strict=True):
        expected = expectations(setting.activation, kernel_of(scales, layer["before"]))
        means = (x @ x.T / x.shape[1] for x in (layer["values"], layer["slopes"]))
        c = [mean - e for mean, e in zip(means, expected, strict=True)]
        (_, slope), moved = jax.jvp(lambda q: expectations(setting.activation, q), (k,), (dk,))
        # A kink makes the second infinite where inputs are equal: an entry without its first-order part stays unbiased.
        dg, dslope = (jnp.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0) + y for x, y in zip(moved, c, strict=True))
        dtheta = scales.weight_rate * dg + scales.weight_variance * (dtheta * slope + theta * dslope)
        dk = scales.weight_variance * dg
    return dk, dtheta + sum(y * theta for (_, theta), y in zip(known, backward, strict=True))
