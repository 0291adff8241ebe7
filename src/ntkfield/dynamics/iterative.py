r"""Kernel regression on more samples than a dense factorisation has memory for.

:math:`M = K + r\,\mathrm{mean}(\mathrm{diag}\,K)\,1` is solved by conjugate gradients, for all right-hand sides in one
pass over K, whose lower triangle lies in a file without a name, a panel of rows after the other. They are
preconditioned by what p landmarks Z, drawn from the samples, know of K,

.. math:: P = C\,K_{ZZ}^{-1}\,C^T + \mu 1, \qquad C = K_{XZ}, \quad \mu = r\,\mathrm{mean}(\mathrm{diag}\,K),

inverted by Woodbury's identity: with :math:`L = C\,\mathrm{chol}(K_{ZZ})^{-T}`,
:math:`P^{-1} = \mu^{-1}(1 - L(\mu 1 + L^T L)^{-1}L^T)`. Memory is n p numbers; a step costs 2 n² operations for each
right-hand side. Sources: Hestenes and Stiefel, J. Res. NBS 49 (1952) 409; Frangella, Tropp and Udell, *Randomized
Nyström preconditioning* (arXiv 2110.02820); Rudi, Carratino and Rosasco, *FALKON* (arXiv 1705.10958).
"""

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import scipy.linalg
from scipy.sparse.linalg import LinearOperator, cg

from ntkfield import checks

Gram = Callable[[np.ndarray, np.ndarray], np.ndarray]

PANEL = 1000
"""Rows of the matrix that are read at a time."""
LANDMARKS = 2000
"""At most, and a quarter of the samples."""
PROBES = 16
"""Queries whose variance is computed, and on which the error of the solution is measured."""


class Solved(NamedTuple):
    """What an iterative solution predicts, and how good it is.

    Attributes:
        mean: posterior mean [m].
        variance: posterior variance of the first queries [at most 16].
        noise: what was added to K's diagonal.
        residual: the largest relative residual of a right-hand side, computed anew from the solution.
        error: root mean square of what the rest of the solution would add to the first queries' means,
            :math:`k\\,M^{-1}(y - M\\alpha)`.
        iterations: steps of conjugate gradients.
    """

    mean: np.ndarray
    variance: np.ndarray
    noise: float
    residual: float
    error: float
    iterations: int


def posterior(
    gram: Gram,
    train: np.ndarray,
    test: np.ndarray,
    y: np.ndarray,
    diag_reg: float,
    *,
    rtol: float = 1e-6,
    steps: int = 1000,
    landmarks: int = LANDMARKS,
    folder: str | Path | None = None,
) -> Solved:
    r"""As :func:`~ntkfield.dynamics.gradient_flow.posterior`, iteratively and with K on disk.

    Args:
        gram: the kernel between samples, as a function of row and column numbers.
        train: numbers of the training samples [n].
        test: numbers of the queries [m].
        y: targets [n].
        diag_reg: r, above zero: the smaller, the more steps.
        rtol: residual to reach, relative to the right-hand side.
        steps: of conjugate gradients, at most.
        landmarks: of the preconditioner, at most; n times as many numbers are held.
        folder: where 4 n² bytes find room; the system's folder of temporary files if None.

    Raises:
        ValueError: naming the field, the value and what is accepted.
        RuntimeError: if the residual is not reached, with what was reached and what would help.
    """
    diag_reg = checks.positive("diag_reg", diag_reg)
    order = np.argsort(train)  # tiles of neighbours are then read once for all of them
    train, targets = np.asarray(train)[order], checks.array("y", y, "n")[order]
    cross = gram(test, train)
    prior = np.array([gram(test[i : i + 1], test[i : i + 1])[0, 0] for i in range(min(PROBES, len(test)))])
    with tempfile.TemporaryFile(dir=folder) as file:
        matrix = Panels(gram, train, file)
        mu = diag_reg * matrix.diagonal.mean()
        right = np.column_stack([targets, cross[: len(prior)].T])
        size = np.linalg.norm(right, axis=0)
        size[size == 0] = 1.0  # nothing to learn: the solution is zero
        inverse = preconditioner(matrix, mu, min(landmarks, max(1, len(train) // 4)))
        solution, iterations = _solve(matrix, mu, inverse, right / size, rtol, steps)
        solution *= size
        rest = right - matrix @ solution - mu * solution
    residual = float(np.max(np.linalg.norm(rest, axis=0) / size))
    if residual > 10 * rtol:  # the recursion of conjugate gradients may stray from the residual itself
        raise RuntimeError(
            f"the iterative solver is left with a residual of {residual:.1e} after {iterations} steps, above rtol = "
            f"{rtol:g}: a larger diag_reg than {diag_reg:g}, or more landmarks than {landmarks}, would let it converge"
        )
    weights, known = solution[:, 0], solution[:, 1:]
    variance = np.maximum(prior - np.einsum("pn,np->p", cross[: len(prior)], known), 0.0)
    error = float(np.sqrt(np.mean((known.T @ rest[:, 0]) ** 2)))
    return Solved(cross @ weights, variance, float(mu), residual, error, iterations)


class Panels:
    """A symmetric matrix whose lower triangle is written to a file once, and read in panels of rows.

    Args:
        gram: its entries, as a function of row and column numbers.
        samples: the numbers of its rows [n].
        file: open for writing bytes.
    """

    def __init__(self, gram: Gram, samples: np.ndarray, file: IO[bytes]) -> None:
        n = len(samples)
        self._edges = [*range(0, n, PANEL), n]
        self.diagonal = np.empty(n)
        for start, stop in itertools.pairwise(self._edges):
            panel = gram(samples[start:stop], samples[:stop])
            self.diagonal[start:stop] = np.diagonal(panel[:, start:])
            file.write(np.ascontiguousarray(panel, dtype=np.float64).data)
        file.flush()
        self._numbers = np.memmap(file, mode="r", dtype=np.float64)

    def __iter__(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """Each panel [stop - start, stop] with the numbers of its rows."""
        place = 0
        for start, stop in itertools.pairwise(self._edges):
            count = (stop - start) * stop
            yield start, stop, self._numbers[place : place + count].reshape(stop - start, stop)
            place += count

    def __matmul__(self, x: np.ndarray) -> np.ndarray:
        result = np.zeros_like(x)
        for start, stop, panel in self:
            result[start:stop] += panel @ x[:stop]
            result[:start] += panel[:, :start].T @ x[start:stop]
        return result

    def columns(self, which: np.ndarray) -> np.ndarray:
        """Its columns of the increasing numbers `which`, [n, columns]."""
        result = np.empty((len(self.diagonal), len(which)))
        for start, stop, panel in self:
            first, last = np.searchsorted(which, [start, stop])
            result[start:stop, :last] = panel[:, which[:last]]
            result[:start, first:last] = panel[which[first:last] - start, :start].T
        return result


def preconditioner(matrix: Panels, mu: float, rank: int) -> Callable[[np.ndarray], np.ndarray]:
    """P^-1 for right-hand sides [n, columns], from `rank` landmarks; the module's formulas."""
    n = len(matrix.diagonal)
    which = np.sort(np.random.default_rng(0).choice(n, rank, replace=False))
    root = matrix.columns(which)
    inner = root[which]
    # equal samples among the landmarks, or the kernel's own error, leave it without a factor
    jitter = 1e-12 * np.trace(inner)
    while True:
        try:
            factor = scipy.linalg.cholesky(inner + jitter * np.eye(rank), lower=True)
            break
        except np.linalg.LinAlgError:
            jitter *= 10
    root = scipy.linalg.solve_triangular(factor, root.T, lower=True, overwrite_b=True).T
    small = scipy.linalg.cho_factor(root.T @ root + mu * np.eye(rank))
    return lambda x: (x - root @ scipy.linalg.cho_solve(small, root.T @ x)) / mu


def _solve(
    matrix: Panels,
    mu: float,
    inverse: Callable[[np.ndarray], np.ndarray],
    right: np.ndarray,
    rtol: float,
    steps: int,
) -> tuple[np.ndarray, int]:
    """(K + mu 1)^-1 `right`, all columns as one long vector, and the number of steps."""
    taken = itertools.count()
    length = right.size

    def operator(of: Callable[[np.ndarray], np.ndarray]) -> LinearOperator:
        return LinearOperator((length, length), matvec=lambda x: of(x.reshape(right.shape)).ravel(), dtype=np.float64)  # pyright: ignore[reportCallIssue]  # its __new__ takes them

    # A column has at most the residual of all.
    solution, _ = cg(
        operator(lambda x: matrix @ x + mu * x),
        right.ravel(),
        rtol=rtol / np.sqrt(right.shape[1]),
        atol=0.0,
        maxiter=steps,
        M=operator(inverse),
        callback=lambda _: next(taken),
    )
    return solution.reshape(right.shape), next(taken)
