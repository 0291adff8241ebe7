"""Learning curves against regression written out."""

import numpy as np
import pytest

from ntkfield.dynamics.learning_curve import learning_curve


def problem(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, 3))
    return (1 + x @ x.T) ** 2 + 0.1 * np.eye(n), 5 + 2 * x[:, 0] - x[:, 1]


def test_is_ridge_regression_on_standardised_targets() -> None:
    k, y = problem()
    curve = learning_curve(lambda i, j: k[np.ix_(i, j)], y, [10, 25], 8, [7, 8], diag_reg=1e-3)
    order = np.random.default_rng(8).permutation(40)
    test, train = order[:8], order[8:33]
    mean, scale = y[train].mean(), y[train].std()
    gram = k[np.ix_(train, train)]
    weights = np.linalg.solve(gram + 1e-3 * np.trace(gram) / 25 * np.eye(25), (y[train] - mean) / scale)
    expected = np.abs(mean + scale * k[np.ix_(test, train)] @ weights - y[test]).mean()
    # two solvers on a matrix of condition below 1e6
    np.testing.assert_allclose(curve["mean_absolute_error"].sel(seed=8, train_size=25), expected, rtol=1e-9)
    np.testing.assert_allclose(curve["baseline"].sel(seed=8, train_size=25), np.abs(mean - y[test]).mean())


def test_a_linear_target_is_learnt() -> None:
    k, y = problem()
    curve = learning_curve(lambda i, j: k[np.ix_(i, j)], y, [3, 30], 10, [0, 1, 2], diag_reg=1e-6)
    errors = curve["mean_absolute_error"].mean("seed")
    assert errors.sel(train_size=30) < 0.2 * errors.sel(train_size=3)


def test_too_few_samples_are_refused() -> None:
    k, y = problem()
    with pytest.raises(ValueError, match=r"test_size \+ max\(train_sizes\) = 41 is refused: expected at most the 40"):
        learning_curve(lambda i, j: k[np.ix_(i, j)], y, [33], 8, [0])
