r"""Integrals of exponentials over ordered times, by which the corrections of a training network depend on time.

.. math:: E(t; r_0, \dots, r_m) = \int_{t > s_1 > \dots > s_m > 0}
   e^{-r_0 (t - s_1)}\, e^{-r_1 (s_1 - s_2)} \cdots e^{-r_m s_m}\, ds

is :math:`(-1)^m` times the divided difference of :math:`e^{-rt}` at the rates, and the corner of the exponential of a
bidiagonal matrix (Opitz 1964). The quotients that define a divided difference lose every digit where rates coincide,
as they do here in every sum; shifted by its largest rate the matrix has no negative entry, and scaling, a Taylor series
and squaring then add positive numbers only (McCurdy, Ng and Parlett, Math. Comp. 43, 1984).
"""

import math

import numpy as np

TERMS = 18  # of the Taylor series, of a matrix with row sums of at most one: 1 / 18! is 1.6e-16


def simplex_integrals(t: float, rates: np.ndarray, finer: int = 0) -> np.ndarray:
    """All integrals over neighbouring rates of each list.

    Args:
        t: time, zero or above; ``inf`` for the limit.
        rates: lists of rates, zero or above, [..., m + 1].
        finer: squarings beyond those needed; their effect on the result is that of rounding.

    Returns:
        Array [..., m + 1, m + 1], upper triangular: entry i, j is E(t; r_i, ..., r_j). Relative errors are some ten
        times that of a float, for rates that are equal, close or far apart. At infinite time E is
        1 / (r_1 ... r_m) if one rate, which may stand anywhere, is zero, infinite if several are, and zero if none is.
    """
    rates = np.asarray(rates, np.float64)
    size = rates.shape[-1]
    if np.isinf(t):
        return _limit(rates)
    largest = rates.max(axis=-1, keepdims=True)
    # Row sums of the shifted matrix are at most t (largest - smallest) + t.
    reach = t * (float(np.max(largest - rates, initial=0.0)) + 1.0)
    squarings = (max(0, math.ceil(math.log2(reach))) if reach > 0 else 0) + finer
    step = t / 2**squarings
    diagonal = step * (largest - rates)
    power = np.broadcast_to(np.eye(size), (*rates.shape, size)).copy()
    total = power.copy()
    for k in range(1, TERMS + 1):
        power = _times_bidiagonal(power, diagonal, step) / k
        total += power
    total *= np.exp(-step * largest)[..., None]
    for k in range(squarings + 1):
        # Exact in every turn: the diagonal is what errors would grow from.
        np.einsum("...ii->...i", total)[:] = np.exp(-rates * step * 2.0**k)
        if k < squarings:
            total = total @ total
    return total


def _times_bidiagonal(x: np.ndarray, diagonal: np.ndarray, above: float) -> np.ndarray:
    """The product of x with the matrix of this diagonal and a constant above it."""
    result = x * diagonal[..., None, :]
    result[..., 1:] += above * x[..., :-1]
    return result


def _limit(rates: np.ndarray) -> np.ndarray:
    size = rates.shape[-1]
    result = np.zeros((*rates.shape, size))
    for i in range(size):
        for j in range(i, size):
            some = rates[..., i : j + 1]
            zeros = np.sum(some == 0, axis=-1)
            product = np.prod(np.where(some == 0, 1.0, some), axis=-1)
            result[..., i, j] = np.where(zeros == 0, 0.0, np.where(zeros == 1, 1 / product, np.inf))
    return result
