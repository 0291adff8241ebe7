"""xarray datasets to and from one-file zarr archives (``*.zarr.zip``), with their provenance.

A file is either complete or absent, and equal datasets give byte-identical files: entries are written in sorted order
with one fixed time stamp, and the provenance holds no dates, host names or paths of its own.
"""

import json
import os
import platform
import uuid
import zipfile
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ntkfield.extras import needs
from ntkfield.version import __version__

with needs("store", __name__):
    from zarr.core.buffer import default_buffer_prototype
    from zarr.storage import MemoryStore

SUFFIX = ".zarr.zip"
_RECORDED_PACKAGES = ("jax", "numpy", "xarray", "zarr", "s2fft", "ase")
PROVENANCE = ("config", "seed", "versions")
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip entry can carry
_FILE_MODE = 0o644 << 16


class StoreError(ValueError):
    """A store that cannot be written or read as asked."""


class DamagedStoreError(StoreError):
    """A file that holds no store, or not the whole of one; `path` is where it lies."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{str(path)!r} is damaged or no stored dataset: make it anew")
        self.path = path


def save(
    dataset: xr.Dataset,
    path: str | os.PathLike[str],
    *,
    config: Mapping[str, Any] | None = None,
    seed: int | None = None,
) -> None:
    """Write a dataset to one zarr archive, atomically.

    The archive is built under a temporary name in the same folder, flushed to disk and renamed, so that nothing
    partial ever lies under ``path``, whatever interrupts the writing.

    Args:
        dataset: What to store; its attributes are kept, the three provenance attributes are set anew.
        path: Target, ending in ``.zarr.zip``; missing parent folders are made.
        config: The settings that made the dataset, recorded as JSON in ``attrs["config"]`` (``null`` if not given).
        seed: The random seed that made the dataset, recorded in ``attrs["seed"]`` (``null`` if not given).

    Raises:
        StoreError: if the name lacks the suffix, or the config or seed cannot be written as JSON.
        OSError: if there is no room for it; names the path.

    """
    path = Path(path)
    if not path.name.endswith(SUFFIX):
        raise StoreError(f"path is {str(path)!r}, but a store's name ends in {SUFFIX!r}")
    stamped = dataset.drop_encoding().assign_attrs(_provenance_attributes(config, seed))
    entries = _zarr_entries(_recast(stamped, "U", _to_variable_width))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        _write_zip(temporary, entries)
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a full disk is reported without one
        raise


def load(path: str | os.PathLike[str]) -> xr.Dataset:
    """Read a dataset that :func:`save` wrote.

    The archive is read once, every entry against its checksum, and closed; the arrays are decompressed from memory when
    they are first used.

    Args:
        path: An archive written by :func:`save`.

    Returns:
        The dataset; :func:`provenance` decodes what made it.

    Raises:
        FileNotFoundError: if there is no such file.
        DamagedStoreError: if the file is damaged or is no zarr archive.

    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"path is {str(path)!r}, where no stored dataset lies: give an existing {SUFFIX} file")
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _open_entries({name: archive.read(name) for name in archive.namelist()})
        except Exception as error:  # damage shows as almost any error of zipfile, zarr or json
            raise DamagedStoreError(path) from error


def provenance(dataset: xr.Dataset) -> dict[str, Any]:
    """What made a loaded dataset: a dictionary with the keys ``config``, ``seed`` and ``versions``.

    Raises:
        StoreError: if the dataset carries no provenance.

    """
    missing = [name for name in PROVENANCE if name not in dataset.attrs]
    if missing:
        raise StoreError(f"dataset has no attribute {missing[0]!r}; only datasets written by save() carry provenance")
    return {name: json.loads(dataset.attrs[name]) for name in PROVENANCE}


def _provenance_attributes(config: Mapping[str, Any] | None, seed: int | None) -> dict[str, str]:
    """The three provenance attributes as JSON text with sorted keys."""
    return {
        "config": _to_json("config", config),
        "seed": _to_json("seed", seed),
        "versions": _to_json("versions", _versions()),
    }


def _versions() -> dict[str, str | None]:
    """Versions of Python, this package and the packages that numbers depend on; None for one not installed."""
    found: dict[str, str | None] = {"python": platform.python_version(), "ntkfield": __version__}
    for name in _RECORDED_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def _to_json(field: str, value: Any) -> str:
    """``value`` as JSON text with sorted keys; numpy scalars and arrays are accepted."""
    try:
        return json.dumps(value, sort_keys=True, allow_nan=False, default=_plain)
    except (TypeError, ValueError) as error:
        raise StoreError(f"{field} is {value!r}, but only finite values that JSON can hold are accepted") from error


def _plain(value: Any) -> Any:
    """A numpy scalar or array as plain Python, for json."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _zarr_entries(dataset: xr.Dataset) -> dict[str, bytes]:
    """The dataset's zarr hierarchy (format 3) as a mapping from key to bytes."""
    contents: dict[str, Any] = {}
    dataset.to_zarr(MemoryStore(contents), zarr_format=3, consolidated=False)
    return {key: contents[key].to_bytes() for key in sorted(contents)}


def _open_entries(entries: Mapping[str, bytes]) -> xr.Dataset:
    """The dataset held by a zarr hierarchy in memory, decompressed on use."""
    buffer = default_buffer_prototype().buffer
    store = MemoryStore({key: buffer.from_bytes(value) for key, value in entries.items()}, read_only=True)
    return _recast(xr.open_zarr(store, zarr_format=3, consolidated=False, chunks=None), "T", _to_fixed_width)


def _to_variable_width(values: np.ndarray) -> np.ndarray:
    """Text as the archive holds it: zarr's format specifies variable-width text only."""
    return values.astype(np.dtypes.StringDType())


def _to_fixed_width(values: np.ndarray) -> np.ndarray:
    """Text as datasets hold it in memory."""
    return np.array(values.tolist(), dtype=str).reshape(values.shape)


def _recast(dataset: xr.Dataset, kind: str, cast: Callable[[np.ndarray], np.ndarray]) -> xr.Dataset:
    """The dataset with every variable of one numpy kind (U: fixed-width, T: variable-width text) cast."""
    found = {name: variable for name, variable in dataset.variables.items() if variable.dtype.kind == kind}
    return dataset.assign({name: (v.dims, cast(v.values), v.attrs) for name, v in found.items()})


def _write_zip(path: Path, entries: Mapping[str, bytes]) -> None:
    """Write a zip archive whose bytes depend on the entries alone, and flush it to disk."""
    with open(path, "xb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, content in entries.items():
                archive.writestr(_zip_entry(name), content)
        file.flush()
        os.fsync(file.fileno())


def _zip_entry(name: str) -> zipfile.ZipInfo:
    """A zip entry's header with everything that varies between runs and systems fixed."""
    entry = zipfile.ZipInfo(name, date_time=_FIXED_TIME)
    entry.create_system = 3
    entry.external_attr = _FILE_MODE
    return entry
