import builtins
import json
import os
import resource
import zipfile

import numpy as np
import pytest
import xarray as xr
from zarr.storage import ZipStore

from ntkfield import store


@pytest.fixture
def dataset():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5, 3)) + 1j * rng.normal(size=(5, 3))
    return xr.Dataset(
        {
            "kernel": (("row", "column"), values, {"units": "eV"}),
            "label": ("row", np.array(["C", "C#N", "é", "", "OO"])),
            "count": ("row", np.arange(5, dtype=np.uint8)),
            "missing": ("column", np.array([np.nan, 0.0, -np.inf])),
            "empty": ("none", np.zeros(0)),
        },
        coords={"column": ["a", "b", "c"]},
        attrs={"title": "a test"},
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "result.zarr.zip"


def without_provenance(dataset):
    return dataset.drop_attrs(deep=False).assign_attrs(title=dataset.attrs["title"])


def test_what_is_saved_comes_back_with_types_and_attributes(dataset, path):
    store.save(dataset, path)
    loaded = store.load(path)
    xr.testing.assert_identical(without_provenance(loaded), dataset)
    assert {name: v.dtype for name, v in loaded.variables.items()} == {
        name: v.dtype for name, v in dataset.variables.items()
    }
    assert loaded.sel(column="b")["missing"] == 0


def test_the_archive_is_plain_zarr_that_others_can_open(dataset, path):
    store.save(dataset, path)
    with ZipStore(path, mode="r") as archive:
        opened = xr.open_zarr(archive, consolidated=False, chunks=None).load()
    np.testing.assert_array_equal(opened["kernel"], dataset["kernel"])
    assert opened["label"].values.tolist() == dataset["label"].values.tolist()


def test_equal_datasets_give_identical_bytes(dataset, path, tmp_path, monkeypatch):
    store.save(dataset, path, config={"b": 1, "a": [1.5, 2]}, seed=3)
    other = tmp_path / "elsewhere" / "other.zarr.zip"
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: pytest.fail("the archive depends on the clock"))
    store.save(store.load(path), other, config={"a": [1.5, 2], "b": 1}, seed=3)
    assert other.read_bytes() == path.read_bytes()


def test_provenance_records_config_seed_and_versions(dataset, path):
    store.save(dataset, path, config={"size": np.int64(4), "powers": (2, 6)}, seed=7)
    recorded = store.provenance(store.load(path))
    assert recorded["config"] == {"size": 4, "powers": [2, 6]}
    assert recorded["seed"] == 7
    assert set(recorded["versions"]) == {"python", "ntkfield", "jax", "numpy", "xarray", "zarr", "s2fft", "ase"}
    assert recorded["versions"]["numpy"] == np.__version__


def test_provenance_describes_the_last_save_only(dataset, path):
    store.save(dataset, path, config={"size": 4}, seed=7)
    store.save(store.load(path), path)
    recorded = store.provenance(store.load(path))
    assert recorded["config"] is None
    assert recorded["seed"] is None


def test_nothing_of_the_machine_is_written(dataset, path):
    store.save(dataset, path, config={"n": 1}, seed=1)
    with zipfile.ZipFile(path) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        attributes = json.loads(archive.read("zarr.json"))["attributes"]
    assert set(attributes) == {"title", "config", "seed", "versions"}
    assert os.fsencode(path.parent) not in path.read_bytes()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError("disk full"), SystemExit])
@pytest.mark.parametrize("function", ["os.fsync", "os.replace", "zipfile.ZipFile.writestr"])
def test_an_interrupted_save_leaves_the_old_file_and_nothing_else(dataset, path, monkeypatch, function, interruption):
    store.save(dataset, path)
    before = path.read_bytes()

    def interrupt(*_args, **_kwargs):
        raise interruption

    monkeypatch.setattr(function, interrupt)
    with pytest.raises((KeyboardInterrupt, OSError, SystemExit)):
        store.save(dataset.isel(row=[0]), path)
    assert os.listdir(path.parent) == [path.name]
    assert path.read_bytes() == before


def test_every_damaged_byte_is_noticed_or_harmless(path):
    original = xr.Dataset({"x": ("i", np.arange(3.0))})
    store.save(original, path)
    content = path.read_bytes()
    refused = 0
    for position in range(0, len(content), 3):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0x11]) + content[position + 1 :])
        try:
            loaded = store.load(path)
        except store.StoreError:
            refused += 1
        else:
            np.testing.assert_array_equal(loaded["x"], original["x"])
    assert refused > len(content) / 6


def test_a_full_disk_is_said_with_the_name_of_the_file(dataset, path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    large = xr.Dataset({"x": ("i", np.random.default_rng(0).normal(size=4096))})
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, hard))
    try:
        with pytest.raises(OSError, match=r"File too large: '.*result\.zarr\.zip'"):
            store.save(large, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(path.parent) == []


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"no archive at all"])
def test_a_damaged_file_is_refused_with_advice(dataset, path, damage):
    store.save(dataset, path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(store.DamagedStoreError, match=r"result\.zarr\.zip' is damaged .*: make it anew") as raised:
        store.load(path)
    assert raised.value.path == path


def test_an_archive_without_zarr_is_refused(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme", "nothing here")
    with pytest.raises(store.StoreError, match="make it anew"):
        store.load(path)


def test_a_missing_file_is_named(path):
    with pytest.raises(FileNotFoundError, match=r"result\.zarr\.zip"):
        store.load(path)


def test_load_closes_every_file_it_opens(dataset, path, monkeypatch):
    store.save(dataset, path)
    opened = []
    plain_open = builtins.open

    def recording_open(*args, **kwargs):
        opened.append(plain_open(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr(builtins, "open", recording_open)
    loaded = store.load(path)
    assert opened
    assert all(file.closed for file in opened)
    path.unlink()
    np.testing.assert_array_equal(loaded["kernel"], dataset["kernel"])


@pytest.mark.parametrize("name", ["result.zarr", "result.nc", "result"])
def test_other_suffixes_are_refused(dataset, tmp_path, name):
    with pytest.raises(store.StoreError, match=r"ends in '.zarr.zip'"):
        store.save(dataset, tmp_path / name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("config", [{"x": float("nan")}, {"x": object()}])
def test_config_without_a_json_form_is_refused(dataset, path, config):
    with pytest.raises(store.StoreError, match=r"config is .* JSON"):
        store.save(dataset, path, config=config)
    assert not path.exists()


def test_provenance_of_a_bare_dataset_is_refused(dataset):
    with pytest.raises(store.StoreError, match="'config'"):
        store.provenance(dataset)
