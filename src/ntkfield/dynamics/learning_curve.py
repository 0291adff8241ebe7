"""Test error of kernel regression against training size, over several splits."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from scipy.special import ndtri

from ntkfield import checks
from ntkfield.dynamics import iterative
from ntkfield.dynamics.composition import dressed_atoms
from ntkfield.dynamics.gradient_flow import posterior
from ntkfield.dynamics.iterative import Gram
from ntkfield.dynamics.selection import leave_one_out
from ntkfield.progress import track

JUDGES = 2000
"""Samples of a larger training set, its first ones, on which kernels and regularisers are judged."""
DENSE = 20_000
"""Training samples up to which the matrix is factorised; 2.2 matrices of that size, 7 GB, are held then."""
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Probabilities of the central intervals whose coverage is counted."""


class Split(NamedTuple):
    """Sample numbers of a training set and a test set."""

    train: np.ndarray
    test: np.ndarray


class Choice(NamedTuple):
    """A kernel, by its number, a regulariser, and the amplitude of the Gaussian process that they make."""

    gram: int
    diag_reg: float
    amplitude: float


def learning_curve(
    gram: Gram | Sequence[Gram],
    targets: np.ndarray,
    train_sizes: Sequence[int],
    test_size: int,
    seeds: Sequence[int],
    diag_reg: float | Sequence[float] = 0.0,
    counts: np.ndarray | None = None,
    dense: int = DENSE,
) -> xr.Dataset:
    r"""Test errors of the fully trained infinite-width ensemble, or of any kernel regression.

    Each seed permutes the samples; the first `test_size` are the test set and the ones after it, in order, the
    training sets, each containing the smaller ones. What is learned is standardised with the training set's mean and
    standard deviation. Whatever is fitted or chosen sees the training set alone: of several kernels and regularisers,
    that pair is taken whose predictions of each training sample from all others err least in absolute value. At most
    :data:`JUDGES` samples are asked, which costs some 40 times a solve of that size for each kernel.

    Args:
        gram: the kernel between samples, as a function of row and column numbers; or several to choose from.
        targets: one per sample [n].
        train_sizes: training sizes.
        test_size: number of test samples.
        seeds: one split each.
        diag_reg: see :func:`~ntkfield.dynamics.gradient_flow.gradient_flow`; or several to choose from, above zero.
        counts: atoms of each element in each sample [n, element]: what
            :func:`~ntkfield.dynamics.composition.dressed_atoms` fits to the training set is taken off the targets, the
            kernel learns the rest, and both are added again.
        dense: training samples up to which the matrix is held and factorised. Larger ones are solved iteratively, with
            the matrix on disk (:mod:`ntkfield.dynamics.iterative`).

    Returns:
        Dataset with the dimensions seed and train_size. In the targets' unit: ``mean_absolute_error``, ``baseline``,
        that of predicting the training mean, and ``composition_error``, that of the fit alone, NaN without `counts`.
        The choice: ``chosen_gram``, a number, and ``chosen_diag_reg``. ``coverage`` [..., level], NaN where there was
        nothing to choose, is the share of test samples in the central interval of that probability of the Gaussian
        process with this kernel, whose amplitude is that of largest evidence
        (:func:`~ntkfield.dynamics.selection.leave_one_out`) and whose noise is the regulariser. Of an iterative
        solution the first 16 test samples are counted; ``residual`` is its relative residual and ``solver_error``, in
        the targets' unit, what that changes in the predictions of these samples, root mean square: both zero where
        the matrix was factorised.

    Raises:
        ValueError: if there are fewer samples than the largest training set and the test set need, or no kernel or
            regulariser is given.
        RuntimeError: if an iterative solution does not converge.
    """
    targets = checks.array("targets", targets, "n")
    grams = list(gram) if isinstance(gram, Sequence) else [gram]
    regularisers = list(diag_reg) if isinstance(diag_reg, Sequence) else [diag_reg]
    if not grams or not regularisers:
        raise checks.refuse("gram" if not grams else "diag_reg", [], "one or more to choose from")
    needed = test_size + max(train_sizes)
    if needed > len(targets):
        raise checks.refuse("test_size + max(train_sizes)", needed, f"at most the {len(targets)} samples there are")
    rows = []
    for seed in track(seeds, f"learning curve of {len(train_sizes)} sizes"):
        order = np.random.default_rng(seed).permutation(len(targets))
        split = Split(order[test_size:needed], order[:test_size])
        rows.append(_one_split(grams, targets, train_sizes, split, regularisers, counts, dense))
    dims = ("seed", "train_size")
    variables = {
        name: ((*dims, "level") if name == "coverage" else dims, np.array([[one[name] for one in row] for row in rows]))
        for name in rows[0][0]
    }
    return xr.Dataset(variables, coords={"seed": list(seeds), "train_size": list(train_sizes), "level": list(LEVELS)})


def _one_split(
    grams: list[Gram],
    targets: np.ndarray,
    train_sizes: Sequence[int],
    split: Split,
    regularisers: Sequence[float],
    counts: np.ndarray | None,
    dense: int,
) -> list[dict[str, Any]]:
    """The dataset's entries for each training size."""
    several = len(grams) * len(regularisers) > 1
    judges = [gram(split.train[:JUDGES], split.train[:JUDGES]) for gram in grams] if several else []
    entries = []
    for size in train_sizes:
        train, test = split.train[:size], split.test
        linear, fitted = _composition(counts, targets, train)
        rest = targets[train] - linear[train]
        mean, scale = rest.mean(), rest.std() or 1.0  # nothing is left to learn where compositions explain all
        y = (rest - mean) / scale
        choice = _choose([k[:size, :size] for k in judges], y[:JUDGES], regularisers)
        solved = _solved(grams[choice.gram], train, test, y, choice.diag_reg, dense)
        deviation = scale * np.sqrt(choice.amplitude * (solved.variance + solved.noise))
        errors = np.abs(linear[test] + mean + scale * solved.mean - targets[test])
        entries.append(
            {
                "mean_absolute_error": errors.mean(),
                "baseline": np.abs(targets[train].mean() - targets[test]).mean(),
                "composition_error": np.abs(linear[test] - targets[test]).mean() if fitted else np.nan,
                "chosen_gram": choice.gram,
                "chosen_diag_reg": choice.diag_reg,
                "residual": solved.residual,
                "solver_error": scale * solved.error,
                "coverage": _coverage(errors[: len(deviation)], deviation),
            }
        )
    return entries


def _solved(
    gram: Gram, train: np.ndarray, test: np.ndarray, y: np.ndarray, diag_reg: float, dense: int
) -> iterative.Solved:
    """The posterior of the test samples, by whichever way there is memory for."""
    if len(train) > dense:
        return iterative.posterior(gram, train, test, y, diag_reg)
    k = gram(train, train)
    mean, variance = posterior(k, gram(test, train), np.diag(gram(test, test)), y, diag_reg)
    noise = diag_reg * np.trace(k) / len(train)
    return iterative.Solved(np.asarray(mean), np.asarray(variance), noise, residual=0.0, error=0.0, iterations=0)


def _coverage(errors: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Share of errors in each central interval; NaN where there was no amplitude to choose."""
    if np.isnan(deviation).any():
        return np.full(len(LEVELS), np.nan)
    return (errors[:, None] <= ndtri(0.5 + np.array(LEVELS) / 2) * deviation[:, None]).mean(axis=0)


def _composition(counts: np.ndarray | None, targets: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, bool]:
    """The linear part of all targets, and whether there is any."""
    if counts is None:
        return np.zeros(len(targets)), False
    return counts @ dressed_atoms(counts[train], targets[train]), True


def _choose(grams: list[np.ndarray], y: np.ndarray, regularisers: Sequence[float]) -> Choice:
    """The kernel and regulariser whose predictions of each sample from the others err least; no kernel, no choice."""
    if not grams:
        return Choice(0, regularisers[0], np.nan)
    judged = [leave_one_out(gram, y, regularisers) for gram in grams]
    errors = np.array([np.abs(one.errors).mean(axis=1) for one in judged])
    number, row = divmod(int(np.argmin(errors)), len(regularisers))
    return Choice(number, float(regularisers[row]), float(judged[number].amplitude[row]))


def join(curves: Sequence[xr.Dataset], labels: Sequence[Mapping[str, Any]]) -> xr.Dataset:
    """Curves one after the other along a new dimension model.

    Args:
        curves: datasets of one form.
        labels: what each is of, as in ``{"network": "so3", "kernel": "ntk"}``: coordinates along model, whether or not
            a label is the same for all.
    """
    return xr.concat(curves, "model").assign_coords(
        {name: ("model", [label[name] for label in labels]) for name in labels[0]}
    )
