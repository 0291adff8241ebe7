"""Compute one stored result of an archive again with the archive's own code, and compare."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr
from layout import CONFIG, WORKFLOW, RefusedError, shown
from members import Members

from ntkfield import store

RTOL = 1e-8  # of results on another machine or with other versions; on the same they are equal bit by bit


def recompute(members: Members, asked: str, cores: str) -> None:
    """Compute one stored result from its archived inputs with the archived code, and compare.

    Args:
        members: an archive that was checked.
        asked: a stored result, or "yes" for one at random.
        cores: for Snakemake.
    """
    target = _target(members.names, asked)
    print(f"verify: computing {target} again: this runs the archive's own workflow and library, with your rights")
    sys.stdout.flush()
    try:
        with tempfile.TemporaryDirectory(prefix="verify-") as name:
            folder = Path(name)
            unpack(members, folder)
            archived = folder / f"archived{store.SUFFIX}"
            (folder / target).rename(archived)
            _run(_command(folder, target, cores), folder, target)
            if (folder / target).read_bytes() == archived.read_bytes():
                print(f"verify: {target} is the same again, bit by bit")
            else:
                compare(store.load(archived), store.load(folder / target), target)
    except (OSError, store.StoreError) as error:
        raise RefusedError(f"{target} could not be computed again ({error})") from error


def _target(names: list[str], asked: str) -> str:
    stores = [name for name in names if name.startswith("results/") and name.endswith(store.SUFFIX)]
    if not stores:
        raise RefusedError("the archive holds no stored result to compute again")
    if asked == "yes":
        return random.choice(stores)
    if asked not in stores:
        raise RefusedError(
            f"RECOMPUTE = {shown(asked)} is refused: expected yes, or a stored result of the archive, like {stores[0]}"
        )
    return asked


def unpack(members: Members, folder: Path) -> None:
    """Write all files of an archive into an empty folder, which must have room for what they are stated to take."""
    free = shutil.disk_usage(folder).free
    if free < members.size:
        raise RefusedError(
            f"unpacking takes {members.size / 1e9:,.2f} GB, of which {folder.parent} has {free / 1e9:,.2f}: set TMPDIR "
            "to a folder with room"
        )
    for name in members.names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "xb") as file:
            file.writelines(members.blocks(name))
        os.utime(path, (1e9, 1e9))  # nothing looks newer than what was made from it


def _command(folder: Path, target: str, cores: str) -> list[str]:
    return [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(folder / WORKFLOW), "--directory", str(folder)),
        *("--configfile", str(folder / CONFIG), "--cores", cores, "--rerun-triggers", "mtime"),
        *("--show-failed-logs", "--", target),
    ]


def _run(command: list[str], folder: Path, target: str) -> None:
    """Run the archive's workflow; if interrupted, end it with all its jobs, so that its folder can be removed."""
    process = subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": str(folder / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        said, _ = process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode:
        raise RefusedError(f"{target} could not be computed again:\n{said}")


def compare(archived: xr.Dataset, again: xr.Dataset, target: str) -> None:
    """Refuse numbers that differ by more than rounding; say by how much, and which versions made them."""
    largest = 0.0
    for name in sorted(archived.variables):
        if name not in again.variables or archived[name].shape != again[name].shape:
            raise RefusedError(f"{target}: {name} has another shape than in the archive")
        one, two = archived[name].values, again[name].values
        if one.dtype.kind not in "fc":
            if not np.array_equal(one, two):
                raise RefusedError(f"{target}: {name} is not what was archived")
            continue
        scale = np.nanmax(np.abs(one), initial=0.0) or 1.0
        difference = np.max(np.abs(np.nan_to_num(one) - np.nan_to_num(two)), initial=0.0) / scale
        if difference > RTOL or not np.array_equal(np.isnan(one), np.isnan(two)):
            raise RefusedError(f"{target}: {name} differs from the archive by {difference:.1e} of its largest value")
        largest = max(largest, difference)
    print(f"verify: {target} is the same to {largest:.1e} of each array's largest value")
    versions = [store.provenance(dataset)["versions"] for dataset in (archived, again)]
    changed = {name: (versions[0].get(name), now) for name, now in versions[1].items() if versions[0].get(name) != now}
    for package, (then, now) in changed.items():
        print(f"verify: the archive was made with {package} {then}, this run with {now}")
