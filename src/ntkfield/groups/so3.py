r"""Rotations: a quadrature over SO(3) on which correlations of spherical signals are evaluated.

Euler angles :math:`R = R_z(\alpha)R_y(\beta)R_z(\gamma)`, Wigner matrices
:math:`D^l_{mn}(R) = e^{-im\alpha} d^l_{mn}(\beta) e^{-in\gamma}`, the conventions of s2fft.
"""

import functools
from typing import NamedTuple

import numpy as np

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
