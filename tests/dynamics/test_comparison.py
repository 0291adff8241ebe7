"""Squared differences of ensemble means, and fitted powers, where the answer is known."""

import numpy as np
import pytest
from scipy.linalg import expm

from ntkfield.dynamics.comparison import (
    Estimate,
    along,
    difference_by_size,
    infinite_width,
    less_start,
    sampling_floor,
    spread,
    squared_difference,
    unbiased_mean_square,
    unbiased_squared_difference,
)
from ntkfield.dynamics.gradient_flow import gradient_flow


def test_a_mean_along_a_direction():
    rng, direction = np.random.default_rng(0), np.array([[3.0, -4.0], [0.0, 0.0]])
    found = along(0.4 * direction + rng.normal(size=(4000, 2, 2)), direction)
    expected = 0.4 * 5 / 2**0.5, (1 / 2 / 4000) ** 0.5  # of length 5, and a unit normal, over sqrt(2 inputs)
    assert abs(found.value[0] - expected[0]) < 3 * expected[1]
    np.testing.assert_allclose(found.error[0], expected[1], rtol=0.05)
    assert found.value[1] == 0


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


def test_the_spread_is_the_standard_deviation_with_its_scatter() -> None:
    rng = np.random.default_rng(1)
    scale = np.array([1.0, 3.0])  # of two queries: the root of the mean variance is sqrt(5)
    values, errors = np.array([spread(2.0 + scale * rng.normal(size=(300, 2))) for _ in range(60)]).T
    # 60 estimates: 4 standard errors of their mean, once in 16,000 seeds
    assert abs(values.mean() - 5**0.5) < 4 * values.std() / 60**0.5
    assert errors.mean() == pytest.approx(values.std(), rel=0.3)  # within the 9 % that 60 leave, at 3 deviations
    with pytest.raises(ValueError, match="members = 1 is refused: expected two or more"):
        spread(np.ones((1, 2)))


def test_a_mean_square_is_right_though_sampling_hides_it() -> None:
    rng = np.random.default_rng(3)
    found = [unbiased_mean_square(0.05 + rng.normal(size=(100, 20)), draws=100, seed=k) for k in range(60)]
    values, errors = np.array([one.value for one in found]), np.array([one.error for one in found])
    # 60 estimates of 0.0025 under a sampling variance of 0.01: 4 standard errors of their mean, once in 16,000 seeds
    assert abs(values.mean() - 0.0025) < 4 * values.std() / 60**0.5
    # a bootstrap draws about means that are themselves off: its error is somewhat larger than the scatter, not smaller
    assert 0.8 * values.std() < errors.mean() < 2 * values.std()


def test_one_member_is_refused() -> None:
    with pytest.raises(ValueError, match=r"members of sample = 1 is refused: expected two or more"):
        unbiased_mean_square(np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"members of b = 1 is refused: expected two or more"):
        unbiased_squared_difference(np.zeros((2, 3)), np.zeros((1, 3)))


def test_the_difference_falls_with_the_members_of_a_part() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(150, 2, 30)), 0.5 + rng.normal(size=(150, 2, 30))
    sizes, found, sampling = difference_by_size(a, b)
    assert sizes.tolist() == [2, 4, 8, 16, 32, 64, 128]
    exact = 0.25 + 2 / sizes[:, None]  # two means of unit variance, 1/2 apart
    # 14 numbers, correlated: 4 standard errors, themselves known to half where four parts show their spread
    assert np.all(abs(found.value - exact) < 4 * found.error)
    # an average over 30 inputs scatters by this much; the error of m parts is known to 1 / sqrt(2 (m - 1))
    one = np.sqrt((8 / sizes**2 + 8 * 0.25 / sizes) / 30)
    assert found.error[:3] == pytest.approx(np.repeat((one / np.sqrt(150 // sizes))[:3, None], 2, 1), rel=0.6)
    assert found.error[-2:] == pytest.approx(np.repeat(one[-2:, None], 2, 1), rel=0.6)
    assert found.error[-2] == pytest.approx(2 * found.error[-1], rel=1e-12)  # one bootstrap, scaled to either size
    assert sampling == pytest.approx(np.repeat(2 / sizes[:, None], 2, 1), rel=0.05)
    with pytest.raises(ValueError, match=r"members of b = 149 is refused: expected 150"):
        difference_by_size(a, b[1:])


def test_what_a_start_leaves_is_taken_off_exactly_where_training_is_linear() -> None:
    """Linear networks f = phi w, trained in the space of their weights."""
    rng = np.random.default_rng(2)
    phi, queries, y = rng.normal(size=(3, 8)), rng.normal(size=(5, 8)), rng.normal(size=3)
    times, weights = [0.0, 0.1, 1.0], rng.normal(size=(4, 8))
    rest = np.linalg.pinv(phi) @ y  # where the flow of least weights ends
    along = np.linalg.pinv(phi) @ phi
    flows = [expm(-phi.T @ phi * t) for t in times]
    outputs = [
        (rest + (np.eye(8) - along) @ w + flow @ along @ (w - rest)) @ queries.T for w in weights for flow in flows
    ]
    outputs = np.reshape(outputs, (4, 3, 5))
    influence = np.asarray(gradient_flow(phi @ phi.T, queries @ phi.T, np.eye(3), times))
    found = less_start(outputs, weights @ phi.T, influence)
    unmoved = np.stack([queries @ (rest - flow @ rest) for flow in flows])  # a network that starts from zero
    assert found == pytest.approx(np.broadcast_to(unmoved, found.shape), abs=1e-12)  # rounding


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
