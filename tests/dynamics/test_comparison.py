"""Squared differences of ensemble means, and fitted powers, where the answer is known."""

import numpy as np
import pytest

from ntkfield.dynamics.comparison import (
    Estimate,
    infinite_width,
    inverse_law,
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


def test_the_inverse_law_is_found_and_refused() -> None:
    x = np.array([1.0, 2.0, 4.0, 8.0])
    law = inverse_law(x, Estimate(3 / x - 0.5 / x**2, 0.1 / x))
    assert (law.leading.value, law.next.value) == pytest.approx((3.0, -0.5), rel=1e-12)
    assert law.chi_squared < 1e-20
    assert law.freedom == 2
    # x y = a + b / x is a straight line with equal errors 0.1
    spread = 1 / x - np.mean(1 / x)
    assert law.next.error == pytest.approx(0.1 / np.sqrt(np.sum(spread**2)), rel=1e-12)
    # another power is told from it: its residual from the best line, by numpy's own fit
    residual = x**0.5 - np.polyval(np.polyfit(1 / x, x**0.5, 1), 1 / x)
    other = inverse_law(x, Estimate(x**-0.5, 0.01 / x))
    assert other.chi_squared == pytest.approx(np.sum((residual / 0.01) ** 2), rel=1e-9)
    assert other.chi_squared > 100


def test_two_points_are_no_test_of_the_inverse_law() -> None:
    with pytest.raises(ValueError, match=r"numbers in x = 2 is refused: expected three or more"):
        inverse_law(np.array([1.0, 2.0]), Estimate(np.ones(2), np.ones(2)))


def test_infinite_width_is_read_from_the_widest_networks() -> None:
    n = np.array([2, 4, 8, 16, 32])
    # what is below an eighth of the largest width does not follow the parabola, and must not be looked at
    y = np.where(n < 4, 100.0, 0.7 - 2 / n + 5 / n**2)
    found = infinite_width(n, Estimate(y, 0.01 * np.ones(5)))
    assert found.value == pytest.approx(0.7, abs=1e-10)
    rng = np.random.default_rng(0)
    noisy = [infinite_width(n, Estimate(y + 0.01 * rng.normal(size=5), 0.01 * np.ones(5))).value for _ in range(2000)]
    # a standard deviation from 2000 numbers is known to 1.6 %
    assert np.std(noisy) == pytest.approx(found.error, rel=0.06)
    two = infinite_width(n[:2] * 4, Estimate(1.5 + 1 / (4 * n[:2]), 0.1 * np.ones(2)))
    assert two.value == pytest.approx(1.5, abs=1e-12)
    assert infinite_width(n[:1], Estimate(np.array([3.0]), np.array([0.2]))) == Estimate(3.0, pytest.approx(0.2))
