"""Ratios of hidden widths, from the widths or ratios that a call gives."""

from collections.abc import Sequence

import numpy as np

from ntkfield import checks


def layer_ratios(
    depth: int, widths: Sequence[float] | None, ratios: Sequence[float] | None, dimension: int, last: float = np.inf
) -> np.ndarray:
    """Ratio of each step's width to the width before it, [L - 1].

    The first, which matters for an orthogonal first layer alone, is that of the first width to the larger of it and the
    inputs' `dimension`; it is 1 where neither `widths` nor the `last` hidden width are given.
    """
    hidden, count = depth - 1, max(depth - 2, 0)
    if widths is not None and ratios is not None:
        raise checks.refuse("width_ratios", ratios, "None beside widths")
    if widths is not None:
        n = _lengths("widths", widths, hidden, f"{hidden} hidden widths for depth {depth}")
        first, others = n[:1], n[1:] / n[:-1]
    else:
        given = [1.0] * count if ratios is None else ratios
        others = _lengths("width_ratios", given, count, f"{count} ratios for depth {depth}")
        first = np.full(min(hidden, 1), last / np.prod(others))
    return np.concatenate([np.minimum(1.0, first / dimension), others])


def _lengths(field: str, values: Sequence[float], count: int, accepted: str) -> np.ndarray:
    if not hasattr(values, "__len__") or len(values) != count:
        raise checks.refuse(field, values, accepted)
    return np.array([checks.positive(field, value) for value in values])
