r"""Correlations of signals on the sphere at every rotation of a quadrature.

.. math:: c(R) = \langle f, \rho(R) f'\rangle = \frac1{4\pi C}\sum_{lmn}\overline{f_{lm}}\, D^l_{mn}(R)\, f'_{ln}

Two routes to the same numbers. :class:`Folded` multiplies with the matrix of all waves at all rotations, a quarter of
it, for the grid's two reflections leave every real wave as it is or change its sign: fastest where the matrix fits a
processor's cache. :class:`Separated` goes through the angles one after the other, O(Q² L² + Q³ L) operations a pair.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield.groups.so3 import folded_grid, real_orders, rotation_grid

CACHED = 2**20
"""Numbers in the matrix of a quarter of all waves and rotations, up to which :class:`Folded` is taken."""


@dataclasses.dataclass(frozen=True)
class Folded:
    """By products with the waves' values, in real arithmetic."""

    bandlimit: int
    quadrature: int

    @property
    def weights(self) -> np.ndarray:
        """Of the nodes, in the order of :meth:`at_nodes`."""
        return folded_grid(self.bandlimit, self.quadrature).weights

    def rows(self, coefficients: jax.Array) -> tuple[jax.Array, ...]:
        """What a product takes of each signal [n, L, 2L-1, c]: real coefficients [n, 2l+1, c] of each degree."""
        used = [slice(self.bandlimit - 1 - l, self.bandlimit + l) for l in range(self.bandlimit)]
        return tuple(
            jnp.real(jnp.einsum("mn,pnc->pmc", real_orders(l).astype(coefficients.dtype), coefficients[:, l, of]))
            for l, of in enumerate(used)
        )

    def at_nodes(self, left: tuple[jax.Array, ...], right: tuple[jax.Array, ...]) -> jax.Array:
        """Correlations [pairs, nodes] of signals' :meth:`rows`."""
        grid, barrier = folded_grid(self.bandlimit, self.quadrature), jax.lax.optimization_barrier
        pairs, _, channels = left[0].shape
        products = [jnp.einsum("pmc,pnc->pmn", f, g).reshape(pairs, -1) for f, g in zip(left, right, strict=True)]
        product = jnp.concatenate(products, axis=1) / (4 * np.pi * channels)
        # Left to itself, XLA would repeat each product for every use of it.
        even, first, second, both = (
            barrier(product[:, waves] @ values.astype(product.dtype)) for waves, values in zip(*grid[:2], strict=True)
        )
        sums = ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
        return jnp.concatenate([even + a * first + b * second + c * both for a, b, c in sums], axis=1)


@dataclasses.dataclass(frozen=True)
class Separated:
    """By one angle after the other, in complex arithmetic."""

    bandlimit: int
    quadrature: int

    @property
    def weights(self) -> np.ndarray:
        """Of the nodes, in the order of :meth:`at_nodes`."""
        return np.repeat(rotation_grid(self.bandlimit, self.quadrature).weights, (2 * self.quadrature - 1) ** 2)

    def rows(self, coefficients: jax.Array) -> tuple[jax.Array, ...]:
        """What a product takes of each signal: its coefficients [n, L, 2L-1, c]."""
        return (coefficients,)

    def at_nodes(self, left: tuple[jax.Array, ...], right: tuple[jax.Array, ...]) -> jax.Array:
        """Correlations [pairs, nodes] of signals' :meth:`rows`."""
        conjugate = left[0][:, :, self.bandlimit - 1 :].conj()
        return separated(self.bandlimit, self.quadrature, conjugate, right[0]).reshape(len(conjugate), -1)


Route = Folded | Separated


@functools.lru_cache(maxsize=16)
def route(bandlimit: int, quadrature: int) -> Route:
    """The route that is faster for signals of degrees l < `bandlimit` on the quadrature of a band-limit."""
    waves, nodes = bandlimit * (4 * bandlimit**2 - 1) // 3, quadrature * (2 * quadrature - 1) ** 2
    return (Folded if waves * nodes // 4 <= CACHED else Separated)(bandlimit, quadrature)


def separated(bandlimit: int, quadrature: int, left: jax.Array, right: jax.Array) -> jax.Array:
    r"""Correlations :math:`c(R)` of pairs of signals at every rotation of the quadrature, angle by angle.

    Args:
        bandlimit: L.
        quadrature: Q, with A = 2Q - 1.
        left: conjugate coefficients of order m >= 0 of the first signals [pairs, L, L, c].
        right: coefficients of the second signals [pairs, L, 2L-1, c].

    Returns:
        Real array [pairs, Q, A, A] over beta, gamma, alpha, of the coefficients' precision.
    """
    grid = rotation_grid(bandlimit, quadrature)
    real = left.real.dtype
    wigner, phase_alpha = grid.wigner.astype(real), grid.phase_alpha.astype(real)
    # Left to itself, XLA fuses each step into the next and repeats it for every element of the next: five times slower.
    barrier = jax.lax.optimization_barrier
    product = barrier(jnp.einsum("plmc,plnc->plmn", left, right) / (4 * np.pi * left.shape[-1]))
    fourier = barrier(sum(wigner[degree] * product[:, None, degree] for degree in range(bandlimit)))
    fourier = barrier(jnp.einsum("pbmn,ng->pbmg", fourier, grid.phase_gamma.astype(left.dtype)))
    parts = barrier(jnp.concatenate([fourier.real, fourier.imag], axis=2))
    return barrier(jnp.einsum("pbmg,ma->pbga", parts, phase_alpha))
