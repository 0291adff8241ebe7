"""Refusals at the door: one sentence that names the field, the value and what is accepted."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Union

import numpy as np

if TYPE_CHECKING:
    import jax

Array = Union["jax.Array", np.ndarray]
"""An array of either library, NumPy's where work was done in parts, JAX's where it traces."""


def refuse(field: str, value: object, accepted: str) -> ValueError:
    """The error to raise for a bad value: ``field = value is refused: expected accepted``."""
    return ValueError(f"{field} = {_short(value)} is refused: expected {accepted}")


def finite(field: str, value: float) -> float:
    """`value` as a finite float."""
    return _number(field, value, "a finite number", lambda x: True)


def positive(field: str, value: float) -> float:
    """`value` as a float above zero."""
    return _number(field, value, "a finite number above 0", lambda x: x > 0)


def non_negative(field: str, value: float) -> float:
    """`value` as a float that is zero or above."""
    return _number(field, value, "a finite number, 0 or above", lambda x: x >= 0)


def whole(field: str, value: object, minimum: int) -> int:
    """`value` as an int of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < minimum:
        raise refuse(field, value, f"a whole number, {minimum} or above")
    return int(value)


def array(field: str, value: object, axes: str) -> np.ndarray:
    """`value` as a finite float64 array whose axes are named in `axes`, as in ``"n, d"``.

    While JAX traces the value, only its shape is checked.
    """
    names = [name.strip() for name in axes.split(",")]
    core = sys.modules.get("jax.core")  # where JAX was never imported, it traces nothing
    traced = core is not None and isinstance(value, core.Tracer)
    try:
        result: Any = value if traced else np.asarray(value)
        if np.iscomplexobj(result):
            raise TypeError
        result = result.astype(np.float64) if traced else result.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        raise refuse(field, value, f"a real array [{axes}]") from None
    if result.ndim != len(names):
        raise refuse(f"{field} of shape", result.shape, f"an array of rank {len(names)}, [{axes}]")
    if 0 in result.shape:
        raise refuse(f"{field} of shape", result.shape, "no axis of length 0")
    if not traced and not np.isfinite(result).all():
        bad = tuple(int(i) for i in np.argwhere(~np.isfinite(result))[0])
        raise refuse(f"{field}{list(bad)}", result[bad], "finite numbers only")
    return result


def _number(field: str, value: float, accepted: str, holds: Callable[[float], bool]) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise refuse(field, value, accepted) from None
    if isinstance(value, bool) or not np.isfinite(number) or not holds(number):
        raise refuse(field, value, accepted)
    return number


def _short(value: object) -> str:
    text = repr(value) if not isinstance(value, np.generic) else str(value)
    text = " ".join(text.split())  # arrays print in several lines
    return text if len(text) <= 80 else text[:77] + "..."
