"""Squared differences of ensemble means, and fitted powers, where the answer is known."""

import numpy as np
import pytest

from ntkfield.dynamics.comparison import (
    Estimate,
    power_law,
    sampling_floor,
    squared_difference,
    unbiased_squared_difference,
)


def test_the_sampling_variance_is_taken_off() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(400, 10, 3, 5)), 0.5 + rng.normal(size=(400, 10, 3, 5))
    found = [unbiased_squared_difference(a[:, k], b[:, k], draws=100) for k in range(10)]
    values, errors = (np.array([getattr(one, field) for one in found]) for field in ("value", "error"))
    # 30 independent estimates of 0.25: 4 standard errors of their mean, once in 16,000 seeds
    assert abs(values.mean() - 0.25) < 4 * values.std() / 30**0.5
    # the bootstrap's error is the scatter between estimates, within the 13 % that 30 of them leave, at 3 deviations
    assert errors.mean() == pytest.approx(values.std(), rel=0.4)
    assert sampling_floor(a, b).mean() == pytest.approx(2 / 400, rel=0.02)
    assert squared_difference(a, b).mean() == pytest.approx(0.25 + 2 / 400, abs=0.01)


def test_one_member_is_refused() -> None:
    with pytest.raises(ValueError, match=r"members of b = 1 is refused: expected two or more"):
        unbiased_squared_difference(np.zeros((2, 3)), np.zeros((1, 3)))


def test_a_power_is_found() -> None:
    x = np.array([1.0, 2.0, 4.0, 8.0])
    exponent, prefactor = power_law(x, Estimate(3 * x**-1.5, 0.1 * x**-1.5))
    assert exponent.value == pytest.approx(-1.5, rel=1e-12)
    assert prefactor == pytest.approx(3.0, rel=1e-12)
    # straight-line fit with equal errors 1/30: error / sqrt(sum of squared deviations of log x)
    spread = np.log(x) - np.log(x).mean()
    assert exponent.error == pytest.approx(1 / 30 / np.sqrt(np.sum(spread**2)), rel=1e-12)
