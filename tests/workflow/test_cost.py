"""The planner counts the jobs that Snakemake counts, and scales what a run measured."""

import re
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow/cost"))

import measure  # noqa: E402
import pandas as pd  # noqa: E402
import plan  # noqa: E402
from items import items  # noqa: E402
from runs import Run  # noqa: E402

STUDIES = ("molecules", "images", "augmentation", "sine", "corrections", "criticality", "scale")
PLANNED = {"molecules_tile", "images_tile", "augmentation_train", "sine_train", "finite_sample"}


@pytest.mark.workflow
@pytest.mark.slow
def test_jobs_are_those_of_snakemake(tmp_path: Path) -> None:
    change = {"studies": list(STUDIES), "molecules": {"train_sizes": [8, 30]}, "images": {"test_size": 30}}
    counted = Run(tmp_path, "molecules").planned(change)
    own = tmp_path / "own.yaml"
    own.write_text((tmp_path / next(tmp_path.glob("change-*.yaml")).name).read_text())
    expected: dict[str, int] = {}
    for item in items(measure.read_config([str(ROOT / "config/ci.yaml"), str(own)])):
        rule = item.name.split()[0]
        expected[rule] = expected.get(rule, 0) + item.jobs
    assert {rule: counted[rule] for rule in PLANNED} == {rule: expected[rule] for rule in PLANNED}


def test_more_molecules_cost_in_proportion_to_their_tiles() -> None:
    costs = pd.read_csv(measure.MEASURED, index_col="kind")
    config = measure.read_config([]) | {"studies": ["molecules"]}
    tiles = {}
    for size in (100, 1000):
        config["molecules"] = config["molecules"] | {"train_sizes": [size - 36], "test_size": 36, "tile_size": 100}
        tiles[size] = plan.plan(config, costs).loc["molecules_tile so3"]
    assert (tiles[100]["jobs"], tiles[1000]["jobs"]) == (1, 55)
    assert tiles[1000]["core_hours"] == pytest.approx(55 * tiles[100]["core_hours"])
    assert tiles[1000]["disk_MB"] == pytest.approx(55 * tiles[100]["disk_MB"])
    assert tiles[1000]["memory_MB"] == tiles[100]["memory_MB"]


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
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump({"sine": section}))
    monkeypatch.setattr(sys, "argv", ["plan.py", "--configfile", str(own)])
    with pytest.raises(SystemExit, match=f"config: .*{re.escape(said)}"):
        plan.main()


def test_every_default_job_was_measured() -> None:
    costs = pd.read_csv(measure.MEASURED, index_col="kind")
    assert {item.name for item in items(measure.read_config([]))} <= set(costs.index)
