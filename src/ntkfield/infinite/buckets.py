"""Array sizes rounded up to a few values, so that a compiled program serves many of them."""

import numpy as np


def bucket(n: int) -> int:
    """`n` rounded up to a multiple of an eighth to a quarter of itself: at most a quarter more, few values."""
    step = max(1, 2 ** (max(n - 1, 1).bit_length() - 3))
    return -(-n // step) * step


def pad(x: np.ndarray, size: int) -> np.ndarray:
    """`x` with zeros appended along the first axis up to `size`."""
    xp = x.__array_namespace__()
    return xp.concatenate([x, np.zeros((size - len(x), *x.shape[1:]), x.dtype)]) if size > len(x) else x


def power(n: int) -> int:
    """`n` rounded up to a power of two, where a compiled program costs more than twice the work."""
    return 1 << max(n - 1, 0).bit_length()
