"""Theories and merged samples of a finite-width study, by name."""

import functools
from collections.abc import Iterable
from pathlib import Path

import xarray as xr

from ntkfield import store
from ntkfield.sampling.parts import merge


def theories(paths: Iterable[str]) -> dict[str, xr.Dataset]:
    """Stored theories by their name."""
    return {Path(path).name.removesuffix(store.SUFFIX): store.load(path) for path in paths}


def samples(paths: Iterable[str]) -> dict[str, xr.Dataset]:
    """Stored samples by the name of their run, all parts of a run merged."""
    parts: dict[str, list[xr.Dataset]] = {}
    for path in paths:
        parts.setdefault(Path(path).parent.name, []).append(_measured(path))
    return {name: functools.reduce(merge, datasets) for name, datasets in parts.items()}


def _measured(path: str) -> xr.Dataset:
    """A sample without the record of what made it, which differs between the parts of a run."""
    sample = store.load(path)
    return sample.assign_attrs({key: value for key, value in sample.attrs.items() if key not in store.PROVENANCE})


def over(datasets: dict[str, xr.Dataset], prefix: str, dimension: str) -> xr.Dataset:
    """The runs named ``prefix`` + number, along a dimension with those numbers as its coordinate."""
    chosen = {int(name.removeprefix(prefix)): data for name, data in datasets.items() if name.startswith(prefix)}
    ordered = dict(sorted(chosen.items()))
    joined = xr.concat([data.isel(layer=-1, drop=True) for data in ordered.values()], dimension, combine_attrs="drop")
    return joined.assign_coords({dimension: list(ordered)})
