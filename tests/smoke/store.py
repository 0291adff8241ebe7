"""A dataset into a file and back."""

import tempfile
from pathlib import Path

import xarray as xr

from ntkfield import store

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "x.zarr.zip"
    store.save(xr.Dataset({"x": ("n", [1.0, 2.0])}), path, seed=1)
    assert store.load(path)["x"].sum() == 3
