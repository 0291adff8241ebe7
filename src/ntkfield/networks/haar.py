"""Matrices of orthogonal weights."""

import jax
import jax.numpy as jnp


def semi_orthogonal(normal: jax.Array) -> jax.Array:
    r"""Haar-distributed matrices of orthonormal rows or columns, whichever are fewer, times :math:`\sqrt{\max(p, q)}`.

    So an entry has variance 1, also where a layer widens. The signs of R's diagonal are fixed, without which the Q of
    a QR decomposition is not Haar. Source: Mezzadri, Notices AMS 54 (2007) 592.

    Args:
        normal: independent standard normal numbers [..., p, q].

    Returns:
        Array [..., p, q].
    """
    wide = normal.shape[-2] < normal.shape[-1]
    tall = jnp.swapaxes(normal, -1, -2) if wide else normal
    q, r = jax.lax.platform_dependent(tall, cpu=_one_by_one, default=_decompose)
    q = q * jnp.where(jnp.diagonal(r, axis1=-2, axis2=-1) < 0, -1.0, 1.0)[..., None, :]
    return jnp.sqrt(max(normal.shape[-2:])) * (jnp.swapaxes(q, -1, -2) if wide else q)


def _decompose(matrices: jax.Array) -> tuple[jax.Array, jax.Array]:
    q, r = jnp.linalg.qr(matrices)
    return q, r


def _one_by_one(matrices: jax.Array) -> tuple[jax.Array, jax.Array]:
    """QR of matrices [..., p, q], one call of LAPACK for each.

    A call for many waits for tasks that it gives to the threads it runs on itself: two such calls at once, in a program
    of two threads, wait for ever (jaxlib 0.10.2).
    """
    decompose = jax.custom_batching.sequential_vmap(_decompose)
    for _ in range(matrices.ndim - 2):
        decompose = jax.vmap(decompose)
    return decompose(matrices)
