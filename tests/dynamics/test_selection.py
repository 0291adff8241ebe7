"""Leave-one-out errors and the evidence against both written out, sample by sample."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from ntkfield.dynamics.selection import leave_one_out

RNG = np.random.default_rng(5)
X = RNG.normal(size=(12, 3))
K = (1 + X @ X.T) ** 2 + 0.3 * np.eye(12)
Y = X[:, 0] - X[:, 1] ** 2
Y -= Y.mean()
REGULARISERS = [1e-3, 0.1]


def regularised(r: float) -> np.ndarray:
    return K + r * np.trace(K) / 12 * np.eye(12)


@pytest.mark.parametrize("row", [0, 1])
def test_each_sample_is_predicted_from_the_others(row: int) -> None:
    m = regularised(REGULARISERS[row])
    errors = []
    for i in range(12):
        others = np.arange(12) != i
        errors.append(Y[i] - m[i, others] @ np.linalg.solve(m[np.ix_(others, others)], Y[others]))
    # two solvers on a matrix of condition below 1e4
    np.testing.assert_allclose(leave_one_out(K, Y, REGULARISERS).errors[row], errors, rtol=1e-10)


@pytest.mark.parametrize("row", [0, 1])
def test_the_evidence_is_the_density_at_the_best_amplitude(row: int) -> None:
    judged, m = leave_one_out(K, Y, REGULARISERS), regularised(REGULARISERS[row])

    def density(amplitude: float) -> float:
        return multivariate_normal(np.zeros(12), amplitude * m).logpdf(Y)

    best = judged.amplitude[row]
    np.testing.assert_allclose(judged.log_evidence[row], density(best), rtol=1e-12)
    assert density(best) > max(density(1.01 * best), density(best / 1.01))


def test_a_regulariser_that_leaves_no_inverse_is_never_best() -> None:
    shifted = K - (np.linalg.eigvalsh(K)[0] + 1e-4) * np.eye(12)  # as an error of the kernel may leave it
    judged = leave_one_out(shifted, Y, [1e-9, 1e-3])
    assert np.isinf(judged.errors[0]).all()
    assert judged.log_evidence[0] == -np.inf
    assert np.isfinite(judged.errors[1]).all()
    assert np.isfinite(judged.log_evidence[1])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((K, Y[:5], [0.1]), r"k_train_train of shape = \(12, 12\) is refused: expected \[5, 5\]"),
        ((K, Y, [0.0]), "diag_reg = 0.0 is refused"),
        ((K, np.full(12, np.nan), [0.1]), r"y\[0\] = nan is refused"),
    ],
)
def test_bad_input_is_refused(arguments: tuple, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        leave_one_out(*arguments)
