"""Functions of one variable as tables, read by programs of JAX and of NumPy alike."""

from types import ModuleType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield.checks import Array


class Table(NamedTuple):
    """Functions of one variable as polynomials on intervals of [-reach, reach]: coefficients [F, 8, intervals]."""

    reach: Array | float
    coefficients: Array


# From values at -3, ..., 4 to the polynomial through them in powers of u - 1/2, u the place in the interval [0, 1].
_POWERS = np.linalg.inv(np.vander(np.arange(-3, 5) - 0.5, 8, increasing=True))


def namespace(x: Array) -> ModuleType:
    """The package whose functions an array is for."""
    return jnp if isinstance(x, jax.Array) else np


def places(reach: Array | float, intervals: int) -> Array:
    """Where a table's functions are evaluated: the ends of its intervals and some beyond [-reach, reach]."""
    return np.arange(-3, intervals + 5) * (2 * reach / intervals) - reach


def through(reach: Array | float, values: Array) -> Table:
    """The table of degree 7 through `values` [F, places]; its error falls with the eighth power of the intervals."""
    xp, intervals = namespace(values), values.shape[1] - 8
    windows = xp.stack([values[:, j : j + intervals] for j in range(8)])
    return Table(reach, xp.einsum("kj,jfi->fki", _POWERS, windows))


def interpolated(table: Table, s: Array) -> Array:
    """Values [F, ...] of a table's functions at `s`."""
    xp, intervals = namespace(s), table.coefficients.shape[-1]
    place = xp.where(table.reach > 0, (s / xp.where(table.reach > 0, table.reach, 1.0) + 1) * 0.5 * intervals, 0.0)
    place = xp.clip(place, 0, intervals)
    index = xp.clip(xp.floor(place), 0, intervals - 1)
    u, index = place - index - 0.5, index.astype(xp.int32)

    def one(coefficients: Array) -> Array:
        value = xp.take(coefficients[7], index, mode="clip")
        for power in reversed(range(7)):
            value = value * u + xp.take(coefficients[power], index, mode="clip")
        return value

    if xp is np:
        return np.stack([one(coefficients) for coefficients in table.coefficients])
    # A loop, whose result is kept: in straight code every product of two functions would look both up again.
    return jax.lax.map(one, table.coefficients)
