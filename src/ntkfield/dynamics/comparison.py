"""Ensembles compared by their means, without the bias of their sampling error, and laws of the width."""

from typing import Any, NamedTuple

import numpy as np

from ntkfield import checks


class Estimate(NamedTuple):
    """A number with its standard error, or arrays of them."""

    value: Any
    error: Any


def squared_difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared difference of two ensembles' mean outputs, averaged over inputs.

    It is biased upwards by the variance of the means, and so falls like 1/N until it meets the difference itself.

    Args:
        a: outputs [members, ..., inputs].
        b: outputs [members, ..., inputs] of other networks.

    Returns:
        Array [...].
    """
    return ((a.mean(axis=0) - b.mean(axis=0)) ** 2).mean(axis=-1)


def along(sample: np.ndarray, direction: np.ndarray) -> Estimate:
    """An ensemble's mean along a given direction, in root mean square over inputs.

    Linear in the sample, and so without bias at any ensemble size; the standard error is that of independent members.

    Args:
        sample: numbers [members, ..., inputs], two members or more.
        direction: [..., inputs]; where it is zero so is what is found.
    """
    size = np.linalg.norm(direction, axis=-1, keepdims=True)
    unit = np.divide(direction, size, where=size > 0, out=np.zeros_like(direction)) / direction.shape[-1] ** 0.5
    found = np.sum(sample * unit, axis=-1)
    return Estimate(found.mean(axis=0), found.std(axis=0, ddof=1) / len(found) ** 0.5)


def unbiased_squared_difference(a: np.ndarray, b: np.ndarray, draws: int = 400, seed: int = 0) -> Estimate:
    """:func:`squared_difference` less the variance of the two means: right on average at any ensemble size.

    Negative where the ensembles' sampling error hides the difference. The error is the bootstrap's, over members.

    Args:
        a: outputs [members, ..., inputs], two members or more.
        b: likewise.
        draws: resamplings of the bootstrap.
        seed: of the resamplings.

    Raises:
        ValueError: for an ensemble of one.
    """
    for field, ensemble in (("a", a), ("b", b)):
        if len(ensemble) < 2:
            raise checks.refuse(f"members of {field}", len(ensemble), "two or more")
    rng = np.random.default_rng(seed)
    noise = sampling_floor(a, b)
    draw = np.stack([squared_difference(*(e[rng.integers(len(e), size=len(e))] for e in (a, b))) for _ in range(draws)])
    return Estimate(squared_difference(a, b) - noise, draw.std(axis=0, ddof=1))


def spread(values: np.ndarray) -> Estimate:
    """Standard deviation over an ensemble, of which the variance is averaged over queries.

    The standard error is that of the mean over members of squared distances from their mean.

    Args:
        values: of each member [members, ..., queries], two members or more.

    Raises:
        ValueError: for an ensemble of one.
    """
    count = len(values)
    if count < 2:
        raise checks.refuse("members", count, "two or more")
    squares = ((values - values.mean(axis=0)) ** 2).mean(axis=-1) * count / (count - 1)
    value = np.sqrt(squares.mean(axis=0))
    return Estimate(value, squares.std(axis=0, ddof=1) / count**0.5 / (2 * value))


def error_of_mean(outputs: np.ndarray, truth: np.ndarray) -> Estimate:
    """Squared error of an ensemble's mean, averaged over queries, as if the ensemble were infinite.

    The variance of the mean, by which the squared error of a finite ensemble is too large on average, is taken off. The
    standard error is that of means that are normal, as by the central limit theorem.

    Args:
        outputs: of independent members [members, ..., queries], two or more.
        truth: [..., queries].

    Raises:
        ValueError: for an ensemble of one.
    """
    members, queries = len(outputs), outputs.shape[-1]
    if members < 2:
        raise checks.refuse("members", members, "two or more")
    mean = outputs.mean(axis=0)
    noise, off = (outputs - mean) / np.sqrt(members * (members - 1)), mean - truth
    # With covariance C of the mean and b = E off: tr C is the bias; the square's variance is 4 b C b + 2 tr C^2, of
    # which off C off, with noise of its own, has b C b + tr C^2 on average.
    covariance = np.einsum("k...q,k...r->...qr", noise, noise)
    square = (off**2).mean(axis=-1) - np.einsum("...qq->...", covariance) / queries
    along = np.einsum("...q,...qr,...r->...", off, covariance, off)
    own = np.einsum("...qr,...qr->...", covariance, covariance)
    variance = np.maximum(4 * along - 2 * own, 2 * own)
    return Estimate(square, np.sqrt(variance) / queries)


def sampling_floor(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """What :func:`squared_difference` is on average for two ensembles of one distribution, [...]."""
    of_a, of_b = ((e.var(axis=0, ddof=1) / len(e)).mean(axis=-1) for e in (a, b))
    return of_a + of_b


def unbiased_mean_square(sample: np.ndarray, draws: int = 400, seed: int = 0) -> Estimate:
    """Square of an ensemble's mean, averaged over inputs, less the variance of that mean.

    Right on average at any ensemble size, and negative where sampling hides the mean. The error is the bootstrap's.

    Args:
        sample: numbers [members, inputs], two members or more.
        draws: resamplings of the bootstrap.
        seed: of the resamplings.

    Raises:
        ValueError: for an ensemble of one.
    """
    if len(sample) < 2:
        raise checks.refuse("members of sample", len(sample), "two or more")
    members, rng = len(sample), np.random.default_rng(seed)
    counts = rng.multinomial(members, np.full(members, 1 / members), size=draws)
    draw = np.mean((counts @ sample / members) ** 2, axis=1)
    found = np.mean(sample.mean(axis=0) ** 2) - np.mean(sample.var(axis=0, ddof=1)) / members
    return Estimate(float(found), float(draw.std(ddof=1)))


class BySize(NamedTuple):
    """Squared differences of parts of two ensembles, over the number of members of a part.

    Attributes:
        sizes: members of a part, 2, 4, 8, ... [sizes].
        found: mean of :func:`squared_difference` over disjoint parts, with its standard error [sizes, ...].
        sampling: what it would be on average if the two ensembles were of one distribution [sizes, ...].
    """

    sizes: np.ndarray
    found: Estimate
    sampling: np.ndarray


def difference_by_size(a: np.ndarray, b: np.ndarray, seed: int = 0) -> BySize:
    """How the squared difference of two ensembles' means falls with their size.

    Args:
        a: outputs [members, ..., inputs], two members or more.
        b: likewise, of as many other networks.
        seed: of the bootstrap that gives the error where fewer than four parts show no spread of their own.

    Raises:
        ValueError: for ensembles of different sizes or of one.
    """
    if len(a) != len(b):
        raise checks.refuse("members of b", len(b), f"{len(a)}, as many as in a")
    members, whole = len(a), unbiased_squared_difference(a, b, seed=seed)
    sizes = 2 ** np.arange(1, int(np.log2(members)) + 1)
    values, errors = [], []
    for size in sizes:
        parts = [slice(start, start + size) for start in range(0, members - size + 1, size)]
        each = np.stack([squared_difference(a[part], b[part]) for part in parts])
        values.append(each.mean(axis=0))
        # The whole ensemble's error, as if sampling were all, is that of one part scaled to its size.
        scaled = whole.error * members / size
        errors.append(each.std(axis=0, ddof=1) / len(each) ** 0.5 if len(each) > 3 else scaled)
    sampling = np.stack([sampling_floor(a, b) * members / size for size in sizes])
    return BySize(sizes, Estimate(np.stack(values), np.stack(errors)), sampling)


def less_start(output: np.ndarray, start: np.ndarray, influence: np.ndarray) -> np.ndarray:
    r"""Outputs less what the exact flow makes of their random start, which is zero on average.

    .. math:: f_t(x) - \left[f_0(x) - A_t(x, X)\,f_0(X)\right],
        \qquad A_t = \Theta(x, X)\,\Theta^{-1}\left(1 - e^{-\eta\Theta t}\right).

    Its mean over an ensemble is that of the outputs; infinitely wide networks have it without any spread. Source: Lee,
    Xiao et al. (NeurIPS 2019, arXiv 1902.06720), equation 8.

    Args:
        output: of trained networks [members, time, inputs], the first time 0.
        start: of the same networks on their n training inputs before training [members, n].
        influence: A, as :func:`~ntkfield.dynamics.gradient_flow.gradient_flow` predicts for unit targets
            [time, inputs, n].
    """
    return output - (output[:, :1] - np.einsum("tip,mp->mti", influence, start))


def infinite_width(n: np.ndarray, y: Estimate) -> Estimate:
    """The value at infinite width of the parabola in 1/n through numbers measured at finite widths.

    Only the widest networks are used, from an eighth of the largest width on, since further powers show below; with two
    of them the parabola is a line, with one a constant. What the parabola leaves out is not in the error.

    Args:
        n: different widths.
        y: numbers with their standard errors, one a width.
    """
    used = n >= np.max(n) / 8
    powers = tuple(range(min(3, int(used.sum()))))
    found, errors, _ = _inverse_powers(n[used], Estimate(np.asarray(y.value)[used], np.asarray(y.error)[used]), powers)
    return Estimate(float(found[0]), float(errors[0]))


def _inverse_powers(x: np.ndarray, y: Estimate, powers: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, float]:
    """Coefficients of some powers of 1/x by weighted least squares, their standard errors, and chi squared."""
    design = np.stack([1.0 / x**power for power in powers], axis=1) / np.asarray(y.error)[:, None]
    measured = np.asarray(y.value) / y.error
    covariance = np.linalg.inv(design.T @ design)
    found = covariance @ design.T @ measured
    return found, np.diag(covariance) ** 0.5, float(np.sum((measured - design @ found) ** 2))
