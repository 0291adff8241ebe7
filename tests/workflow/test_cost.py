"""What a plan counts is what Snakemake would run, what rules ask for is what the plan expects, and both scale."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow"))

from cost import expected, graph, measure, plan  # noqa: E402
from cost.expected import Work  # noqa: E402
from runs import Run  # noqa: E402

MEASURED = {kind.split()[0] for kind in expected.measured()} - {expected.REST.split()[0]}

# Read in a process of its own: Snakemake changes its process's working directory and logging.
READ = """
import json, sys
sys.path.append("workflow")
from cost import graph, plan
jobs = graph.jobs(sys.argv[1:])
print(json.dumps([(job.rule, job.work, plan.asked(job.work) if job.work else None) for job in jobs]))
"""


def planned(*configfiles: Path) -> list[tuple[str, Work | None, tuple[int, int] | None]]:
    """Rule, work, and memory and minutes asked for, of every job of some config files."""
    command = [sys.executable, "-c", READ, *map(str, configfiles)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    found = json.loads(run.stdout.splitlines()[-1])
    return [(rule, work and Work(*work), asked and tuple(asked)) for rule, work, asked in found]


def written(path: Path, config: dict) -> Path:
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.mark.workflow
@pytest.mark.slow
def test_jobs_and_what_they_ask_for_are_those_of_snakemake(tmp_path: Path) -> None:
    run, change = Run(tmp_path, "molecules"), {"molecules": {"train_sizes": [8, 30]}, "images": {"test_size": 30}}
    change["studies"] = yaml.safe_load((ROOT / "config/ci.yaml").read_text())["studies"]
    output = run.make("--dry-run", change=change).split("Job stats:")[1]
    counted, asked = Counter(), Counter()
    for rule, resources in re.findall(r"^(?:local)?rule (\w+):\n(?:.+\n)*?    resources: (.+)\n", output, re.MULTILINE):
        counted[rule] += 1
        values = dict(re.findall(r"(\w+)=(\d+)", resources))
        if rule in MEASURED | {"molecules_candidate"}:
            asked[rule, int(values["mem_mb"]), int(values["runtime"])] += 1
    jobs = planned(ROOT / "config/ci.yaml", *tmp_path.glob("change-*.yaml"))
    assert Counter(rule for rule, _, _ in jobs) == counted - Counter(all=1)
    assert counted["molecules_tile"] == 2 * 15
    assert counted["images_tile"] == 3 * (1 + 3)
    assert Counter((rule, *needs) for rule, _, needs in jobs if needs) == asked


@pytest.mark.workflow
def test_every_default_job_was_measured() -> None:
    jobs = planned()
    assert {work.kind for _, work, _ in jobs if work} <= set(expected.measured())
    assert {rule for rule, work, _ in jobs if work} == MEASURED
    amounts = {work.kind: work.amount for _, work, _ in jobs if work}
    assert amounts["images_tile c4 train"] == 4 * amounts["images_tile c1 train"]  # the group's order


@pytest.mark.workflow
@pytest.mark.parametrize("sizes", [[10_000], [100, 1000, 10_000, 99_000]])
def test_the_learning_curve_asks_for_its_matrices(sizes: list[int], tmp_path: Path) -> None:
    molecules = {"train_sizes": sizes, "test_size": 1000, "tile_size": 10_000, "split_seeds": [0, 1, 2]}
    config = written(tmp_path / "own.yaml", {"studies": ["molecules"], "molecules": molecules})
    (curve,) = [(work, asked) for rule, work, asked in planned(config) if rule == "molecules_learning_curve"]
    # 10,000 are factorised; of 99,000, above the config's 20,000, 2,000 columns and the test set's are held
    held = 10_000 * 11_000 if sizes == [10_000] else 99_000 * 3000
    matrices = 2.2 * 8 * held / 1e6  # as the next test finds
    assert 1.25 * matrices < curve[1][0] < 1.25 * matrices + 2 * expected.LEAST_MB + 500
    assert curve[1][0] < 32_000
    # 6 models with two kernels and 2 rivals on 3 splits, of which 3 models' kernels and the rivals' 9 + 5 are judged;
    # in minutes at 5e10 operations a second, twice as long to be sure. 300 steps with 17 right-hand sides.
    solves = (6 * 2 + 2) * sum(n**3 + n**2 * 1000 if n <= 20_000 else n**2 * 300 * 17 * 6 for n in sizes)
    solves += (3 * 2 + 14) * 40 * sum(min(n, 2000) ** 3 for n in sizes)
    minutes = 2 * 3 * solves / 5e10 / 60
    assert minutes < curve[1][1] < 1.001 * minutes + 20
    assert expected.minutes_to_ask(curve[0], threads=64) < minutes / 64 + 20
    if len(sizes) > 1:
        assert re.search(r" {} +{} ".format(*curve[1]), (ROOT / "docs/cost.md").read_text())


# Prints the most memory that a learning curve on so many samples holds, in kB; getrusage would count that of the
# process that started it too.
SOLVE = """
import re, sys
import numpy as np
from ntkfield.dynamics.learning_curve import learning_curve
n = int(sys.argv[1])
x = np.random.default_rng(0).normal(size=(n + 100, 8))
learning_curve(lambda rows, columns: x[rows] @ x[columns].T, x[:, 0], [n], 100, [0], 1e-3)
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


@pytest.mark.slow
def test_a_solve_holds_the_matrices_that_are_asked_for() -> None:
    """More for 5,000 samples than for 3,000: what the libraries hold is left out."""
    held, needed = {}, {}
    for n in (3000, 5000):
        command = [sys.executable, "-c", SOLVE, str(n)]
        held[n] = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1000
        work = Work("molecules_learning_curve", n**3, 1.0, n * (n + 100), dense=True)
        needed[n] = expected.expected(work).memory
        assert held[n] < expected.MEMORY_MARGIN * needed[n]
    own = needed[5000] - needed[3000]
    assert 0.8 * own < held[5000] - held[3000] < expected.MEMORY_MARGIN * own


# Networks wider than those of the measured run, and the most memory in MB that one job of each was once seen to take.
WIDE = {
    "sine": {
        **{"widths": [64, 1024], "members": 32, "part_size": 32},
        "problem": {"train_points": [-2.6, -1.3, 0.3, 1.5, 2.7], "times": [0, 1]},
    },
    "augmentation": {
        **{"widths": [4, 64], "members": 32, "part_size": 32, "times": [0, 1]},
        "images": {"train": 32, "test": 200, "noise": 200},
    },
}
SEEN = {"sine_train 1024": 5052, "augmentation_train c1 64": 1279, "augmentation_train c4 64": 3135}


@pytest.mark.workflow
def test_wide_networks_ask_for_the_memory_that_they_take(tmp_path: Path) -> None:
    config = written(tmp_path / "own.yaml", {"studies": [*WIDE], **WIDE})
    asked = {work.kind: asked[0] for _, work, asked in planned(config) if work}
    for kind, memory in SEEN.items():
        assert memory < asked[kind] < 2 * memory, kind


def test_more_molecules_cost_in_proportion_to_their_tiles() -> None:
    tile = graph.Job("molecules_tile", (), Path(), Work("molecules_tile so3", 1e7, 5e4, 1e5))
    small = graph.Job("qm9", (), Path(), None)
    one, many = (plan.plan([tile] * count + [small]).loc["molecules_tile so3"] for count in (1, 55))
    assert (one["jobs"], many["jobs"]) == (1, 55)
    assert many["core_hours"] == pytest.approx(55 * one["core_hours"])
    assert many["disk_MB"] == pytest.approx(55 * one["disk_MB"])
    assert many["memory_MB"] == one["memory_MB"]


def test_what_has_results_is_not_left_to_do(tmp_path: Path) -> None:
    done, half = tmp_path / "done", tmp_path / "half"
    done.touch()
    work = Work("sine_train 32", 1e6, 1e4, 1e4)
    jobs = [graph.Job("sine_train", paths, Path(), work) for paths in ((done,), (half,), (done, half))]
    found = plan.plan([*jobs, graph.Job("sine_figures", (done,), Path(), None)])
    assert list(found["missing"]) == [2, 0]
    hours = found.loc["sine_train 32", ["core_hours", "missing_core_hours"]]
    assert hours["missing_core_hours"] == pytest.approx(hours["core_hours"] * 2 / 3)


def test_what_is_asked_for_covers_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for least in ("LEAST_MB", "LEAST_MINUTES"):  # which would hide all else
        monkeypatch.setattr(expected, least, 1)
    for kind, (cost, work) in expected.measured().items():
        assert expected.memory_to_ask(work) >= 1.25 * cost.memory, kind
        if kind != expected.REST:  # seconds of all its jobs
            many = work._replace(amount=1e4 * work.amount, held=1e4 * work.held)  # hours, so that steps are small
            assert 60 * expected.minutes_to_ask(many) >= 2 * expected.expected(many).seconds, kind
        larger = work._replace(amount=100 * work.amount, size=100 * work.size, held=100 * work.held)
        assert expected.memory_to_ask(larger) >= expected.memory_to_ask(work), kind
        assert expected.minutes_to_ask(larger) >= expected.minutes_to_ask(work), kind


def test_small_changes_ask_for_the_same() -> None:
    asked = [expected.memory_to_ask(Work("sine_train 256", 1e8, 1e4, held)) for held in (1e7, 1.1e7, 1.2e7)]
    assert len({*asked}) == 1


def test_a_rule_that_was_never_measured_asks_for_much_and_has_no_plan() -> None:
    work = Work("angles_compute", 1.0, 1.0, 1.0)
    assert plan.asked(work) == (expected.UNMEASURED_MB, expected.UNMEASURED_MINUTES)
    with pytest.raises(SystemExit, match="no job of angles_compute was measured"):
        plan.plan([graph.Job("angles_compute", (), Path(), work)])


def test_a_finished_run_is_measured(tmp_path: Path) -> None:
    trained = Work("sine_train 8", 20.0, 3.0, 4.0)
    jobs = []
    for part, (rule, work) in enumerate(
        [("sine_figures", None), ("sine_train", trained), ("sine_train", trained), ("index", None)]
    ):
        benchmark, output = tmp_path / f"{part}.tsv", tmp_path / f"{part}.zarr.zip"
        benchmark.write_text(f"s\tmax_rss\tcpu_time\n{2.0 + part}\t{100 + part}\t1.0\n")
        output.write_bytes(bytes(10 * (part + 1)))
        jobs.append(graph.Job(rule, (output,), benchmark, work))
    found = measure.measured(jobs)
    assert list(found.columns) == list(pd.read_csv(expected.MEASURED, index_col="kind").columns)
    assert list(found.index) == ["sine_train 8", expected.REST]
    assert list(found.loc["sine_train 8"]) == [3.5, 102, 25, 20, 3, 4]
    assert list(found.loc[expected.REST]) == [2.0 + 5.0, 103, 0, 1, 1, 1]
    benchmark.unlink()
    with pytest.raises(SystemExit, match=r"has no benchmark file .*3\.tsv: finish it first"):
        measure.measured(jobs)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"member": 16}, "sine.member = 16 is refused: expected one of the keys"),
        (
            {"network": {"activation": {"name": "leaky_relu", "slop": 0.2}}},
            "activation = {'name': 'leaky_relu', 'slop'",
        ),
        (
            {"problem": {"times": [0.0, float("nan")]}},
            "sine.problem.times.1 = nan is refused: expected a finite number",
        ),
    ],
)
def test_a_plan_for_a_bad_config_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: dict, said: str
) -> None:
    own = written(tmp_path / "own.yaml", {"sine": section})
    monkeypatch.setattr(sys, "argv", ["plan.py", "--configfile", str(own)])
    with pytest.raises(SystemExit, match=f"config: .*{re.escape(said)}"):
        plan.main()
