"""An elementwise function and its derivatives, evaluated together: one program per function, whatever the size."""

import functools
import itertools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield.checks import Array

Function = Callable[[jax.Array], jax.Array]
HIGHEST = 5  # derivative that the first-order system reads
CHUNK = 2**13  # places evaluated at once


@functools.cache
def derivative(f: Function) -> Function:
    """The elementwise derivative of an elementwise function; the same object for the same `f`."""

    def df(x: jax.Array) -> jax.Array:
        return jax.jvp(f, (x,), (jnp.ones_like(x),))[1]

    return df


def derivatives(f: Function, highest: int) -> list[Function]:
    """`f` and its derivatives up to order `highest`, by nested forward differentiation."""
    return list(itertools.accumulate(range(highest), lambda g, _: derivative(g), initial=f))


class Tower:
    """A function's derivatives."""

    def __init__(self, derivative: Callable[[int], Function], highest: int = HIGHEST) -> None:
        """Take the map from an order to that derivative, and up to which order all are made, for fewer programs."""
        self._derivative, self._highest = derivative, highest

    def __call__(self, highest: int, x: Array) -> np.ndarray:
        """Values [1 + highest, n] at places [n] of the derivatives of order 0 to `highest`."""
        functions = tuple(self._derivative(order) for order in range(1 + max(highest, self._highest)))
        places, values = np.asarray(x, np.float64), np.empty((1 + highest, len(x)))
        for start in range(0, len(places), CHUNK):
            part = places[start : start + CHUNK]
            padded = part if len(part) == CHUNK else np.pad(part, (0, CHUNK - len(part)))
            values[:, start : start + CHUNK] = np.asarray(_values(functions, padded))[: 1 + highest, : len(part)]
        return values


@functools.partial(jax.jit, static_argnums=0)
def _values(functions: tuple[Function, ...], x: jax.Array) -> jax.Array:
    return jnp.stack([jnp.broadcast_to(f(x), x.shape) for f in functions])
