r"""Initialisations at which signals neither die nor explode with depth.

A small change of an input's variance K grows per layer by :math:`\chi_\parallel = C_W\,\partial_K\langle\sigma^2\rangle
= C_W\langle\sigma\sigma''+\sigma'^2\rangle`, a small difference of two inputs by
:math:`\chi_\perp = C_W\langle\sigma'^2\rangle`. At criticality both are 1 at a fixed point
:math:`K^* = C_b + C_W\langle\sigma^2\rangle`, so :math:`\langle\sigma\sigma''\rangle_{K^*} = 0`.

Source: Roberts, Yaida and Hanin, *The Principles of Deep Learning Theory* (2022), sections 5.1 to 5.4.
"""

import functools
import itertools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import brentq

from ntkfield import checks
from ntkfield.activations import Activation, activation, differentiable

VARIANCES = np.geomspace(1e-3, 1e3, 121)  # where half-stable fixed points are looked for


class Criticality(NamedTuple):
    """A critical initialisation.

    Attributes:
        weight_variance: C_W.
        bias_variance: C_b.
        variance: the fixed point K*; None if every K is one.
        chi_parallel: growth per layer of a small change of the variance, at K*.
        chi_perp: growth per layer of a small difference of two inputs, at K*.
        kind: "scale-invariant" (all K are fixed points), "vanishing" (K* = 0, reached like 1/depth) or "half-stable"
            (K* > 0, approached from one side only).
    """

    weight_variance: float
    bias_variance: float
    variance: float | None
    chi_parallel: float
    chi_perp: float
    kind: str


class Susceptibilities(NamedTuple):
    """Growth per layer of small changes, `parallel` of the variance and `perp` of a difference of two inputs."""

    parallel: float
    perp: float


def susceptibilities(sigma: Any, weight_variance: float, variance: float) -> Susceptibilities:
    """Susceptibilities of an activation at one variance K of the preactivations.

    Args:
        sigma: the activation, as for :class:`~ntkfield.networks.MLP`.
        weight_variance: C_W.
        variance: K, 0 or above.

    Raises:
        ValueError: naming the field, the value and what is accepted.
    """
    cw, k = checks.positive("weight_variance", weight_variance), checks.non_negative("variance", variance)
    _, slopes, curved = _moments(differentiable(activation(sigma)), k)
    return Susceptibilities(cw * (slopes + curved), cw * slopes)


def critical_initialization(sigma: Any) -> Criticality:
    r"""Weight and bias variance at which both susceptibilities are 1 at a fixed point of the variance.

    Three kinds exist: scale-invariant activations; activations with :math:`\sigma(0) = 0`, whose fixed point 0 attracts
    if :math:`\sigma'''/\sigma' + \frac34(\sigma''/\sigma')^2 < 0` at 0 (tanh, sin, erf); others with
    :math:`\langle\sigma\sigma''\rangle_{K^*} = 0` at some K* > 0 (gelu, swish). Accuracy: rounding, as far as the
    activation's two-point function goes.

    Args:
        sigma: the activation, as for :class:`~ntkfield.networks.MLP`.

    Raises:
        ValueError: if the activation has no critical initialisation.
    """
    sigma = differentiable(activation(sigma))
    if _scale_invariant(sigma):
        cw = 1 / _moments(sigma, 1.0)[1]
        return Criticality(cw, 0.0, None, *susceptibilities(sigma, cw, 1.0), "scale-invariant")
    if sigma.smooth:
        at_zero = [float(sigma.derivative(i)(jnp.zeros(()))) for i in range(4)]
        if at_zero[0] == 0 and at_zero[1] != 0 and _curvature(at_zero) < 0:
            cw = 1 / at_zero[1] ** 2
            return Criticality(cw, 0.0, 0.0, *susceptibilities(sigma, cw, 0.0), "vanishing")
    for low, high in itertools.pairwise(VARIANCES):
        if _moments(sigma, low)[2] * _moments(sigma, high)[2] < 0:
            # SciPy leaves the types of rtol and of the result to be guessed from a default and a switch.
            k: Any = brentq(lambda q: _moments(sigma, q)[2], low, high, xtol=1e-14, rtol=1e-14)  # pyright: ignore[reportArgumentType]
            square, slopes, _ = _moments(sigma, k)
            if k - square / slopes >= 0:
                cw = 1 / slopes
                return Criticality(cw, k - cw * square, k, *susceptibilities(sigma, cw, k), "half-stable")
    accepted = "an activation with a critical initialisation: scale-invariant, or <sigma sigma''> = 0 at some variance"
    raise checks.refuse("activation", sigma.name, accepted)


def _curvature(derivatives: list[float]) -> float:
    _, first, second, third = derivatives
    return third / first + 0.75 * (second / first) ** 2


def _scale_invariant(sigma: Activation) -> bool:
    """Whether sigma(cx) = c sigma(x) for c > 0."""
    x = np.array([-1.7, -0.3, 0.4, 2.1])
    scaled, plain = (np.asarray(sigma(jnp.asarray(values))) for values in (3.0 * x, x))
    return bool(np.allclose(scaled, 3.0 * plain, rtol=1e-14, atol=0))


@functools.partial(jax.jit, static_argnums=0)
def _compiled(sigma: Activation, k: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    square, slopes, curved = (sigma.two_point_moment(i, j, k, k, k) for i, j in ((0, 0), (1, 1), (2, 0)))
    return square, slopes, curved


def _moments(sigma: Activation, k: float) -> tuple[float, float, float]:
    r"""Moments :math:`\langle\sigma^2\rangle, \langle\sigma'^2\rangle, \langle\sigma\sigma''\rangle` at variance k."""
    square, slopes, curved = map(float, _compiled(sigma, jnp.asarray(k, jnp.float64)))
    return square, slopes, curved
