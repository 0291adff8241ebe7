r"""Real band-limited signals on the sphere as spherical-harmonic coefficients.

Conventions, those of s2fft: :math:`f(\theta, \phi) = \sum_{l<L} \sum_{|m|\le l} f_{lm} Y_{lm}(\theta, \phi)` with
orthonormal :math:`Y_{lm}` and Condon-Shortley phase; coefficients are stored as ``flm[l, L - 1 + m]`` with zeros where
:math:`|m| > l`; a real signal has :math:`f_{l,-m} = (-1)^m f_{lm}^*`.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import jax
import numpy as np
from jax.core import Tracer
from scipy.special import sph_harm_y

from ntkfield.extras import needs
from ntkfield.signals.samplings import SAMPLINGS
from ntkfield.signals.wigner import small_wigner

# s2fft silences every warning of the process when it is imported.
with needs("sphere", __name__), warnings.catch_warnings():
    from s2fft.sampling import s2_samples
    from s2fft.utils.quadrature import quad_weights

_REALITY_TOLERANCE = 1e-9


class Grid(NamedTuple):
    """Sample points of the sphere: every θ [n_θ] with every φ [n_φ], in radians."""

    theta: np.ndarray
    phi: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """(n_θ, n_φ)."""
        return len(self.theta), len(self.phi)


def grid(bandlimit: int, sampling: str) -> Grid:
    """Sample points on which signals of a band-limit are determined, as s2fft lays them out.

    Args:
        bandlimit: L, at least 1; the signal has degrees l < L.
        sampling: ``"gl"`` (Gauss-Legendre, L × (2L-1) points), ``"dh"`` (Driscoll-Healy, 2L × (2L-1)) or ``"mw"``
            (McEwen-Wiaux, L × (2L-1)).

    Raises:
        ValueError: if either argument is not accepted.

    """
    check_bandlimit(bandlimit)
    check_sampling(sampling)
    theta = s2_samples.thetas(L=bandlimit, sampling=sampling)
    return Grid(theta, s2_samples.phis_equiang(L=bandlimit, sampling=sampling))


def check_bandlimit(bandlimit: int) -> None:
    """Refuse a band-limit that is not a positive integer."""
    if isinstance(bandlimit, bool) or not isinstance(bandlimit, int | np.integer) or bandlimit < 1:
        raise ValueError(f"bandlimit is {bandlimit!r}, but an integer of at least 1 is accepted")


def check_sampling(sampling: str) -> None:
    """Refuse a sampling scheme that is not one of ``SAMPLINGS``."""
    if sampling not in SAMPLINGS:
        raise ValueError(f"sampling is {sampling!r}, but one of {', '.join(map(repr, SAMPLINGS))} is accepted")


@dataclass(frozen=True, eq=False)
class Harmonics:
    r"""n real signals of c channels on the sphere, band-limited at L.

    A pytree of JAX, whose one leaf are the coefficients: functions of signals may be differentiated and compiled. While
    JAX traces them only their shape is checked.

    Attributes:
        coefficients: f_lm, complex [n, L, 2L-1, c], at ``[:, l, L - 1 + m, :]``.

    Raises:
        ValueError: if the shape is another, a value is not finite, a coefficient with :math:`|m| > l` is not zero, or a
            signal is not real: :math:`f_{l,-m} = (-1)^m f_{lm}^*` must hold within 1e-9 of the largest coefficient.

    """

    coefficients: np.ndarray

    def __post_init__(self) -> None:
        if isinstance(self.coefficients, Tracer):
            _check_shape(self.coefficients)
            return
        coefficients = np.asarray(self.coefficients, dtype=np.complex128)
        _check_shape(coefficients)
        _check_values(coefficients)
        object.__setattr__(self, "coefficients", coefficients)

    def __len__(self) -> int:
        """Number of signals n."""
        return self.coefficients.shape[0]

    def __getitem__(self, index: slice | np.ndarray) -> "Harmonics":
        """Some of the signals, by a slice or an array of indices."""
        return Harmonics(self.coefficients[index])

    @property
    def bandlimit(self) -> int:
        """Band-limit L of the signal, whose degrees are l < L."""
        return self.coefficients.shape[1]

    @property
    def n_channels(self) -> int:
        """Number of channels c."""
        return self.coefficients.shape[3]

    @property
    def mean_squares(self) -> np.ndarray:
        """Mean over sphere and channels of each squared signal, [n]."""
        size = abs(self.coefficients)
        return (size**2).sum(axis=(1, 2, 3)) / (4 * np.pi * self.n_channels)

    def rotate(self, alpha: float, beta: float, gamma: float) -> "Harmonics":
        """Apply a rotation to every signal, exactly: (ρ(R)f)(x) = f(R⁻¹x).

        R = R_z(α) R_y(β) R_z(γ) (zyz Euler angles in radians, γ acts first), which turns a bump at direction v into the
        same bump at Rv. Coefficients: (ρ(R)f)_lm = Σ_n D^l_mn(α, β, γ) f_ln, D^l_mn = e^{-imα} d^l_mn(β) e^{-inγ}.
        """
        orders = np.arange(1 - self.bandlimit, self.bandlimit)
        phases = np.exp(-1j * (alpha * orders[:, None] + gamma * orders))
        return Harmonics((small_wigner(self.bandlimit, np.array([beta]))[:, 0] * phases) @ self.coefficients)

    def to_grid(self, sampling: str) -> np.ndarray:
        """Sample the signals: real array [n, θ, φ, c] on ``grid(bandlimit, sampling)``."""
        check_sampling(sampling)
        half = self.coefficients[:, :, self.bandlimit - 1 :]
        xp = half.__array_namespace__()
        rings = xp.einsum("tlm,klmc->ktmc", _synthesis(self.bandlimit, sampling), half, optimize=True)
        cosines, sines = _ring_waves(self.bandlimit)
        return xp.einsum("ktmc,mp->ktpc", rings.real, cosines) - xp.einsum("ktmc,mp->ktpc", rings.imag, sines)

    @classmethod
    def from_grid(cls, samples: np.ndarray, sampling: str) -> "Harmonics":
        """Recover the coefficients of sampled signals; exact for signals below the band-limit of the grid.

        Samples of other signals give their projection by the quadrature of the grid ("gl", "dh") or the nearest
        band-limited signal in its norm ("mw"; there s2fft interpolates instead).

        Args:
            samples: Real array [n, θ, φ, c] on ``grid(L, sampling)``; L follows from the number of φ, 2L - 1.
            sampling: ``"gl"``, ``"dh"`` or ``"mw"``.

        Raises:
            ValueError: if the shape belongs to no such grid, or the samples are not real and finite.

        """
        check_sampling(sampling)
        samples = np.asarray(samples)
        bandlimit = _bandlimit_of(samples, sampling)
        rings = np.fft.rfft(samples, axis=2, norm="forward")
        return cls.from_nonnegative_orders(
            np.einsum("tlm,ktmc->klmc", _analysis(bandlimit, sampling), rings, optimize=True)
        )

    @classmethod
    def from_nonnegative_orders(cls, half: np.ndarray) -> "Harmonics":
        """Complete f_lm given at m ≥ 0, complex [n, L, L, c], with f_{l,-m} = (-1)^m conj(f_lm)."""
        mirrored = half[:, :, :0:-1].conj() * _signs(half.shape[1])[:0:-1]
        return cls(half.__array_namespace__().concatenate([mirrored, half], axis=2))


def _unchecked(_: None, leaves: tuple) -> Harmonics:
    """Signals around what JAX puts in the place of their coefficients, which need not be an array."""
    made = object.__new__(Harmonics)
    object.__setattr__(made, "coefficients", leaves[0])
    return made


jax.tree_util.register_pytree_node(Harmonics, lambda signals: ((signals.coefficients,), None), _unchecked)


def iterate_harmonics(directions: np.ndarray, bandlimit: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """Y_lm at unit vectors [k, 3], one (l, m, complex [k]) after the other, for 0 ≤ m ≤ l < L.

    Three-term recursion in l from Y_mm ∝ (x + iy)^m, in Cartesian components: no angle is formed, no pole is special
    (Abramowitz & Stegun 8.5.3, in orthonormal form).
    """
    x, y, z = directions.T.copy()
    diagonal = np.full(len(z), 1 / np.sqrt(4 * np.pi), dtype=np.complex128)
    for m in range(bandlimit):
        before, current = np.zeros(len(z), dtype=np.complex128), diagonal
        yield m, m, current
        for l in range(m + 1, bandlimit):
            growth = np.sqrt((4 * l**2 - 1) / (l**2 - m**2))
            damping = np.sqrt(((l - 1) ** 2 - m**2) / (4 * (l - 1) ** 2 - 1))
            before, current = current, growth * (z * current - damping * before)
            yield l, m, current
        diagonal = diagonal * (-np.sqrt((2 * m + 3) / (2 * m + 2)) * (x + 1j * y))


def _check_shape(coefficients: np.ndarray) -> None:
    """Refuse coefficients that are not [n, L, 2L-1, c]."""
    shape = coefficients.shape
    if len(shape) != 4 or shape[1] < 1 or shape[2] != 2 * shape[1] - 1:
        raise ValueError(f"coefficients has shape {shape}, but [n, L, 2L-1, c] is accepted")


def _check_values(coefficients: np.ndarray) -> None:
    """Refuse coefficients that are not those of finite real signals."""
    if not np.isfinite(coefficients).all():
        raise ValueError("coefficients holds NaN or infinity, but only finite values are accepted")
    L = coefficients.shape[1]
    orders = np.arange(L)
    outside = np.abs(np.arange(1 - L, L))[None, :] > orders[:, None]
    tolerance = _REALITY_TOLERANCE * np.abs(coefficients).max(initial=0.0)
    stray = np.abs(coefficients[:, outside]).max(initial=0.0)
    if stray > tolerance:
        raise ValueError(f"coefficients is {stray:.3g} at an order |m| > l, but zero is accepted there")
    mirrored = coefficients[:, :, L - 1 :: -1].conj() * _signs(L)
    violation = np.abs(coefficients[:, :, L - 1 :] - mirrored).max(initial=0.0)
    if violation > tolerance:
        raise ValueError(
            f"coefficients misses f_(l,-m) = (-1)^m conj(f_lm) by {violation:.3g}, "
            f"but real signals (within {_REALITY_TOLERANCE:g} of the largest coefficient) are accepted"
        )


def _bandlimit_of(samples: np.ndarray, sampling: str) -> int:
    """The band-limit of the grid that sampled signals lie on."""
    if samples.dtype.kind not in "fiu" or not np.isfinite(samples).all():
        raise ValueError(
            f"samples (dtype {samples.dtype}) holds complex, NaN or infinite values: give real finite ones"
        )
    if samples.ndim == 4 and samples.shape[2] % 2 == 1:
        bandlimit = (samples.shape[2] + 1) // 2
        if samples.shape[1] == s2_samples.ntheta(bandlimit, sampling):
            return bandlimit
    rows = "2L" if sampling == "dh" else "L"
    raise ValueError(f"samples has shape {samples.shape}, but [n, {rows}, 2L-1, c] is accepted for {sampling!r}")


@lru_cache(maxsize=32)
def _synthesis(bandlimit: int, sampling: str) -> np.ndarray:
    """Y_lm(θ_t, 0) for m ≥ 0, real [θ, L, m]: its sum over l with f_lm is the Fourier coefficient m of ring t."""
    theta, _ = grid(bandlimit, sampling)
    orders = np.arange(bandlimit)
    return sph_harm_y(orders[:, None], orders, theta[:, None, None], 0.0).real


@lru_cache(maxsize=32)
def _ring_waves(bandlimit: int) -> tuple[np.ndarray, np.ndarray]:
    """What the Fourier coefficients m ≥ 0 of a real ring are the amplitudes of: cosines and sines [m, φ].

    A matrix product, for XLA's FFT on a CPU can wait for ever on threads that it occupies itself.
    """
    points = 2 * bandlimit - 1
    angles = 2 * np.pi / points * (np.outer(np.arange(bandlimit), np.arange(points)) % points)
    weights = np.where(np.arange(bandlimit) == 0, 1.0, 2.0)[:, None]  # m and -m
    return weights * np.cos(angles), weights * np.sin(angles)


@lru_cache(maxsize=32)
def _analysis(bandlimit: int, sampling: str) -> np.ndarray:
    """Weights [θ, L, m ≥ 0] that take the Fourier coefficients of the rings to f_lm.

    For each order, the least-squares inverse of Y_lm(θ_t, 0) in the norm of the grid's quadrature. On "gl" and "dh" the
    quadrature is exact for products Y_lm Y_l'm, and this is the quadrature sum itself.
    """
    legendre = _synthesis(bandlimit, sampling)
    roots = np.sqrt(quad_weights(bandlimit, sampling))
    weights = np.zeros_like(legendre)
    for m in range(bandlimit):
        weights[:, m:, m] = (np.linalg.pinv(roots[:, None] * legendre[:, m:, m]) * roots).T
    return weights


def _signs(bandlimit: int) -> np.ndarray:
    """(-1)^m for m = 0..L-1, [L, 1]."""
    return (-1.0) ** np.arange(bandlimit)[:, None]
