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


def test_composition_is_fitted_to_the_training_set_alone_and_added_again() -> None:
    k, y = problem()
    counts = np.random.default_rng(1).integers(1, 6, size=(40, 2))
    energies = y + counts @ [-3.0, 7.0]
    curve = learning_curve(lambda i, j: k[np.ix_(i, j)], energies, [25], 8, [7], 1e-3, counts).isel(
        train_size=0, seed=0
    )
    order = np.random.default_rng(7).permutation(40)
    test, train = order[:8], order[8:33]
    atoms = np.linalg.lstsq(counts[train], energies[train])[0]
    rest = energies - counts @ atoms
    alone = learning_curve(lambda i, j: k[np.ix_(order[i], order[j])], rest[order], [25], 8, [0], 1e-3)
    np.testing.assert_allclose(curve["composition_error"], np.abs(rest[test]).mean(), rtol=1e-10)
    # The same regression, of the rest on the same training set, by hand.
    mean, scale = rest[train].mean(), rest[train].std()
    gram = k[np.ix_(train, train)]
    weights = np.linalg.solve(gram + 1e-3 * np.trace(gram) / 25 * np.eye(25), (rest[train] - mean) / scale)
    expected = np.abs(mean + scale * k[np.ix_(test, train)] @ weights - rest[test]).mean()
    np.testing.assert_allclose(curve["mean_absolute_error"], expected, rtol=1e-9)
    assert np.isnan(alone["composition_error"]).all()


def test_the_best_kernel_and_regulariser_are_chosen_without_the_test_set() -> None:
    k, y = problem()
    y += 0.5 * np.random.default_rng(2).normal(size=40)
    useless, regularisers = np.eye(40), [1e-6, 1e-2, 10.0]

    def gram(matrix: np.ndarray):
        return lambda i, j: matrix[np.ix_(i, j)]

    curve = learning_curve([gram(useless), gram(k)], y, [20], 10, [0, 1], regularisers)
    assert (curve["chosen_gram"] == 1).all()
    for seed in (0, 1):
        order = np.random.default_rng(seed).permutation(40)
        train, errors = order[10:30], []
        inner, known = k[np.ix_(train, train)], (y[train] - y[train].mean()) / y[train].std()
        for r in regularisers:
            m, wrong = inner + r * np.trace(inner) / 20 * np.eye(20), []
            for i in range(20):
                others = np.arange(20) != i
                wrong.append(abs(known[i] - m[i, others] @ np.linalg.solve(m[np.ix_(others, others)], known[others])))
            errors.append(np.mean(wrong))
        one = curve.sel(seed=seed, train_size=20)
        assert one["chosen_diag_reg"] == regularisers[int(np.argmin(errors))]
        fixed = learning_curve(gram(k), y, [20], 10, [seed], float(one["chosen_diag_reg"]))
        assert one["mean_absolute_error"] == fixed["mean_absolute_error"].item()


def test_intervals_cover_what_a_gaussian_process_draws() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(600, 2))
    k = np.exp(-((x[:, None] - x[None]) ** 2).sum(axis=-1) / 2)
    y = np.linalg.cholesky(k + 0.1 * np.eye(600)) @ rng.normal(size=600)
    curve = learning_curve(lambda i, j: k[np.ix_(i, j)], y, [200], 400, [0, 1, 2], [0.01, 0.1, 1.0])
    found = curve["coverage"].isel(train_size=0).mean("seed")
    # Shares of 400 test samples: a standard error of 2.5 % in each split, in which few directions are independent.
    np.testing.assert_allclose(found, found["level"], atol=0.075)


def test_nothing_left_to_learn_is_predicted_exactly() -> None:
    counts = np.arange(1.0, 13.0)[:, None]
    curve = learning_curve(lambda i, j: np.eye(12)[np.ix_(i, j)], 2 * counts[:, 0], [6], 4, [0], [1e-3, 0.1], counts)
    np.testing.assert_allclose(curve["mean_absolute_error"], 0.0, atol=1e-12)


def test_a_linear_target_is_learnt() -> None:
    k, y = problem()
    curve = learning_curve(lambda i, j: k[np.ix_(i, j)], y, [3, 30], 10, [0, 1, 2], diag_reg=1e-6)
    errors = curve["mean_absolute_error"].mean("seed")
    assert errors.sel(train_size=30) < 0.2 * errors.sel(train_size=3)


def test_too_few_samples_are_refused() -> None:
    k, y = problem()
    with pytest.raises(ValueError, match=r"test_size \+ max\(train_sizes\) = 41 is refused: expected at most the 40"):
        learning_curve(lambda i, j: k[np.ix_(i, j)], y, [33], 8, [0])


def test_nothing_to_choose_from_is_refused() -> None:
    k, y = problem()
    with pytest.raises(ValueError, match=r"diag_reg = \[\] is refused: expected one or more to choose from"):
        learning_curve(lambda i, j: k[np.ix_(i, j)], y, [20], 8, [0], [])
