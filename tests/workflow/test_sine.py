"""The sine study's ensembles run for real: killed in the middle, on another number of cores, and changed."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from runs import Run

import ntkfield as nf
from ntkfield import store

pytestmark = [pytest.mark.workflow, pytest.mark.slow]
RESULTS = {"sine_summary": 1, "sine_figures": 1}


@pytest.fixture(scope="module", name="finished")
def finished_sine(finished: Callable[[str], Run]) -> Run:
    return finished("sine")


def progress(run: Run) -> str:
    command = [sys.executable, str(run.root / "workflow/progress.py"), "results/ci"]
    return subprocess.run(command, cwd=run.folder, capture_output=True, text=True, check=True).stdout


def test_killed_between_ensembles_it_finishes_repeats_nothing_and_gives_the_same_numbers(
    finished: Run, tmp_path: Path
) -> None:
    # On one core, where the finished run had two: the stores must not depend on that either.
    stores = finished.stores()
    assert len(stores) == 6  # 2 widths of 2 parts, the theory and the summary
    run = Run(tmp_path, "sine", cores=1, targets=tuple(f"results/{name}" for name in stores))
    assert progress(run).startswith("There is no run in results/ci yet")
    run.kill_when("results/ci/sine/trained/*/*.zarr.zip")
    made = run.stamps()
    kept = {path: stamp for path, stamp in made.items() if "trained" in path.parts}  # beside them, perhaps, the theory
    told = re.match(r"ci: stopped, (\d) of 6 jobs done .* nothing runs: the same command goes on", progress(run))
    assert told
    assert int(told[1]) in (len(made) - 1, len(made))  # the benchmark follows the store
    for path in kept:
        log = tmp_path / "results/ci/logs/sine_train" / path.parent.name / path.name.replace(".zarr.zip", ".log")
        assert re.match(r"\S+ \S+ started on \S+\n", log.read_text())
    assert run.planned()["sine_train"] + len(kept) <= 4 + 1
    run.make()
    assert progress(run) == "ci: finished, all 6 jobs are done\n"
    repeated = [path for path, stamp in made.items() if path.stat().st_mtime_ns != stamp]
    assert len(repeated) <= 1, "more was repeated than the job that was running"
    assert run.stores() == stores


def test_before_training_the_corrections_are_those_of_random_networks(finished: Run) -> None:
    """The variance's is K1, which the kernels' own recursion gives; nothing has moved yet."""
    path = finished.folder / "results/ci/sine/summary.zarr.zip"
    whole = store.load(path).sel(time=0.0)
    summary, config = whole.isel(point=[0, 4, 8]), store.provenance(whole)["config"]
    network = nf.MLP(**config["network"])
    k1 = nf.finite_width(network, summary["point"].values[:, None], ["K1"])["K1"].values[-1].diagonal()
    # Its own finer quadrature says how far the study's is off, and finite_width's is asked for 1e-6.
    off = summary["variance_1_error"].values + 1e-6 * abs(k1)
    assert (abs(summary["variance_1"].values - k1) < 3 * off).all()
    assert not summary["mean_1"].any()
    assert not summary["drift_1"].any()
    assert not summary["sampled_drift"].any()


def test_a_kink_has_no_theory_beyond_the_limit(finished: Run) -> None:
    jobs = {"sine_theory": 1, "sine_train": 4, **RESULTS}
    assert finished.planned({"sine": {"network": {"activation": "relu"}}}) == jobs


@pytest.mark.parametrize(
    ("change", "jobs"),
    [
        ({"seed": 1}, {"sine_train": 4, **RESULTS}),
        ({"widths": [8, 32]}, {"sine_train": 2, **RESULTS}),  # the new width's two parts
        ({"drawn_from": 8}, {"sine_figures": 1}),
        ({"members": 12}, {"sine_train": 2, **RESULTS}),  # one more part of each width
        ({"network": {"activation": "tanh"}}, {"sine_theory": 1, "sine_train": 4, **RESULTS}),
        ({"rtol": 0.1}, {"sine_theory": 1, **RESULTS}),
    ],
)
def test_a_change_re_runs_what_depends_on_it(finished: Run, change: dict, jobs: dict[str, int]) -> None:
    assert finished.planned({"sine": change}) == jobs


def test_numbers_on_the_command_line_are_those_of_a_file(finished: Run) -> None:
    """Snakemake makes text of every number inside a mapping; text in a parameter would re-run what depends on it."""
    same = "sine={seed: 0, members: 8, widths: [8, 16], problem: {grid: 9, times: [0, 1]}}"
    assert "Nothing to be done" in finished.make("--dry-run", "--config", same)
    other = finished.make("--dry-run", "--config", "sine={seed: 1}")
    assert "sine_train" in other
