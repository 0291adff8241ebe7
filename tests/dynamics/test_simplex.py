"""Integrals of exponentials over ordered times, against nested quadrature and exact arithmetic."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from ntkfield.dynamics.simplex import simplex_integrals

RATES = {
    "apart": (0.3, 1.1, 2.7, 0.9, 0.2),
    "equal": (0.7,) * 5,
    "in steps": (0.0, 0.7, 0.7, 1.4, 2.1),
    "almost equal": (0.5, 0.5 * (1 + 1e-12), 0.5 * (1 - 1e-12), 1.0, 1.5),
    "tiny": (0.0, 1e-9, 1e-9, 2e-9, 3e-9),
    "far apart": (0.0, 1e-3, 2.0, 40.0, 41.0),
}


def exact(t: float, rates: tuple[float, ...]) -> float:
    """The corner of exp(t (shift - rates on the diagonal, ones above it)) by its series in fractions: all terms add."""
    shift = max(map(Fraction, rates))
    diagonal = [Fraction(t) * (shift - Fraction(r)) for r in rates]
    row = [Fraction(1)] + [Fraction(0)] * (len(rates) - 1)
    total, k = Fraction(row[-1]), 0
    while k < len(rates) or row[-1] > total / 10**20:
        k += 1
        row = [(row[j] * diagonal[j] + (Fraction(t) * row[j - 1] if j else 0)) / k for j in range(len(rates))]
        row = [Fraction(math.floor(x * 2**200), 2**200) for x in row]
        total += row[-1]
    return float(total) * math.exp(-t * float(shift))


@pytest.mark.parametrize("kind", RATES)
@pytest.mark.parametrize("t", [1e-3, 0.5, 3.0])
def test_against_exact_arithmetic(t: float, kind: str) -> None:
    found = simplex_integrals(t, np.array(RATES[kind]))
    # Some ten roundings of a positive sum; exp(-t shift) of the witness errs by t shift 1e-16, 120 at most.
    for i, j in itertools.combinations_with_replacement(range(5), 2):
        np.testing.assert_allclose(found[i, j], exact(t, RATES[kind][i : j + 1]), rtol=1e-13)
    assert not np.tril(found, -1).any()


@pytest.mark.parametrize("kind", RATES)
def test_against_the_integral(kind: str) -> None:
    # s1 > s2 from Gauss-Legendre rules within each other: exact to rounding for integrands this smooth.
    r, t = RATES[kind][:3], 1.7
    nodes, weights = np.polynomial.legendre.leggauss(60)
    s1, w1 = 0.5 * t * (nodes + 1), 0.5 * t * weights
    s2, w2 = 0.5 * s1[:, None] * (nodes + 1), 0.5 * s1[:, None] * weights
    inner = np.exp(-r[0] * (t - s1[:, None]) - r[1] * (s1[:, None] - s2) - r[2] * s2)
    np.testing.assert_allclose(simplex_integrals(t, np.array(r))[0, 2], np.sum(w1[:, None] * w2 * inner), rtol=1e-13)


def test_a_rate_of_zero_integrates_over_time() -> None:
    # d/dt E(t; 0, r) = E(t; r), by a centred difference of order h^4
    rates, h = np.array([0.0, 0.4, 1.3, 1.3]), 1e-3
    values = [simplex_integrals(1.2 + k * h, rates)[0, -1] for k in (-2, -1, 1, 2)]
    slope = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)
    np.testing.assert_allclose(slope, simplex_integrals(1.2, rates)[1, -1], rtol=1e-9)


def test_the_limit_is_reached() -> None:
    rates = np.array([[0.0, 0.3, 0.8, 0.3], [0.4, 0.9, 0.0, 1.0], [0.5, 0.3, 0.8, 0.3]])
    end, late = simplex_integrals(np.inf, rates), simplex_integrals(400.0, rates)
    np.testing.assert_allclose(late, end, rtol=1e-12, atol=1e-40)  # exp(-0.3 * 400) = 1e-52
    np.testing.assert_allclose(end[0, 0, 3], 1 / (0.3 * 0.8 * 0.3), rtol=1e-15)
    assert np.isinf(simplex_integrals(np.inf, np.array([0.0, 0.0]))[0, 1])


def test_nothing_happens_at_once() -> None:
    found = simplex_integrals(0.0, np.array([0.1, 0.5, 2.0]))
    np.testing.assert_array_equal(found, np.eye(3))


def test_other_roundings_agree() -> None:
    rates = np.random.default_rng(0).uniform(0, 5, (40, 5))
    np.testing.assert_allclose(simplex_integrals(9.0, rates, finer=3), simplex_integrals(9.0, rates), rtol=2e-13)
