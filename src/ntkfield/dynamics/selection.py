r"""Which kernel and which regulariser to trust, judged on the training samples alone.

With :math:`M = K + r\,\mathrm{mean}(\mathrm{diag}\,K)\,1`, two judges need one eigendecomposition of K for all r:

- the prediction for sample i from all others is off by :math:`y_i - \mu_{-i}(x_i) = (M^{-1}y)_i / (M^{-1})_{ii}`;
- a Gaussian process of covariance :math:`s^2 M` with the best amplitude, :math:`s^2 = y^T M^{-1} y / n`, gives the
  samples the log density :math:`-\tfrac n2 \log(2\pi e s^2) - \tfrac12\log\det M`.

Source: Rasmussen and Williams, *Gaussian Processes for Machine Learning* (2006), equations 5.8 and 5.12.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg

from ntkfield import checks


class Judged(NamedTuple):
    """What the training samples say of each regulariser r [r].

    Attributes:
        errors: of each sample's prediction from all others, in the unit of y [r, n].
        log_evidence: log density of the samples, with the best amplitude [r].
        amplitude: that amplitude s², the factor of posterior variances, in the unit of y² over that of K [r].

    Where M is numerically singular, errors are infinite and the evidence is none, minus infinity.
    """

    errors: np.ndarray
    log_evidence: np.ndarray
    amplitude: np.ndarray


def leave_one_out(k_train_train: Any, y: Any, diag_reg: Sequence[float]) -> Judged:
    r"""Errors of predicting each training sample from all others, and the evidence; the module's formulas.

    Args:
        k_train_train: kernel K [n, n].
        y: targets of mean zero [n].
        diag_reg: regularisers r, each above zero, relative to the mean of K's diagonal.

    Returns:
        Judged. Costs one eigendecomposition, and n² operations for each r.

    Raises:
        ValueError: naming the field, the value and what is accepted.
    """
    k, targets = checks.array("k_train_train", k_train_train, "n, n"), checks.array("y", y, "n")
    if k.shape != (len(targets), len(targets)):
        raise checks.refuse(
            "k_train_train of shape", k.shape, f"[{len(targets)}, {len(targets)}], as there are targets"
        )
    regularisers = np.array([checks.positive("diag_reg", r) for r in diag_reg])
    values, vectors = scipy.linalg.eigh(k)
    n, scale = len(targets), np.trace(k) / len(k)
    shifted = values + scale * regularisers[:, None]
    # A kernel's own error may leave eigenvalues below zero: too small a regulariser then leaves M without an inverse.
    singular = shifted[:, 0] <= n * np.finfo(np.float64).eps * shifted[:, -1]
    shifted[singular] = 1.0
    rotated, squares = vectors.T @ targets, vectors**2
    errors = ((rotated / shifted) @ vectors.T) / ((1 / shifted) @ squares.T)
    amplitude = np.maximum((rotated**2 / shifted).mean(axis=1), np.finfo(np.float64).tiny)
    log_evidence = -0.5 * (n * np.log(2 * np.pi * np.e * amplitude) + np.log(shifted).sum(axis=1))
    errors[singular], log_evidence[singular] = np.inf, -np.inf
    return Judged(errors, log_evidence, amplitude)
