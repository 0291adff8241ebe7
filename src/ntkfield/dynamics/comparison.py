"""Ensembles compared by their means, without the bias of their sampling error, and powers of the width."""

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


def sampling_floor(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """What :func:`squared_difference` is on average for two ensembles of one distribution, [...]."""
    return sum((e.var(axis=0, ddof=1) / len(e)).mean(axis=-1) for e in (a, b))


def power_law(x: np.ndarray, y: Estimate) -> tuple[Estimate, float]:
    """The exponent and the prefactor of y = c x^p by weighted least squares in logarithms.

    Args:
        x: two or more positive numbers.
        y: positive numbers with their standard errors.
    """
    weight = np.asarray(y.value) / np.asarray(y.error)
    design = np.stack([np.log(x), np.ones(len(x))], axis=1)
    covariance = np.linalg.inv((design * weight[:, None] ** 2).T @ design)
    exponent, offset = covariance @ (design * weight[:, None] ** 2).T @ np.log(y.value)
    return Estimate(float(exponent), float(covariance[0, 0] ** 0.5)), float(np.exp(offset))
