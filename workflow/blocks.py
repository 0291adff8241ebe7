"""Blocks of samples and tiles of Gram matrices, in an order that only grows when samples are added."""

from collections.abc import Iterator


def block_count(n_samples: int, block_size: int) -> int:
    """Blocks needed for `n_samples`; the last one is filled up, so that more samples leave every tile as it is."""
    return -(-n_samples // block_size)


def tile_indices(n_blocks: int) -> Iterator[tuple[int, int]]:
    """Tiles (i, j), i <= j, of a symmetric matrix."""
    return ((i, j) for j in range(n_blocks) for i in range(j + 1))


def tile_count(n_blocks: int) -> int:
    """How many tiles :func:`tile_indices` gives."""
    return n_blocks * (n_blocks + 1) // 2
