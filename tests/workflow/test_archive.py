"""A finished study packed, checked, computed again in part, and tampered with."""

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from rocrate.rocrate import ROCrate
from runs import ROOT, Run

pytestmark = [pytest.mark.workflow, pytest.mark.slow]
TILE = "results/ci/molecules/tiles/mlp/0_1.zarr.zip"


def tool(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "workflow/archive" / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def pack(run: Run, output: Path, change: dict) -> subprocess.CompletedProcess[str]:
    own = output.with_name("own.yaml")
    own.write_text(yaml.safe_dump({"studies": ["molecules"]} | change))
    configs = ("--configfile", ROOT / "config/ci.yaml", own)
    return tool("pack.py", *configs, "--directory", run.folder, "--output", output)


@pytest.fixture(scope="module")
def archive(finished: Callable[[str], Run], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("archive") / "run.zip"
    packed = pack(finished("molecules"), output, {})
    assert packed.returncode == 0, packed.stderr
    assert hashlib.sha256(output.read_bytes()).hexdigest() in packed.stdout
    return output


def test_it_holds_all_that_made_the_results(archive: Path, finished: Callable[[str], Run]) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = set(opened.namelist())
        config = yaml.safe_load(opened.read("config/archived.yaml"))
        stores = {name.removeprefix("results/"): opened.read(name) for name in names if name.endswith(".zarr.zip")}
    assert stores == finished("molecules").stores()
    assert config["studies"] == ["molecules"]
    assert config["molecules"]["tile_size"] == 8  # of ci.yaml
    assert config["molecules"]["signals"]["cutoff_angle"] == 45  # of default.yaml
    assert {
        *("Snakefile", "envs/lock.txt", "src/ntkfield/store.py", "workflow/studies/molecules/rules.smk", "LICENSE"),
        *("results/ci/molecules/learning_curve.pdf", "results/ci/molecules/learning_curve.csv"),
        *("results/ci/logs/molecules_tile/mlp/0_1.log", "results/ci/benchmarks/molecules_tile/mlp/0_1.tsv"),
    } <= names


def test_it_is_a_workflow_run_crate(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
    crate = ROCrate(tmp_path)
    assert crate.mainEntity.id == "Snakefile"
    assert "https://w3id.org/ro/wfrun/workflow/0.5" in {one.id for one in crate.root_dataset["conformsTo"]}
    assert crate.license.id == "https://spdx.org/licenses/Apache-2.0"
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {one["name"] for one in crate.root_dataset["citation"]} == {one["title"] for one in cited["references"]}
    assert [one["name"] for one in crate.root_dataset["author"]] == [one["name"] for one in cited["authors"]]
    (action,) = crate.root_dataset["mentions"]
    assert action["instrument"].id == "Snakefile"
    assert [one.id for one in action["object"]] == ["config/archived.yaml"]
    assert TILE in {one.id for one in action["result"]}
    assert crate.get(TILE)["description"] == "made by the rule molecules_tile"
    assert crate.get(TILE)["sha256"] == hashlib.sha256((tmp_path / TILE).read_bytes()).hexdigest()
    for entity in crate.data_entities:
        assert (tmp_path / entity.id).is_file(), entity.id


def test_its_checksums_are_those_of_sha256sum(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
    check = ["sha256sum", "--check", "--strict", "--quiet", "manifest-sha256.txt"]
    subprocess.run(check, cwd=tmp_path, check=True)


def test_a_result_computed_again_from_it_is_the_same(archive: Path) -> None:
    whole = hashlib.sha256(archive.read_bytes()).hexdigest()
    done = tool("verify.py", archive, "--sha256", whole, "--recompute", TILE)
    assert done.returncode == 0, done.stderr
    checked, warned, told = done.stdout.splitlines()
    assert checked.endswith("all as they were archived; none of it was run")
    assert "this runs the archive's own workflow and library" in warned
    assert told == f"verify: {TILE} is the same again, bit by bit"


def rewritten(archive: Path, output: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A whole and readable archive with other contents."""
    with zipfile.ZipFile(archive) as opened:
        contents = {name: opened.read(name) for name in opened.namelist()}
    change(contents)
    with zipfile.ZipFile(output, "w") as opened:
        for name, content in contents.items():
            opened.writestr(name, content)
    return output


def altered(contents: dict[str, bytes]) -> None:
    contents[TILE] = contents[TILE][:-1] + b"?"


def removed(contents: dict[str, bytes]) -> None:
    del contents[TILE]


def added(contents: dict[str, bytes]) -> None:
    contents["results/more.csv"] = b"1"


def altered_with_its_manifest(contents: dict[str, bytes]) -> None:
    before = hashlib.sha256(contents[TILE]).hexdigest()
    altered(contents)
    after = hashlib.sha256(contents[TILE]).hexdigest()
    contents["manifest-sha256.txt"] = contents["manifest-sha256.txt"].replace(before.encode(), after.encode())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (altered, f"'{TILE}' is not the file that was archived"),
        (removed, f"'{TILE}' is in manifest-sha256.txt, but missing"),
        (added, "'results/more.csv' is in the archive, but not in its manifest"),
        (altered_with_its_manifest, f"'{TILE}' has another checksum in ro-crate-metadata.json"),
    ],
)
def test_tampering_is_found(archive: Path, tmp_path: Path, change: Callable, sentence: str) -> None:
    done = tool("verify.py", rewritten(archive, tmp_path / "other.zip", change))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("verify: ")
    assert re.search(sentence, line)


def test_numbers_that_were_made_up_are_found(archive: Path, tmp_path: Path) -> None:
    """Another result under a tile's name, with every checksum put right: only computing it again can tell."""

    def swap(contents: dict[str, bytes]) -> None:
        other = TILE.replace("0_1", "1_1")
        sums = {name: hashlib.sha256(contents[name]).hexdigest() for name in (TILE, other)}
        contents[TILE] = contents[other]
        described = json.loads(contents["ro-crate-metadata.json"])
        for entity in described["@graph"]:
            if entity["@id"] == TILE:
                entity |= {"sha256": sums[other], "contentSize": str(len(contents[other]))}
        before = hashlib.sha256(contents["ro-crate-metadata.json"]).hexdigest()
        contents["ro-crate-metadata.json"] = json.dumps(described).encode()
        after = hashlib.sha256(contents["ro-crate-metadata.json"]).hexdigest()
        manifest = contents["manifest-sha256.txt"].decode().replace(before, after)
        contents["manifest-sha256.txt"] = manifest.replace(f"{sums[TILE]}  {TILE}", f"{sums[other]}  {TILE}").encode()

    done = tool("verify.py", rewritten(archive, tmp_path / "other.zip", swap), "--recompute", TILE)
    assert done.returncode == 1
    assert f"{TILE}: nngp differs from the archive by" in done.stderr


def test_an_unfinished_run_is_not_archived(finished: Callable[[str], Run], tmp_path: Path) -> None:
    refused = pack(finished("molecules"), tmp_path / "run.zip", {"molecules": {"train_sizes": [8, 20]}})
    assert refused.returncode == 1
    assert "is missing or out of date: make the results with this config first" in refused.stderr
    assert not list(tmp_path.glob("*.zip"))
