"""Accuracy of kernel classification against training size, over several training subsets."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from ntkfield import checks
from ntkfield.dynamics.gradient_flow import gradient_flow
from ntkfield.dynamics.iterative import Gram


def centred_one_hot(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Targets [n, n_classes] of classification as regression: one-hot minus 1 / n_classes."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or labels.ndim != 1 or not ((labels >= 0) & (labels < n_classes)).all():
        raise checks.refuse("labels", labels, f"whole numbers from 0 to {n_classes - 1}, [n]")
    return np.eye(n_classes)[labels] - 1 / n_classes


def accuracy_curve(
    gram: Gram,
    across: Mapping[str, Gram],
    train_labels: np.ndarray,
    test_labels: np.ndarray,
    n_classes: int,
    train_sizes: Sequence[int],
    seeds: Sequence[int],
    diag_reg: float = 0.0,
) -> xr.Dataset:
    """Share of test images that the fully trained infinite-width ensemble classifies rightly.

    Each seed permutes the pool of training images; the training sets are its first ones, each containing the smaller
    ones. The class of the largest output is the prediction. All views share the training sets.

    Args:
        gram: the kernel between images of the pool, as a function of row and column numbers.
        across: for each view of the test images (upright, say), the kernel between them and the pool, likewise.
        train_labels: classes in the pool [n], from 0.
        test_labels: classes of the test images [m].
        n_classes: number of classes.
        train_sizes: training sizes.
        seeds: one order of the pool each.
        diag_reg: see :func:`~ntkfield.dynamics.gradient_flow.gradient_flow`.

    Returns:
        ``accuracy`` [view, seed, train_size] between 0 and 1.

    Raises:
        ValueError: if the pool is smaller than the largest training set, or a label is no class.
    """
    targets, n_test = centred_one_hot(train_labels, n_classes), len(centred_one_hot(test_labels, n_classes))
    largest = max(train_sizes)
    if largest > len(targets):
        raise checks.refuse("max(train_sizes)", largest, f"at most the {len(targets)} images there are")
    accuracy = np.empty((len(across), len(seeds), len(train_sizes)))
    for row, seed in enumerate(seeds):
        chosen = np.random.default_rng(seed).permutation(len(targets))[:largest]
        k_train_train = gram(chosen, chosen)
        k_test_train = np.concatenate([matrix(np.arange(n_test), chosen) for matrix in across.values()])
        for column, size in enumerate(train_sizes):
            outputs = gradient_flow(
                k_train_train[:size, :size], k_test_train[:, :size], targets[chosen[:size]], np.inf, diag_reg=diag_reg
            )
            predicted = np.asarray(outputs).argmax(axis=1).reshape(len(across), n_test)
            accuracy[:, row, column] = (predicted == test_labels).mean(axis=1)
    return xr.Dataset(
        {
            "accuracy": (
                ("view", "seed", "train_size"),
                accuracy,
                {"long_name": "share of test images classified rightly"},
            )
        },
        coords={"view": list(across), "seed": list(seeds), "train_size": list(train_sizes)},
    )
