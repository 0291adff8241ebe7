"""Check an archive: every file against its checksum, then one stored result against a run of the archived code."""

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import xarray as xr
from crate import METADATA
from pack import CONFIG, MANIFEST

from ntkfield import store

RTOL = 1e-8  # of results on another machine or with other versions; on the same they are equal bit by bit


class RefusedError(Exception):
    """What is wrong with an archive, in one sentence."""


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--target", help="the stored result to compute again (default: one at random)")
    parser.add_argument("--checksums-only", action="store_true", help="compute nothing again")
    parser.add_argument("--cores", default="1")
    arguments = parser.parse_args()
    try:
        names = check_sums(arguments.archive)
        if not arguments.checksums_only:
            recompute(arguments.archive, names, arguments.target, arguments.cores)
    except RefusedError as refused:
        sys.exit(f"verify: {refused}")


def check_sums(path: Path) -> list[str]:
    """Compare every file with the manifest and the crate's own description; the names of all files."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            for needed in (MANIFEST, METADATA, CONFIG):
                if needed not in names:
                    raise RefusedError(f"{path} holds no {needed}: it is no archive of a run")
            lines = archive.read(MANIFEST).decode().splitlines()
            expected = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
            for name in sorted(expected.keys() - names):
                raise RefusedError(f"{name} is missing from {path}")
            for name in sorted(set(names) - expected.keys() - {MANIFEST}):
                raise RefusedError(f"{name} in {path} is not in its manifest")
            for name in names:
                if name != MANIFEST and _digest(archive, name) != expected[name]:
                    raise RefusedError(f"{name} in {path} is not the file that was archived: its checksum is another")
            described = {entity["@id"]: entity for entity in json.loads(archive.read(METADATA))["@graph"]}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise RefusedError(f"{path} cannot be read ({error})") from error
    for name in sorted(expected.keys() - {METADATA}):
        if described.get(name, {}).get("sha256") != expected[name]:
            raise RefusedError(f"{name} has another checksum in {METADATA} than in {MANIFEST}")
    print(f"verify: {len(expected)} files, all as they were archived")
    return names


def recompute(path: Path, names: list[str], target: str | None, cores: str) -> None:
    """Compute one stored result from its archived inputs with the archived code, and compare."""
    stores = [name for name in names if name.startswith("results/") and name.endswith(store.SUFFIX)]
    if target is None:
        target = random.choice(stores)
    elif target not in stores:
        raise RefusedError(
            f"--target = {target!r} is refused: expected a stored result of the archive, like {stores[0]!r}"
        )
    print(f"verify: computing {target} again", flush=True)
    with tempfile.TemporaryDirectory(prefix="verify-") as name:
        folder = Path(name)
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        for file in folder.rglob("*"):
            os.utime(file, (1e9, 1e9))  # nothing looks newer than what was made from it
        archived = folder / f"archived{store.SUFFIX}"
        (folder / target).rename(archived)
        command = [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(folder / "Snakefile"), "--directory", str(folder)),
            *("--configfile", str(folder / CONFIG), "--cores", cores, "--rerun-triggers", "mtime"),
            *("--show-failed-logs", "--", target),
        ]
        environment = os.environ | {"PYTHONPATH": str(folder / "src")}
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if run.returncode:
            raise RefusedError(f"{target} could not be computed again:\n{run.stdout}{run.stderr}")
        if (folder / target).read_bytes() == archived.read_bytes():
            print(f"verify: {target} is the same again, bit by bit")
            return
        compare(store.load(archived), store.load(folder / target), target)


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


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


if __name__ == "__main__":
    main()
