"""Accuracy curves against regression written out, and against a problem without doubt."""

import numpy as np
import pytest

from ntkfield.dynamics.classification import accuracy_curve, centred_one_hot


def problem(n: int = 36, m: int = 20):
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(n, 4)), rng.normal(size=(m, 4))
    labels = [np.argmax(a[:, :3], axis=1) for a in (x, z)]
    return x, z, *labels


def kernel(a, b):
    return lambda i, j: (1 + a[i] @ b[j].T) ** 2


def test_is_ridge_regression_on_centred_one_hot_labels():
    x, z, train, test = problem()
    across = {"upright": kernel(z, x), "mirrored": kernel(-z, x)}
    curve = accuracy_curve(kernel(x, x), across, train, test, 3, [6, 25], [4, 5], diag_reg=1e-3)
    chosen = np.random.default_rng(5).permutation(36)[:25]
    gram = kernel(x, x)(chosen, chosen)
    weights = np.linalg.solve(gram + 1e-3 * np.trace(gram) / 25 * np.eye(25), np.eye(3)[train[chosen]] - 1 / 3)
    for view, sign in (("upright", 1), ("mirrored", -1)):
        outputs = kernel(sign * z, x)(np.arange(20), chosen) @ weights
        found = curve["accuracy"].sel(view=view, seed=5, train_size=25)
        assert found == (outputs.argmax(axis=1) == test).mean()
    assert curve["accuracy"].dims == ("view", "seed", "train_size")


def test_more_training_helps():
    x, z, train, test = problem(400, 200)
    curve = accuracy_curve(kernel(x, x), {"one": kernel(z, x)}, train, test, 3, [4, 300], [0, 1], diag_reg=1e-3)
    few, many = curve["accuracy"].mean(("view", "seed"))
    assert many > 0.85
    assert few < many - 0.1


def test_one_hot_labels_have_mean_zero():
    targets = centred_one_hot(np.array([2, 0]), 4)
    np.testing.assert_allclose(targets.sum(axis=1), 0, atol=1e-15)
    assert targets[0].tolist() == [-0.25, -0.25, 0.75, -0.25]


def test_bad_labels_and_sizes_are_refused():
    x, z, train, test = problem()
    with pytest.raises(ValueError, match=r"labels = .* is refused: expected whole numbers from 0 to 1"):
        accuracy_curve(kernel(x, x), {"one": kernel(z, x)}, train, test, 2, [4], [0])
    with pytest.raises(ValueError, match=r"max\(train_sizes\) = 37 is refused: expected at most the 36"):
        accuracy_curve(kernel(x, x), {"one": kernel(z, x)}, train, test, 3, [37], [0])
