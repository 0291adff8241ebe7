"""Random signals on the sphere, and the erf layer written apart from the library."""

import numpy as np

from ntkfield.signals.harmonics import Harmonics

L, CHANNELS = 3, 4


def signals(n, bandlimit=L, channels=CHANNELS, seed=0, size=0.5):
    """Random real band-limited signals, of mean square about 0.4 (L = 3) if their size is not given."""
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(n, bandlimit, bandlimit, channels)) + 1j * rng.normal(
        size=(n, bandlimit, bandlimit, channels)
    )
    half[:, :, 0].imag = 0
    half *= size
    half *= np.tril(np.ones((bandlimit, bandlimit)))[:, :, None]
    return Harmonics.from_nonnegative_orders(half)


def erf_pair(q11, q12, q22):
    """<erf erf> and <erf' erf'>."""
    norm = np.sqrt((1 + 2 * q11) * (1 + 2 * q22))
    slope = 4 / np.pi / np.sqrt(norm**2 - 4 * q12**2)
    return 2 / np.pi * np.arcsin(2 * q12 / norm), slope
