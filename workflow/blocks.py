"""Blocks of samples and tiles of Gram matrices, in an order that only grows with the samples; parts of ensembles."""

from collections.abc import Iterator, Mapping
from typing import Any


def block_count(n_samples: int, block_size: int) -> int:
    """Blocks needed for `n_samples`; the last one is filled up, so that more samples leave every tile as it is."""
    return -(-n_samples // block_size)


def tile_indices(n_blocks: int) -> Iterator[tuple[int, int]]:
    """Tiles (i, j), i <= j, of a symmetric matrix."""
    return ((i, j) for j in range(n_blocks) for i in range(j + 1))


def parts(ensembles: Mapping[str, Any]) -> range:
    """Numbers of the parts of ensembles of networks, each a job's; `ensembles` is the config's section."""
    return range(ensembles["members"] // ensembles["part_size"])


def members(ensembles: Mapping[str, Any], part: str) -> list[int]:
    """First member of a part, and the one after its last."""
    return [int(part) * ensembles["part_size"], (int(part) + 1) * ensembles["part_size"]]
