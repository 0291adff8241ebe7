"""A Gram matrix as a set of tiles: what is stored is never recomputed, and readers see one array.

Samples are numbered once and for all and cut into blocks of equal length; the tile (i, j), i <= j, holds the kernels
between blocks i and j. More samples mean more blocks, and the tiles that exist stay as they are.
"""

from collections.abc import Callable

import numpy as np
import xarray as xr


class TiledGram:
    """A symmetric matrix over all samples whose tiles are read when they are asked for.

    Args:
        load: the tile (i, j), i <= j, as a dataset with the dimensions row and column.
        block_size: samples in a block.
        variable: which of the dataset's variables.
        select: coordinates that pick one matrix from it, as in ``{"matching": "element"}``.
    """

    def __init__(
        self, load: Callable[[int, int], xr.Dataset], block_size: int, variable: str, select: dict[str, str]
    ) -> None:
        self._load = load
        self._size = block_size
        self._variable = variable
        self._select = select

    def __call__(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The submatrix of the given samples, reading only the tiles it needs."""
        rows, columns = np.asarray(rows), np.asarray(columns)
        result = np.empty((len(rows), len(columns)))
        for i in np.unique(rows // self._size):
            for j in np.unique(columns // self._size):
                here, there = rows // self._size == i, columns // self._size == j
                tile = self._tile(i, j)
                result[np.ix_(here, there)] = tile[np.ix_(rows[here] % self._size, columns[there] % self._size)]
        return result

    def _tile(self, i: int, j: int) -> np.ndarray:
        tile = self._load(min(i, j), max(i, j))[self._variable].sel(self._select).transpose("row", "column").values
        return tile if i <= j else tile.T


class TiledCross(TiledGram):
    """A matrix between two sets of samples, each with blocks of its own: every tile (i, j) is stored as it is."""

    def _tile(self, i: int, j: int) -> np.ndarray:
        return self._load(i, j)[self._variable].sel(self._select).transpose("row", "column").values
