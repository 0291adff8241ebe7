"""Wigner matrices: how spherical-harmonic coefficients turn, by NumPy alone."""

from functools import lru_cache

import numpy as np


def small_wigner(bandlimit: int, beta: np.ndarray) -> np.ndarray:
    r"""Small Wigner matrices :math:`d^l_{mn}(\beta)` for l < L at angles beta [Q], to rounding.

    :math:`d^l_{mn}(\beta) = \langle l m| e^{-i\beta J_y} |l n\rangle`.

    Returns:
        Real array [L, Q, 2L-1, 2L-1], orders from 1 - L, with zeros where :math:`|m| > l` or
        :math:`|n| > l`; s2fft's convention.
    """
    wigner = np.zeros((bandlimit, len(beta), 2 * bandlimit - 1, 2 * bandlimit - 1))
    for l in range(bandlimit):
        vectors, used = _rotation_vectors(l), slice(bandlimit - 1 - l, bandlimit + l)
        phases = np.exp(-1j * np.outer(beta, np.arange(-l, l + 1)))
        wigner[l, :, used, used] = np.real((vectors * phases[:, None, :]) @ vectors.conj().T)
    return wigner


@lru_cache(maxsize=64)
def _rotation_vectors(l: int) -> np.ndarray:
    """Eigenvectors of J_y on degree l in the basis of J_z, as columns; their eigenvalues are -l, ..., l."""
    m = np.arange(-l, l)
    raising = np.diag(np.sqrt(l * (l + 1.0) - m * (m + 1.0)), k=-1)
    return np.linalg.eigh((raising - raising.T) / 2j)[1]
