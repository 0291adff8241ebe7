"""What goes wrong in a run ends in a clear message, leaves nothing half-made, and is mended by running again."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from runs import Run

pytestmark = [pytest.mark.workflow, pytest.mark.slow]
QM9 = "results/shared/qm9.zarr.zip"
TILE = "results/ci/molecules/tiles/mlp/0_1.zarr.zip"
CURVE = "results/ci/molecules/learning_curve.zarr.zip"


@pytest.fixture
def molecules(finished: Callable[[str], Run], tmp_path: Path) -> Run:
    """A copy of the finished study, to be spoiled."""
    shutil.copytree(finished("molecules").folder, tmp_path, dirs_exist_ok=True)
    return Run(tmp_path, "molecules")


def test_a_damaged_store_is_named_moved_aside_and_made_anew(molecules: Run) -> None:
    stores = molecules.stores()
    tile = molecules.folder / TILE
    content = bytearray(tile.read_bytes())
    content[len(content) // 2] ^= 0xFF
    tile.write_bytes(content)
    failed = molecules.attempt()
    assert failed.returncode != 0
    assert f"{TILE} is damaged and was moved to {TILE}.damaged: run again, and it is made anew" in failed.stderr
    assert not tile.exists()
    rules = ("tile", "learning_curve", "learning_curve_figure", "calibration_figure")
    assert molecules.planned() == {f"molecules_{rule}": 1 for rule in rules}
    molecules.make(CURVE)
    assert molecules.stores() == stores


def test_a_killed_job_is_named_and_made_by_running_again(molecules: Run) -> None:
    tile = molecules.folder / TILE
    before = tile.read_bytes()
    tile.unlink()
    process = subprocess.Popen(
        molecules.command(TILE), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        _script_of(process, ".tile.py").send_signal(signal.SIGKILL)
        output = process.communicate(timeout=120)[0]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode != 0
    assert "Error in rule molecules_tile" in output
    assert "SIGKILL" in output
    assert not tile.exists()
    molecules.make(TILE)
    assert tile.read_bytes() == before


def test_programs_are_kept_and_a_damaged_one_is_compiled_anew(molecules: Run) -> None:
    """Where nobody names a folder for them; the stored numbers are those of programs compiled or kept elsewhere."""
    without = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    run, tile = replace(molecules, environment=without), molecules.folder / TILE
    before = tile.read_bytes()
    for damaged in (False, True):
        programs = [path for path in run.folder.glob(".snakemake/programs/*/*") if path.is_file()]
        assert bool(programs) == damaged
        for path in programs:
            os.truncate(path, path.stat().st_size // 2)
        tile.unlink()
        run.make(TILE)
        assert tile.read_bytes() == before


def _script_of(snakemake: subprocess.Popen, name: str) -> psutil.Process:
    """The process that runs a rule's script, a second after its start."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for child in psutil.Process(snakemake.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):  # ended since it was listed, or a zombie
                if any(name in argument for argument in child.cmdline()):
                    time.sleep(1)
                    return child
        time.sleep(0.05)
    raise TimeoutError(f"{name} did not start")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder whose results/ are a file system of 8 MB, too small for QM9."""
    results = tmp_path / "results"
    results.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(results)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", str(results)], check=True)


def test_a_full_disk_is_said_and_leaves_no_half_file(small_disk: Path, finished: Callable[[str], Run]) -> None:
    run = Run(small_disk, "molecules")
    failed = run.attempt(QM9)
    assert failed.returncode != 0
    assert f"no room to write {QM9} (No space left on device): make some and run again" in failed.stderr
    assert not (small_disk / QM9).exists()
    assert sum(path.stat().st_size for path in (small_disk / "results").rglob("*") if path.is_file()) < 100_000
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk / "results")], check=True)
    run.make(QM9)
    assert (small_disk / QM9).read_bytes() == (finished("molecules").folder / QM9).read_bytes()
