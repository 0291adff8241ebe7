"""Test error of kernel regression against training size, over several splits."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import xarray as xr

from ntkfield import checks
from ntkfield.dynamics.gradient_flow import gradient_flow
from ntkfield.progress import track

Gram = Callable[[np.ndarray, np.ndarray], np.ndarray]


def learning_curve(
    gram: Gram,
    targets: np.ndarray,
    train_sizes: Sequence[int],
    test_size: int,
    seeds: Sequence[int],
    diag_reg: float = 0.0,
) -> xr.Dataset:
    """Mean absolute test error of the fully trained infinite-width ensemble.

    Each seed permutes the samples; the first `test_size` are the test set and the ones after it, in order, the
    training sets, each containing the smaller ones. Targets are standardised with the training set's mean and
    standard deviation.

    Args:
        gram: the kernel between samples, as a function of row and column numbers.
        targets: one per sample [n].
        train_sizes: training sizes.
        test_size: number of test samples.
        seeds: one split each.
        diag_reg: see :func:`~ntkfield.dynamics.gradient_flow.gradient_flow`.

    Returns:
        Dataset with the dimensions seed and train_size: ``mean_absolute_error`` in the targets' unit, and
        ``baseline``, that of predicting the training mean.

    Raises:
        ValueError: if there are fewer samples than the largest training set and the test set need.
    """
    targets = checks.array("targets", targets, "n")
    needed = test_size + max(train_sizes)
    if needed > len(targets):
        raise checks.refuse("test_size + max(train_sizes)", needed, f"at most the {len(targets)} samples there are")
    shape = (len(seeds), len(train_sizes))
    errors, baseline = np.empty(shape), np.empty(shape)
    for row, seed in enumerate(track(seeds, f"learning curve of {len(train_sizes)} sizes")):
        order = np.random.default_rng(seed).permutation(len(targets))
        test, pool = order[:test_size], order[test_size:needed]
        k_train_train, k_test_train = gram(pool, pool), gram(test, pool)
        for column, size in enumerate(train_sizes):
            y = targets[pool[:size]]
            mean, scale = y.mean(), y.std()
            scaled = gradient_flow(
                k_train_train[:size, :size], k_test_train[:, :size], (y - mean) / scale, np.inf, diag_reg=diag_reg
            )
            errors[row, column] = np.abs(mean + scale * np.asarray(scaled) - targets[test]).mean()
            baseline[row, column] = np.abs(mean - targets[test]).mean()
    dims = ("seed", "train_size")
    return xr.Dataset(
        {"mean_absolute_error": (dims, errors), "baseline": (dims, baseline)},
        coords={"seed": list(seeds), "train_size": list(train_sizes)},
    )


def join(curves: Sequence[xr.Dataset], labels: Sequence[Mapping[str, str]]) -> xr.Dataset:
    """Curves one after the other along a new dimension model.

    Args:
        curves: datasets of one form.
        labels: what each is of, as in ``{"network": "so3", "kernel": "ntk"}``: coordinates along model, whether or not
            a label is the same for all.
    """
    return xr.concat(curves, "model").assign_coords(
        {name: ("model", [label[name] for label in labels]) for name in labels[0]}
    )
