r"""Rotations: a quadrature over SO(3) on which correlations of spherical signals are evaluated.

Euler angles :math:`R = R_z(\alpha)R_y(\beta)R_z(\gamma)`, Wigner matrices
:math:`D^l_{mn}(R) = e^{-im\alpha} d^l_{mn}(\beta) e^{-in\gamma}`, the conventions of s2fft.
"""

import functools
from typing import NamedTuple

import numpy as np

from ntkfield import checks
from ntkfield.signals.wigner import small_wigner


class RotationGrid(NamedTuple):
    r"""A product quadrature over SO(3), with the factors of a real function's inverse Wigner transform on it.

    For Q nodes in :math:`\beta` and A in :math:`\alpha` and in :math:`\gamma`, and signals of degrees l < L:

    Attributes:
        beta: nodes in :math:`\beta` [Q].
        angles: nodes in :math:`\alpha` and in :math:`\gamma` [A].
        weights: weight of a rotation at each :math:`\beta` [Q]; their sum times A² is one.
        wigner: :math:`d^l_{mn}(\beta)` for :math:`0\le m<L`, :math:`|n|<L` [L, Q, L, 2L-1]; a real function's other
            half follows from :math:`G_{-m,-n} = \overline{G_{mn}}`.
        phase_gamma: :math:`e^{-in\gamma}` [2L-1, A].
        phase_alpha: :math:`(2-\delta_{m0})e^{-im\alpha}` as a real matrix acting on real and imaginary parts [2L, A].
    """

    beta: np.ndarray
    angles: np.ndarray
    weights: np.ndarray
    wigner: np.ndarray
    phase_gamma: np.ndarray
    phase_alpha: np.ndarray


@functools.lru_cache(maxsize=8)
def rotation_grid(bandlimit: int, quadrature: int) -> RotationGrid:
    r"""The quadrature that is exact for functions on SO(3) of degrees l < 2 ``quadrature`` - 1.

    Gauss-Legendre in :math:`\cos\beta`, the trapezoid rule in :math:`\alpha` and :math:`\gamma`.

    Args:
        bandlimit: degrees l < L of the functions evaluated on it.
        quadrature: number Q of nodes in :math:`\beta`, with 2Q - 1 in each other angle.
    """
    nodes, weights = np.polynomial.legendre.leggauss(quadrature)
    beta, count = np.arccos(nodes), 2 * quadrature - 1
    angles = 2 * np.pi * np.arange(count) / count
    wigner = small_wigner(bandlimit, beta)
    n, m = np.arange(1 - bandlimit, bandlimit), np.arange(bandlimit)
    alpha = np.where(m > 0, 2.0, 1.0)[:, None] * np.exp(-1j * np.outer(m, angles))
    return RotationGrid(
        beta=beta,
        angles=angles,
        weights=weights / 2 / count**2,
        wigner=wigner[:, :, bandlimit - 1 :, :],
        phase_gamma=np.exp(-1j * np.outer(n, angles)),
        phase_alpha=np.concatenate([np.real(alpha), -np.imag(alpha)]),
    )


@functools.lru_cache(maxsize=4)
def real_waves(bandlimit: int, quadrature: int) -> tuple[np.ndarray, np.ndarray]:
    r"""Real functions :math:`\sqrt{2l+1}\,D^l_{mn}(R)`, orthonormal on SO(3), at the identity and a quadrature's nodes.

    D are the Wigner matrices in a real basis, orthogonal ones: :math:`D(RR') = D(R)D(R')`, :math:`D(R^{-1}) = D(R)^T`.

    Args:
        bandlimit: degrees l < L.
        quadrature: that of :func:`rotation_grid`, whose rotations follow the identity, :math:`\alpha` fastest.

    Returns:
        Values [1 + Q A², waves], those of degree l together as a matrix m, n; and weights [1 + Q A²], the identity's 0.
    """
    grid = rotation_grid(bandlimit, quadrature)
    gamma, alpha = (angle.ravel() for angle in np.meshgrid(grid.angles, grid.angles, indexing="ij"))
    small = small_wigner(bandlimit, grid.beta)
    blocks = []
    for l in range(bandlimit):
        size, used = 2 * l + 1, slice(bandlimit - 1 - l, bandlimit + l)
        real, orders = real_orders(l), np.arange(-l, l + 1)
        left, right = (np.exp(-1j * np.outer(angle, orders)) for angle in (alpha, gamma))
        matrices = left[:, :, None] * small[l, :, None, used, used] * right[:, None, :]
        turned = np.real(real @ matrices @ real.conj().T).reshape(-1, size, size)
        blocks.append(size**0.5 * np.concatenate([np.eye(size)[None], turned]).reshape(-1, size**2))
    weights = np.append(0.0, np.repeat(grid.weights, len(grid.angles) ** 2))
    return np.concatenate(blocks, axis=1), weights


class Cap(NamedTuple):
    """A quadrature over beta up to a largest angle, exact for products of two functions of degrees l < L."""

    beta: np.ndarray
    weights: np.ndarray  # their sum is one

    @classmethod
    def of(cls, bandlimit: int, max_beta: float) -> "Cap":
        """Gauss-Legendre in the cosine of beta."""
        if not 0 < checks.positive("max_beta", max_beta) <= np.pi + 1e-12:
            raise checks.refuse("max_beta", max_beta, "an angle above 0 and at most pi, in radians")
        nodes, weights = np.polynomial.legendre.leggauss(bandlimit)
        low = np.cos(min(max_beta, np.pi))
        return cls(np.arccos(0.5 * (1 - low) * (nodes + 1) + low), weights / 2)


class FoldedGrid(NamedTuple):
    r"""The real Wigner matrices at a quarter of a quadrature's rotations, from which reflections give the others.

    The grid has two reflections, :math:`(\alpha,\beta,\gamma)\to(-\alpha,\beta,-\gamma)` and
    :math:`(\alpha,\pi-\beta,-\gamma)`. With s = 1 for the cosine-like orders m >= 0 and -1 for the sine-like m < 0, the
    first multiplies a matrix element by :math:`s_ms_n`, the second by :math:`(-1)^{l+m+n}s_n`.

    Attributes:
        waves: indices of matrix elements, degree after degree as in :func:`real_waves`, in four classes by the two
            signs: +1 +1, +1 -1, -1 +1 and -1 -1.
        values: of each class at one rotation of each orbit [waves of the class, orbits].
        weights: of all orbits, then of their images under the second reflection, the first, and both [4 orbits]; a
            rotation that is its own image carries a share in each.
    """

    waves: tuple[np.ndarray, ...]
    values: tuple[np.ndarray, ...]
    weights: np.ndarray


@functools.lru_cache(maxsize=8)
def folded_grid(bandlimit: int, quadrature: int) -> FoldedGrid:
    """The quadrature of :func:`rotation_grid`, folded by its reflections; arguments as there."""
    waves, weights = real_waves(bandlimit, quadrature)
    l, m, n = np.array([(l, m, n) for l in range(bandlimit) for m in range(-l, l + 1) for n in range(-l, l + 1)]).T
    matrices, weights = waves[1:] / np.sqrt(2 * l + 1.0), weights[1:]
    shape = (quadrature, 2 * quadrature - 1, 2 * quadrature - 1)
    beta, gamma, alpha = np.unravel_index(np.arange(len(weights)), shape)
    images = [
        np.ravel_multi_index((b, g % shape[1], a % shape[2]), shape)
        for b, g, a in (
            (beta, gamma, alpha),
            (beta, -gamma, -alpha),
            (quadrature - 1 - beta, -gamma, alpha),
            (quadrature - 1 - beta, gamma, -alpha),
        )
    ]
    orbits, members = np.unique(np.min(images, axis=0), return_counts=True)
    first, second = np.where(m < 0, -1, 1) * np.where(n < 0, -1, 1), (-1) ** ((l + m + n) % 2) * np.where(n < 0, -1, 1)
    classes = tuple(np.flatnonzero((first == a) & (second == b)) for a in (1, -1) for b in (1, -1))
    values = tuple(np.ascontiguousarray(matrices[np.ix_(orbits, of)].T) for of in classes)
    return FoldedGrid(classes, values, np.tile(weights[orbits] * members / 4, 4))


@functools.lru_cache(maxsize=64)
def real_orders(l: int) -> np.ndarray:
    """The unitary matrix from orders m = -l, ..., l to real combinations of m and -m."""
    unitary = np.zeros((2 * l + 1, 2 * l + 1), dtype=np.complex128)
    unitary[l, l] = 1.0
    for m in range(1, l + 1):
        sign = (-1.0) ** m
        unitary[l + m, [l + m, l - m]] = np.array([sign, 1.0]) / 2**0.5
        unitary[l - m, [l + m, l - m]] = np.array([-1j * sign, 1j]) / 2**0.5
    return unitary
