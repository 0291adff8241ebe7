r"""Two-point functions :math:`\langle\sigma(u)\sigma(v)\rangle` that are known in closed form.

Every function takes the entries of the covariance of a centred Gaussian pair (u, v), arrays that broadcast
against each other, and returns an array of the broadcast shape. All are written through the determinant
:math:`q_{11}q_{22}-q_{12}^2` and the two-argument arctangent, so that correlation :math:`\pm1` and zero variance
need no special care.
"""

import math

import jax
import jax.numpy as jnp

from ntkfield.gaussian.angle import arctan2

# Inner products carry rounding of a few units, and the square root of it would pass for an angle: a determinant
# this small, relative to the product of the variances, is correlation +-1.
ROUNDING = 32  # units in the last place


def _determinant(q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
    product = q11 * q22
    determinant = product - q12**2
    return jnp.where(determinant > ROUNDING * jnp.finfo(jnp.result_type(product, 1.0)).eps * product, determinant, 0.0)


def _root(x: jax.Array) -> jax.Array:
    """Square root whose derivative at zero is zero instead of infinite."""
    return jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0)


@jax.custom_jvp
def relu(q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
    r"""ReLU: :math:`\frac1{2\pi}\left(\sqrt{\det} + q_{12}(\pi-\theta)\right)`, :math:`\theta` their angle.

    Source: Cho and Saul, *Kernel Methods for Deep Learning* (2009), eq. 6, n = 1.
    """
    root = jnp.sqrt(_determinant(q11, q12, q22))
    return (root + q12 * (math.pi - arctan2(root, q12))) / (2 * math.pi)


@relu.defjvp
def _relu_jvp(primals: tuple, tangents: tuple) -> tuple[jax.Array, jax.Array]:
    q11, q12, q22 = primals
    d11, d12, d22 = tangents
    root = _root(_determinant(q11, q12, q22))
    change = step(q11, q12, q22) * d12 + root * (ratio(d11, q11) + ratio(d22, q22)) / (4 * math.pi)
    return relu(q11, q12, q22), change


@jax.custom_jvp
def step(q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
    r"""Heaviside step: :math:`\frac{\pi-\theta}{2\pi}`; 1/4 where a variance vanishes (the step at 0 counts 1/2).

    Its derivative is truly infinite at correlation :math:`\pm1`; there, and at zero variance, it is given as zero.
    Source: Cho and Saul (2009), eq. 6, n = 0.
    """
    angle = arctan2(jnp.sqrt(_determinant(q11, q12, q22)), q12)
    return jnp.where(q11 * q22 > 0, (math.pi - angle) / (2 * math.pi), 0.25)


@step.defjvp
def _step_jvp(primals: tuple, tangents: tuple) -> tuple[jax.Array, jax.Array]:
    q11, q12, q22 = primals
    d11, d12, d22 = tangents
    inverse_root = ratio(1.0, _root(_determinant(q11, q12, q22)))
    change = inverse_root * (d12 - 0.5 * q12 * (ratio(d11, q11) + ratio(d22, q22))) / (2 * math.pi)
    return step(q11, q12, q22), change


def ratio(numerator: jax.Array | float, denominator: jax.Array) -> jax.Array:
    """The quotient, zero where the denominator is zero."""
    return jnp.where(denominator > 0, numerator / jnp.where(denominator > 0, denominator, 1.0), 0.0)


def erf(q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
    r"""Error function: :math:`\frac2\pi\arcsin\frac{2q_{12}}{\sqrt{(1+2q_{11})(1+2q_{22})}}`.

    Source: Williams, *Computing with infinite networks* (1996), eq. 11.
    """
    determinant = 1 + 2 * (q11 + q22) + 4 * (q11 * q22 - q12**2)
    return (2 / math.pi) * arctan2(2 * q12, jnp.sqrt(determinant))


def gelu(q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
    r"""GELU :math:`x\Phi(x)`, with :math:`D = (1+q_{11})(1+q_{22})-q_{12}^2`:

    .. math:: q_{12}\left[\tfrac14 + \tfrac1{2\pi}\arctan\tfrac{q_{12}}{\sqrt D}\right]
       + \frac{1}{2\pi\sqrt D}\left[q_{11}q_{22} + q_{12}^2
       - q_{12}^2\left(\frac{q_{11}}{1+q_{11}}+\frac{q_{22}}{1+q_{22}}\right)\right].

    Derived by Stein's lemma on :math:`\langle uv\,\Phi(u)\Phi(v)\rangle`; the same function as Tsuchida, Pearce,
    van der Heide, Roosta and Gallagher, *Avoiding kernel fixed points* (AAAI 2021).
    """
    root = jnp.sqrt(1 + q11 + q22 + (q11 * q22 - q12**2))
    even = q11 * q22 + q12**2 * (1 - q11 / (1 + q11) - q22 / (1 + q22))
    return q12 * (0.25 + arctan2(q12, root) / (2 * math.pi)) + even / (2 * math.pi * root)


def sine(q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
    r"""Sine: :math:`e^{-(q_{11}+q_{22})/2}\sinh q_{12}`, written so that it neither overflows nor cancels."""
    mean = 0.5 * (q11 + q22)
    above = jnp.where(q12 >= 0, q12, 0.0)
    below = jnp.where(q12 < 0, q12, 0.0)
    positive = -0.5 * jnp.exp(above - mean) * jnp.expm1(-2 * above)
    negative = 0.5 * jnp.exp(-below - mean) * jnp.expm1(2 * below)
    return jnp.where(q12 >= 0, positive, negative)


def cosine(q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
    r"""Cosine: :math:`e^{-(q_{11}+q_{22})/2}\cosh q_{12}`, written so that it does not overflow."""
    mean = 0.5 * (q11 + q22)
    return 0.5 * (jnp.exp(q12 - mean) + jnp.exp(-q12 - mean))


def polynomial(coefficients: tuple[float, ...], q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
    r"""Polynomial :math:`\sigma(x)=\sum_k c_k x^k`, by Isserlis' theorem.

    .. math:: \langle u^j v^k\rangle = \sum_p \frac{j!\,k!}{p!\,a!\,b!\,2^{a+b}}\; q_{12}^p q_{11}^a q_{22}^b,
       \qquad a = (j-p)/2,\; b = (k-p)/2.
    """
    total = jnp.zeros(jnp.broadcast_shapes(jnp.shape(q11), jnp.shape(q12), jnp.shape(q22)))
    for j, cj in enumerate(coefficients):
        for k, ck in enumerate(coefficients):
            if cj and ck and (j - k) % 2 == 0:
                total = total + cj * ck * _moment(j, k, q11, q12, q22)
    return total


def _moment(j: int, k: int, q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
    total: jax.Array | float = 0.0
    for p in range(j % 2, min(j, k) + 1, 2):
        a, b = (j - p) // 2, (k - p) // 2
        pairings = math.factorial(j) * math.factorial(k)
        pairings //= math.factorial(p) * math.factorial(a) * math.factorial(b) * 2 ** (a + b)
        total = total + pairings * q12**p * q11**a * q22**b
    return jnp.asarray(total)
