"""Tiles of a Gram matrix."""

import numpy as np
import xarray as xr

from ntkfield.infinite import tiles


def test_a_submatrix_reads_only_its_tiles() -> None:
    matrix = np.random.default_rng(0).normal(size=(12, 12))
    matrix += matrix.T
    read = []

    def load(i: int, j: int) -> xr.Dataset:
        read.append((i, j))
        block = matrix[4 * i : 4 * i + 4, 4 * j : 4 * j + 4]
        return xr.Dataset({"ntk": (("matching", "row", "column"), block[None])}, coords={"matching": ["element"]})

    gram = tiles.TiledGram(load, 4, "ntk", {"matching": "element"})
    rows, columns = np.array([9, 0, 3, 10]), np.array([1, 11, 8])
    np.testing.assert_array_equal(gram(rows, columns), matrix[np.ix_(rows, columns)])
    assert set(read) == {(0, 0), (0, 2), (2, 2)}


def test_a_matrix_between_two_sets_keeps_its_tiles_as_they_are() -> None:
    full = np.arange(6 * 9.0).reshape(6, 9)

    def load(i: int, j: int) -> xr.Dataset:
        return xr.Dataset({"ntk": (("row", "column"), full[3 * i : 3 * i + 3, 3 * j : 3 * j + 3])})

    cross = tiles.TiledCross(load, 3, "ntk", {})
    rows, columns = np.array([5, 0, 3]), np.array([8, 1, 1, 4])
    np.testing.assert_array_equal(cross(rows, columns), full[np.ix_(rows, columns)])
