"""The molecules study run for real, on the smallest config, by Snakemake itself."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from ntkfield import store

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def command(folder: Path, *arguments: str) -> list[str]:
    base = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    configs = () if "--configfile" in arguments else changed(folder, {})
    return [*base, "--cores", "2", "--rerun-incomplete", *configs, *arguments]


def snakemake(folder: Path, *arguments: str) -> str:
    run = subprocess.run(command(folder, *arguments), capture_output=True, text=True, timeout=500, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


def changed(folder: Path, change: dict) -> list[str]:
    """Arguments that change keys of the config, as a user's own config file does."""
    path = folder / "change.yaml"
    path.write_text(yaml.safe_dump({"studies": ["molecules"]} | change))
    return ["--configfile", str(ROOT / "config/ci.yaml"), str(path)]


def planned(folder: Path, change: dict | None = None) -> dict[str, int]:
    """Jobs that a dry run names, by rule."""
    output = snakemake(folder, "--dry-run", *changed(folder, change or {}))
    if "Nothing to be done" in output:
        return {}
    table = output.split("Job stats:")[1].split("total")[0]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+)\s+(\d+)$", table, re.MULTILINE) if rule != "all"}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.zarr.zip"))}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("molecules")
    snakemake(folder)
    return folder


def test_everything_promised_is_there(finished: Path) -> None:
    results = finished / "results/molecules"
    for name in ("learning_curve.pdf", "learning_curve.png", "signals.pdf", "signals.png"):
        assert (results / name).stat().st_size > 10_000
    table = pd.read_csv(results / "learning_curve.csv")
    # 5 models, 2 kernels, 3 splits, 2 training sizes
    assert len(table) == 5 * 2 * 3 * 2
    assert table["mean_absolute_error_meV"].between(100, 50_000).all()
    curve = store.load(results / "learning_curve.zarr.zip")
    assert store.provenance(curve)["config"]["split_seeds"] == [0, 1, 2]


def test_a_second_run_does_nothing(finished: Path) -> None:
    assert planned(finished) == {}


def test_one_figure_can_be_asked_for(finished: Path) -> None:
    assert "Nothing to be done" in snakemake(finished, "--dry-run", "results/molecules/learning_curve.pdf")


def test_more_training_molecules_add_tiles_and_recompute_none(finished: Path) -> None:
    # 12 + 4 molecules are 2 blocks of 8, 20 + 4 are 3: the tiles (0,2), (1,2), (2,2) are new, for each network
    jobs = planned(finished, {"molecules": {"train_sizes": [8, 20]}})
    assert jobs["molecules_tile"] == 2 * 3
    assert jobs["molecules_block"] == 1
    assert "qm9" not in jobs


def test_a_seed_of_a_split_changes_no_tile(finished: Path) -> None:
    jobs = planned(finished, {"molecules": {"split_seeds": [5, 6, 7]}})
    assert jobs == {"molecules_learning_curve": 1, "molecules_learning_curve_figure": 1}


def test_a_drawing_option_redraws_only(finished: Path) -> None:
    jobs = planned(finished, {"molecules": {"figure": {"molecule": 1}}})
    assert jobs == {"molecules_signals_figure": 1}


def test_a_network_changes_its_own_tiles_only(finished: Path) -> None:
    jobs = planned(finished, {"molecules": {"networks": {"mlp": {"activation": "erf"}}}})
    assert jobs["molecules_tile"] == 3
    assert "molecules_block" not in jobs


NETWORKS = "molecules", "networks", "so3"


@pytest.mark.parametrize(
    ("keys", "value", "sentence"),
    [
        (("molecule",), 1, r"molecule = 1 is refused: expected one of the keys"),
        (
            ("molecules", "diag_reg"),
            "much",
            r"molecules\.diag_reg = 'much' is refused: expected a value of type number",
        ),
        ((*NETWORKS, "weight_variance"), 0.0, r"weight_variance = 0\.0 is refused: expected a number above 0"),
        ((*NETWORKS, "activation"), "rleu", r"so3\.activation = 'rleu' is refused: expected one of relu"),
        ((*NETWORKS, "group"), "so2", r"so3\.group = 'so2' is refused: expected one of so3"),
        (("qm9", "path"), "missing/folder", r"qm9\.path = 'missing/folder' is refused: expected the path of an"),
        (("molecules", "train_sizes"), [8, 200_000], r"train_sizes = \[8, 200000\] is refused: .* 130831"),
    ],
)
def test_a_bad_config_is_refused_in_one_sentence_before_any_work(
    tmp_path: Path, keys: tuple[str, ...], value: object, sentence: str
) -> None:
    for key in reversed(keys):
        value = {key: value}
    run = subprocess.run(command(tmp_path, *changed(tmp_path, value)), capture_output=True, text=True, check=False)
    assert run.returncode != 0
    refusals = [line for line in run.stderr.splitlines() if line.startswith("config: ")]
    assert len(refusals) == 1
    assert re.search(sentence, refusals[0])
    assert not (tmp_path / "results").exists()


def test_killed_in_the_middle_it_finishes_and_repeats_nothing(finished: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    tiles = tmp_path / "results/molecules/tiles"
    deadline = time.monotonic() + 300
    while not list(tiles.rglob("*.zarr.zip")):
        assert process.poll() is None, "the run ended before it could be interrupted"
        assert time.monotonic() < deadline, "no tile within five minutes"
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # A file may bear its final name a moment before Snakemake has noted it as complete: only what is noted counts.
    snakemake(tmp_path, "--unlock")
    jobs = planned(tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.zarr.zip")}
    assert jobs["molecules_tile"] + len(list(tiles.rglob("*.zarr.zip"))) <= 6 + 2
    assert "qm9" not in jobs
    snakemake(tmp_path)
    repeated = [path for path, stamp in kept.items() if path.stat().st_mtime_ns != stamp]
    assert len(repeated) <= 2, "more was repeated than the jobs that were running"
    assert contents(tmp_path / "results") == contents(finished / "results")
