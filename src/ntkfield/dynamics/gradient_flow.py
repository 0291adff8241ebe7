r"""Wide networks trained by gradient flow, and Gaussian-process posteriors, from kernels between inputs.

Gradient flow on the square loss :math:`\tfrac12\sum_i (f(x_i)-y_i)^2` moves an infinitely wide network by
:math:`\dot f_t(x) = -\eta\,\Theta(x, X)\,(f_t(X) - y)`, which is solved by

.. math:: f_t(x) = f_0(x) + A_t\,(y - f_0(X)), \qquad
   A_t = \Theta(x, X)\,\Theta^{-1}\left(1 - e^{-\eta\Theta t}\right),

with :math:`f_0` a Gaussian process of covariance K. Source: Lee, Xiao et al., *Wide Neural Networks of Any Depth
Evolve as Linear Models Under Gradient Descent* (NeurIPS 2019, arXiv 1902.06720), equations 8 to 16.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from scipy.linalg.lapack import dlange, dpocon  # pyright: ignore[reportAttributeAccessIssue]  # made by SciPy's import

from ntkfield import checks

EPS = float(np.finfo(np.float64).eps)
# How far, relative to the largest entry or eigenvalue, a Gram matrix may be from symmetric and positive: what kernels
# computed in float32 show. Anything further is another matrix, or one whose error needs a regulariser.
SLACK = 1e-6
ROWS = 256  # of a matrix, symmetrised at a time


def gradient_flow(
    k_train_train: Any, k_test_train: Any, y: Any, t: Any, rate: float = 1.0, diag_reg: float = 0.0
) -> jax.Array:
    r"""Mean prediction :math:`\mu_t = A_t\,y` of the infinite-width ensemble, whose mean is zero at t = 0.

    Exact but for rounding. Where :math:`\eta\lambda t` is small the factor :math:`(1-e^{-\eta\lambda t})/\lambda`
    keeps its digits, so that a singular Gram matrix does no harm at finite t. Eigenvalues are known within
    :math:`\epsilon\lambda_{max}`, so directions with eigenvalues below that carry errors once
    :math:`\eta t\,\epsilon\lambda_{max}` nears one; slightly negative eigenvalues count as zero.

    Args:
        k_train_train: NTK [n, n] of the training inputs.
        k_test_train: NTK [m, n].
        y: targets [n] or [n, outputs].
        t: time, or 1-d array of times, zero or above, ``inf`` for the end of training.
        rate: learning rate :math:`\eta`, a factor of the time.
        diag_reg: r in :math:`\Theta + r\,\mathrm{mean}(\mathrm{diag}\,\Theta)\,1`, which takes the place of
            :math:`\Theta` between training inputs everywhere, in the inverse and in the exponent.

    Returns:
        Predictions [m] or [m, outputs], after a leading axis of times if `t` is an array.

    Raises:
        ValueError: naming the field, the value and what is accepted; also if `t` is infinite and the (regularised)
            matrix is numerically singular: its condition number in the 1-norm, as LAPACK estimates it, times n and
            the spacing of floats is not below one.
    """
    theta, across = _square("k_train_train", k_train_train), _across("k_test_train", k_test_train, k_train_train)
    targets = checked_targets(y, len(theta))
    times, scalar = checked_times(t)
    columns = targets.reshape(len(theta), -1)
    parts = _filtered(_regularised(theta, diag_reg), columns, times, checks.positive("rate", rate))
    result = jnp.asarray(across @ parts).reshape(len(times), len(across), *targets.shape[1:])
    return result[0] if scalar else result


def posterior(
    k_train_train: Any, k_test_train: Any, k_test_test: Any, y: Any, diag_reg: float = 0.0
) -> tuple[jax.Array, jax.Array]:
    r"""Gaussian-process posterior, for the NNGP: mean :math:`kK^{-1}y`, covariance :math:`k_{**} - kK^{-1}k^T`.

    Args:
        k_train_train: NNGP K [n, n] of the training inputs.
        k_test_train: NNGP k [m, n].
        k_test_test: NNGP [m, m] of the test inputs, or its diagonal [m].
        y: targets [n] or [n, outputs].
        diag_reg: r in :math:`K + r\,\mathrm{mean}(\mathrm{diag}\,K)\,1`, which takes the place of K: noise on y.

    Returns:
        Mean [m] or [m, outputs], and the covariance [m, m], the same for each output, or its diagonal [m] (the
        variances, never below zero) if `k_test_test` is a diagonal.

    Raises:
        ValueError: as for :func:`gradient_flow` at infinite time.
    """
    k, across = _square("k_train_train", k_train_train), _across("k_test_train", k_test_train, k_train_train)
    prior = _prior("k_test_test", k_test_test, len(across))
    targets = checked_targets(y, len(k))
    factor = _cholesky(_regularised(k, diag_reg))
    solve = _dense().solve_triangular
    half = solve(factor, across.T, lower=True)
    mean = jnp.asarray(half.T @ solve(factor, targets, lower=True))
    if prior.ndim == 1:
        return mean, jnp.asarray((prior - (half**2).sum(axis=0)).clip(0.0))
    return mean, jnp.asarray(prior - half.T @ half)


def ensemble_covariance(
    nngp_train_train: Any,
    nngp_test_train: Any,
    nngp_test_test: Any,
    ntk_train_train: Any,
    ntk_test_train: Any,
    t: Any,
    rate: float = 1.0,
    diag_reg: float = 0.0,
) -> jax.Array:
    r"""Covariance over initialisations of infinitely wide networks trained for a time t.

    .. math:: K(x,x') + A_t K(X,X) A_t'^T - A_t K(X,x') - K(x,X) A_t'^T

    (arXiv 1902.06720, equation 16): K at t = 0; the GP posterior's at infinite time if the two kernels are one.

    Args:
        nngp_train_train: NNGP K [n, n] of the training inputs.
        nngp_test_train: NNGP [m, n].
        nngp_test_test: NNGP [m, m] of the test inputs, or its diagonal [m].
        ntk_train_train: NTK [n, n] of the training inputs.
        ntk_test_train: NTK [m, n].
        t: time, or 1-d array of times, zero or above, ``inf`` for the end of training.
        rate: learning rate :math:`\eta`.
        diag_reg: as for :func:`gradient_flow`, added to the NTK of the training inputs only.

    Returns:
        Covariance of one output [m, m], or its diagonal [m] (variances, never below zero) if `nngp_test_test` is one;
        after a leading axis of times if `t` is an array.

    Raises:
        ValueError: as for :func:`gradient_flow`.
    """
    theta, across = (
        _square("ntk_train_train", ntk_train_train),
        _across("ntk_test_train", ntk_test_train, ntk_train_train),
    )
    k, k_across = _square("nngp_train_train", nngp_train_train), _across("nngp_test_train", nngp_test_train, theta)
    if k.shape != theta.shape:
        raise checks.refuse("nngp_train_train of shape", k.shape, f"that of ntk_train_train, {theta.shape}")
    if len(k_across) != len(across):
        raise checks.refuse("nngp_test_train of shape", k_across.shape, f"that of ntk_test_train, {across.shape}")
    prior = _prior("nngp_test_test", nngp_test_test, len(across))
    times, scalar = checked_times(t)
    weights = _filtered(_regularised(theta, diag_reg), across.T, times, checks.positive("rate", rate))  # A_t^T
    if prior.ndim == 1:
        result = (prior + (weights * (k @ weights - 2 * k_across.T)).sum(axis=1)).clip(0.0)
    else:
        half = weights.swapaxes(1, 2) @ (0.5 * (k @ weights) - k_across.T)
        result = prior + half + half.swapaxes(1, 2)
    return jnp.asarray(result[0] if scalar else result)


def _filtered(matrix: np.ndarray, columns: np.ndarray, times: np.ndarray, rate: float) -> Any:
    r"""The product :math:`M^{-1}(1 - e^{-\eta M t})\,c` for every time t and column c, [times, n, columns]."""
    xp, ended = _arrays(), np.isinf(times)
    parts = []
    if not ended.all():
        values, vectors = xp.linalg.eigh(matrix)
        lowest, highest = float(values[0]), float(values[-1])
        if lowest < -SLACK * highest:
            raise checks.refuse(
                "smallest eigenvalue of the train-train kernel",
                float(f"{lowest:.3g}"),
                f"one above {-SLACK:.1g} of the largest, {highest:.3g}: a kernel is positive semi-definite",
            )
        values = values.clip(0.0)
        reached = rate * times[~ended, None]
        with np.errstate(over="ignore"):  # of no consequence: 1 - exp(-x) is one long before
            exponents = values * reached
        # (1 - exp(-x)) / eigenvalue, whose limit at eigenvalue 0 is rate t.
        filters = xp.where(exponents > 0, -xp.expm1(-exponents) / xp.where(exponents > 0, values, 1.0), reached)
        parts.append(vectors @ (filters[:, :, None] * (vectors.T @ columns)))
    if ended.any():
        parts.append(_dense().cho_solve((_cholesky(matrix), True), columns)[None])
    # All infinite times have the last part.
    return xp.concatenate(parts)[np.where(ended, -1, np.cumsum(~ended) - 1)]


def _arrays() -> Any:
    """NumPy, which compiles nothing, or JAX on an accelerator."""
    return np if jax.default_backend() == "cpu" else jnp


def _dense() -> Any:
    """The routines for dense matrices: SciPy's, which work in place, or JAX's on an accelerator."""
    return scipy.linalg if _arrays() is np else jax.scipy.linalg


def _cholesky(matrix: np.ndarray) -> Any:
    """The lower Cholesky factor, refused if the matrix is numerically singular; the matrix is lost."""
    norm, reciprocal, limit = dlange("1", matrix.T), 0.0, 1 / (len(matrix) * EPS)
    try:
        # In Fortran's order, as LAPACK takes it without a copy: the matrix is symmetric.
        factor = _dense().cholesky(matrix.T, lower=True, overwrite_a=True, check_finite=False)
        if np.isfinite(factor[-1, -1]):  # a failed factorisation on an accelerator is NaN to its end
            reciprocal, _ = dpocon(np.asarray(factor), norm, uplo="L")
    except np.linalg.LinAlgError:
        factor = None
    if reciprocal * limit <= 1:
        condition = float(f"{1 / reciprocal:.2g}") if reciprocal else np.inf
        raise checks.refuse(
            "condition number of the train-train kernel",
            condition,
            f"one below {limit:.2g} where its inverse is needed: "
            "set diag_reg above the kernel's own relative error (1e-10, say, if it is exact), or a finite t",
        )
    return factor


def _regularised(matrix: np.ndarray, diag_reg: float) -> np.ndarray:
    """The matrix itself, with the regulariser added to its diagonal."""
    shift = checks.non_negative("diag_reg", diag_reg) * np.trace(matrix) / len(matrix)
    np.einsum("ii->i", matrix)[:] += shift
    return matrix


def _square(field: str, value: Any) -> np.ndarray:
    """A copy of a symmetric matrix, symmetric to the last bit."""
    matrix = checks.array(field, value, "n, n")
    if matrix.shape[0] != matrix.shape[1]:
        raise checks.refuse(f"{field} of shape", matrix.shape, "a square matrix, [n, n]")
    symmetric, asymmetry, largest = np.empty(matrix.shape), 0.0, max(matrix.max(), -matrix.min())
    for start in range(0, len(matrix), ROWS):  # no second temporary of this size
        rows, columns = matrix[start : start + ROWS], matrix[:, start : start + ROWS].T
        asymmetry = max(asymmetry, np.abs(rows - columns).max())
        symmetric[start : start + ROWS] = 0.5 * (rows + columns)
    if asymmetry > SLACK * largest:
        raise checks.refuse(f"asymmetry of {field}", float(f"{asymmetry:.3g}"), f"at most {SLACK * largest:.2g}")
    return symmetric


def _across(field: str, value: Any, train: Any) -> np.ndarray:
    matrix, n = checks.array(field, value, "m, n"), len(train)
    if matrix.shape[1] != n:
        raise checks.refuse(f"{field} of shape", matrix.shape, f"[m, {n}], a column for each training input")
    return matrix


def _prior(field: str, value: Any, m: int) -> np.ndarray:
    """A kernel between test inputs: a symmetric matrix [m, m], or its diagonal [m]."""
    matrix = checks.array(field, value, "m") if np.ndim(value) == 1 else _square(field, value)
    if len(matrix) != m:
        raise checks.refuse(f"{field} of shape", matrix.shape, f"[{m}, {m}] or [{m}], as there are {m} test inputs")
    return matrix


def checked_targets(value: Any, n: int) -> np.ndarray:
    """Targets [n] or [n, outputs], refused if they are not."""
    targets = checks.array("y", value, "n" if np.ndim(value) == 1 else "n, outputs")
    if len(targets) != n:
        raise checks.refuse("y of shape", targets.shape, f"[{n}] or [{n}, outputs], a row for each training input")
    return targets


def checked_times(value: Any) -> tuple[np.ndarray, bool]:
    """Times as a 1-d array, and whether a scalar was given."""
    accepted = "a time or a 1-d array of times, zero or above, inf allowed"
    try:
        times = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise checks.refuse("t", value, accepted) from None
    if times.ndim > 1 or times.size == 0:
        raise checks.refuse("t of shape", times.shape, accepted)
    if not (times >= 0).all():
        raise checks.refuse("t", float(times[~(times >= 0)].flat[0]) if times.ndim else float(times), accepted)
    return np.atleast_1d(times), times.ndim == 0
