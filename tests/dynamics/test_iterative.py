"""Iterative kernel regression against the dense one."""

import io
from pathlib import Path

import numpy as np
import pytest

from ntkfield.dynamics import iterative
from ntkfield.dynamics.gradient_flow import posterior
from ntkfield.dynamics.learning_curve import learning_curve


def problem(n: int, m: int = 40):
    """A kernel whose eigenvalues fall by a power, between shuffled samples, and targets."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n + m, 4))
    squares = (x**2).sum(axis=1)

    def gram(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        distance = np.sqrt(np.maximum(squares[i][:, None] + squares[j] - 2 * x[i] @ x[j].T, 0.0))
        return (1 + distance) * np.exp(-distance)

    order = rng.permutation(n + m)
    return gram, order[:n], order[n:], np.sin(x[:, 0]) + x[:, 1] * x[:, 2]


def compare(n: int, diag_reg: float) -> None:
    """What was solved to rtol differs from the dense answer by what it says."""
    gram, train, test, y = problem(n)
    found = iterative.posterior(gram, train, test, y[train], diag_reg)
    mean, variance = posterior(gram(train, train), gram(test, train), np.diag(gram(test, test)), y[train], diag_reg)
    wrong = found.mean - np.asarray(mean)
    assert found.residual < 1e-6
    probes = len(found.variance)
    # the error's own estimate is made with solutions as good as the residual
    np.testing.assert_allclose(np.sqrt(np.mean(wrong[:probes] ** 2)), found.error, rtol=1e-3)
    assert abs(wrong).max() < 10 * found.error < 1e-4
    np.testing.assert_allclose(found.variance, variance[:probes], atol=1e-5)
    assert found.iterations > 10  # it did not come for free


@pytest.mark.parametrize("diag_reg", [1e-2, 1e-4])
def test_it_is_the_dense_posterior(diag_reg: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iterative, "PANEL", 130)  # five panels, the last one not full
    compare(600, diag_reg)


@pytest.mark.exhaustive
def test_it_is_the_dense_posterior_of_ten_thousand() -> None:
    compare(10_000, 1e-4)


def test_panels_are_the_matrix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iterative, "PANEL", 7)
    gram, samples, _, _ = problem(30)
    k, x = gram(samples, samples), np.random.default_rng(1).normal(size=(30, 3))
    which = np.array([0, 6, 7, 19, 29])
    with (tmp_path / "panels").open("w+b") as file:
        matrix = iterative.Panels(gram, samples, file)
        np.testing.assert_allclose(matrix @ x, k @ x, rtol=1e-12)
        np.testing.assert_allclose(matrix.columns(which), k[:, which], rtol=1e-14)
        np.testing.assert_allclose(matrix.diagonal, np.diag(k), rtol=1e-14)
        assert (tmp_path / "panels").stat().st_size < 8 * 30 * (30 + 7)  # not the square


def test_the_preconditioner_inverts_what_its_landmarks_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gram, samples, _, _ = problem(40)
    with (tmp_path / "panels").open("w+b") as file:
        matrix = iterative.Panels(gram, samples, file)
        inverse = iterative.preconditioner(matrix, 0.1, 40)  # all of them: the matrix itself
    k = gram(samples, samples)
    np.testing.assert_allclose(inverse(k + 0.1 * np.eye(40)), np.eye(40), atol=1e-8)


def test_learning_curves_take_either_way() -> None:
    gram, _, _, y = problem(300)
    curves = [learning_curve(gram, y, [100, 250], 20, [3], 1e-3, dense=dense) for dense in (1000, 150)]
    dense, mixed = curves
    assert (dense["residual"] == 0).all()
    assert (mixed["residual"].sel(train_size=100) == 0).all()
    assert 0 < mixed["residual"].sel(train_size=250).item() < 1e-6
    # predictions are off by about the solver's error, and so is their mean distance from the targets
    far = abs(dense["mean_absolute_error"] - mixed["mean_absolute_error"]).max().item()
    assert far < 10 * mixed["solver_error"].max().item() < 1e-4


def test_what_does_not_converge_says_so() -> None:
    gram, train, test, y = problem(200)
    with pytest.raises(RuntimeError, match=r"residual of .* after 3 steps.*rtol = 1e-06.*diag_reg"):
        iterative.posterior(gram, train, test, y[train], 1e-6, steps=3, landmarks=2)


def test_no_regulariser_is_refused() -> None:
    gram, train, test, y = problem(20)
    with pytest.raises(ValueError, match="diag_reg = 0"):
        iterative.posterior(gram, train, test, y[train], 0.0)


def test_a_full_disk_is_an_error_and_no_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, *_: object) -> int:
            raise OSError(28, "No space left on device")

    gram, train, test, y = problem(20)
    monkeypatch.setattr(iterative.tempfile, "TemporaryFile", lambda **_: Full())
    with pytest.raises(OSError, match="No space left"):
        iterative.posterior(gram, train, test, y[train], 1e-3)
