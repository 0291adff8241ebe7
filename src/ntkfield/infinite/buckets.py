"""Array sizes rounded up to a few values, so that a compiled program serves many of them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

LEAST = 16  # inputs that programs are compiled for: fewer cost next to nothing


def room(n: int) -> int:
    """A bucket for `n` inputs, all small numbers of which share one."""
    return bucket(max(n, LEAST))


def bucket(n: int) -> int:
    """`n` rounded up to a multiple of an eighth to a quarter of itself: at most a quarter more, few values."""
    step = max(1, 2 ** (max(n - 1, 1).bit_length() - 3))
    return -(-n // step) * step


def pad(x: Any, *sizes: int) -> Any:
    """`x` with zeros appended along its first axes up to `sizes`."""
    for axis, size in enumerate(sizes):
        if size > x.shape[axis]:
            zeros = np.zeros((*x.shape[:axis], size - x.shape[axis], *x.shape[axis + 1 :]), x.dtype)
            x = x.__array_namespace__().concatenate([x, zeros], axis=axis)
    return x


def padded(x: Any) -> Any:
    """Inputs with zeros appended up to the room that is made for so many."""
    return pad(x, room(len(x)))


def first(x: Any, *sizes: int) -> jax.Array:
    """The first so many along each axis of what was padded; cut by NumPy on a CPU, which compiles nothing."""
    whole = settled(x) if jax.default_backend() == "cpu" else x
    return jnp.asarray(whole[tuple(map(slice, sizes))])


def settled(x: Any) -> Any:
    """A JAX array as NumPy's, waiting for it; as it is while JAX traces it."""
    return x if isinstance(x, Tracer) else np.asarray(x)


def power(n: int) -> int:
    """`n` rounded up to a power of two, where a compiled program costs more than twice the work."""
    return 1 << max(n - 1, 0).bit_length()
