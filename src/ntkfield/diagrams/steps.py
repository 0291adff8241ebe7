"""The mean over steps of a filter, as an operation on arrays."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield import checks

from .legs import Ties


def checked_reads(layer: str, reads: object, below: int) -> np.ndarray:
    """What each leg reads, [legs, steps] whole numbers; ValueError for others, or where a dense layer is given them.

    below : rows of the layer below, of which a step reaches one, or -1 where it meets a zero padding.
    """
    if layer == "dense":
        raise checks.refuse("reads", type(reads).__name__, 'nothing for a dense layer; see layer="convolution"')
    found = np.asarray(reads)
    if found.ndim != 2 or not found.size or found.dtype.kind not in "iu" or found.min() < -1 or found.max() >= below:
        raise checks.refuse(
            "reads", reads, f"an array [legs, steps] of rows of the kernel, 0 to {below - 1}, or -1 at a zero padding"
        )
    return found


def over_steps(array: jax.Array, ties: Ties, reads: np.ndarray) -> jax.Array:
    """The mean of a tensor over steps, one for the axes of each tie; [legs, legs, ...] of an array over rows below."""
    below = len(array)
    array = jnp.pad(array, [(0, 1)] * array.ndim)  # the last row is what a zero padding holds
    for axes in ties:
        total = 0.0
        for rows in np.where(reads < 0, below, reads).T:
            moved = array
            for axis in axes:
                moved = jnp.take(moved, rows, axis)
            total = total + moved
        array = total / reads.shape[1]
    return array
