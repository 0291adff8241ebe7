"""Numbers as they stand in the sentences under the figures."""

import math

import numpy as np

CERTAIN = 2.0  # standard errors from zero, beyond which the sign of a number is known
EXPECTED = 3.0  # standard errors that a sampled number is rarely off


def with_error(value: float, error: float) -> str:
    """A number with its error, as ``0.0045 ± 0.0006``.

    The error has one digit, two where it begins with 1, and the value ends at the same place; four digits of the value
    alone where the error is zero or unknown.
    """
    if not (error > 0 and math.isfinite(error)):
        return f"{value:.4g}"
    place = math.floor(math.log10(error))
    digits = (1 if round(error / 10.0**place, 6) < 1.95 else 0) - place
    if digits > 6:
        top = math.floor(math.log10(max(abs(value), error)))
        return f"({value / 10.0**top:.{digits + top}f} ± {error / 10.0**top:.{digits + top}f}) · 10^{top}"
    return f"{round(value, digits):.{max(digits, 0)}f} ± {round(error, digits):.{max(digits, 0)}f}"


def activation(name: str) -> str:
    """An activation's name, as results hold it, in a sentence."""
    return {"relu": "ReLU", "gelu": "GELU", "identity": "linear"}.get(name, name.replace("leaky_relu", "leaky ReLU "))


def spaced(name: str) -> str:
    """A name of a config's, as ``depth_2``, with spaces."""
    return name.replace("_", " ")


def listed(parts: list[str]) -> str:
    """A list in a sentence: ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def agreement(sigmas: np.ndarray) -> str:
    """How many of some differences, in standard errors, are within three, and the largest of them."""
    sigmas = np.abs(np.ravel(sigmas))
    within = int((sigmas <= EXPECTED).sum())
    return f"{within} of {sigmas.size} are within three standard errors and the largest is {sigmas.max():.1f}"
