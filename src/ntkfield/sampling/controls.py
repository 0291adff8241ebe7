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
from typing import NamedTuple

import jax
import jax.numpy as jnp

from ntkfield.activations import Activation
from ntkfield.networks.base import Scales
from ntkfield.sampling.draws import Setting, kernel_of, share


class Limits(NamedTuple):
    """Infinite width, at the preactivations of all layers, hidden ones before the output.

    Attributes:
        nngp: [layer, m, m].
        ntk: [layer, m, m].
    """

    nngp: jax.Array
    ntk: jax.Array


class Response(NamedTuple):
    r"""How :math:`\langle\sigma\sigma\rangle` and :math:`\langle\sigma'\sigma'\rangle` follow their covariance.

    Attributes:
        slope: :math:`\langle\sigma'\sigma'\rangle` at infinite width, [hidden layer, m, m].
        partial: derivatives of both in the variance of a, the covariance and the variance of b,
            [2, 3, hidden layer, m, m]. A kink makes some infinite where inputs are equal: zero there, which leaves an
            entry with its leading noise, not with a bias.
    """

    slope: jax.Array
    partial: jax.Array


def limits(setting: Setting, scales: Scales, inputs: jax.Array) -> Limits:
    """NNGP and NTK of every layer's preactivations at infinite width."""

    def advance(at: Limits, _: None) -> tuple[Limits, Limits]:
        g, slope = expectations(setting.activation, *_covariances(at.nngp))
        following = Limits(scales.kernel(g), scales.ntk(g, at.ntk * slope))
        return following, following

    first = Limits(kernel_of(scales, inputs), share(scales, inputs))
    _, others = jax.lax.scan(advance, first, length=len(setting.widths))
    return Limits(*(jnp.concatenate([x[None], y]) for x, y in zip(first, others, strict=True)))


def response(setting: Setting, known: Limits) -> Response:
    """Derivatives of the two expectations at infinite width."""
    q = _covariances(known.nngp[:-1])

    def moved(slot: int) -> jax.Array:
        directions = [jnp.ones_like(x) if k == slot else jnp.zeros_like(x) for k, x in enumerate(q)]
        derivative = jax.jvp(lambda *r: expectations(setting.activation, *r), q, tuple(directions))[1]
        return jnp.nan_to_num(jnp.stack(derivative), nan=0.0, posinf=0.0, neginf=0.0)

    return Response(expectations(setting.activation, *q)[1], jnp.stack([moved(slot) for slot in range(3)], axis=1))


def expectations(activation: Activation, *q: jax.Array) -> tuple[jax.Array, jax.Array]:
    r""":math:`\langle\sigma_a\sigma_b\rangle`, :math:`\langle\sigma'_a\sigma'_b\rangle` at variances, covariance q."""
    return activation.two_point(*q), activation.two_point_derivative(*q)


def controls(
    setting: Setting,
    scales: Scales,
    known: Limits,
    follow: Response,
    layers: Sequence[dict],
    backward: Sequence[jax.Array],
) -> tuple[jax.Array, jax.Array]:
    """What to subtract from a network's kernel and NTK at the output layer, [m, m] each, zero on average.

    Args:
        setting: activation and hidden widths.
        scales: variances and rates.
        known: as :func:`limits` gives it.
        follow: as :func:`response` gives it.
        layers: for every hidden layer the ``values`` and ``slopes`` [m, n], and the values ``before`` [m, n'].
        backward: y for every hidden layer, [m, m].
    """
    own = jnp.stack([kernel_of(scales, layer["before"]) for layer in layers])
    means = (jnp.stack([x[key] @ x[key].T / x[key].shape[1] for x in layers]) for key in ("values", "slopes"))
    expected = expectations(setting.activation, *_covariances(own))  # of all layers at once: compiled once
    c = jnp.stack([mean - e for mean, e in zip(means, expected, strict=True)])
    dk = dtheta = jnp.zeros_like(known.ntk[0])
    for index in range(len(layers)):
        dg, dslope = jnp.sum(follow.partial[:, :, index] * jnp.stack(_covariances(dk)), axis=1) + c[:, index]
        moved = dtheta * follow.slope[index] + known.ntk[index] * dslope
        dtheta = scales.weight_rate * dg + scales.weight_variance * moved
        dk = scales.weight_variance * dg
    return dk, dtheta + sum(y * theta for theta, y in zip(known.ntk[:-1], backward, strict=True))


def _covariances(k: jax.Array) -> tuple[jax.Array, ...]:
    """Variance of a, covariance, and variance of b for all pairs of inputs, from [..., m, m]."""
    variance = jnp.diagonal(k, axis1=-2, axis2=-1)
    return tuple(jnp.broadcast_arrays(variance[..., :, None], k, variance[..., None, :]))
