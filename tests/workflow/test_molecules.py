"""The molecules study run for real, on the smallest config, by Snakemake itself."""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from runs import Run

from ntkfield import store

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


@pytest.fixture(scope="module", name="finished")
def finished_molecules(finished: Callable[[str], Run]) -> Run:
    return finished("molecules")


def test_everything_promised_is_there(finished: Run) -> None:
    results = finished.folder / "results/ci/molecules"
    for name in ("learning_curve", "calibration", "search", "signals"):
        for ending in ("pdf", "png"):
            assert (results / f"{name}.{ending}").stat().st_size > 10_000
    table = pd.read_csv(results / "learning_curve.csv")
    # 4 models of 2 kernels and 2 rivals, 3 splits, 2 training sizes
    assert len(table) == (4 * 2 + 2) * 3 * 2
    fitted = table["composition_error_meV"]
    assert fitted[table["composition"]].between(100, 50_000).all()
    assert fitted[~table["composition"]].isna().all()
    assert set(table["chosen_gram"][table["network"] == "soap"]) <= {0, 1}
    assert table["mean_absolute_error_meV"].between(100, 50_000).all()
    curve = store.load(results / "learning_curve.zarr.zip")
    assert store.provenance(curve)["config"]["split_seeds"] == [0, 1, 2]


def test_a_second_run_does_nothing(finished: Run) -> None:
    assert finished.planned() == {}


def test_one_figure_can_be_asked_for(finished: Run) -> None:
    assert "Nothing to be done" in finished.make("--dry-run", "results/ci/molecules/learning_curve.pdf")


def test_more_training_molecules_add_tiles_and_recompute_none(finished: Run) -> None:
    # 12 + 4 molecules are 2 blocks of 8, 20 + 4 are 3: the tiles (0,2), (1,2), (2,2) are new, for each network
    jobs = finished.planned({"molecules": {"train_sizes": [8, 20]}})
    assert jobs["molecules_tile"] == jobs["molecules_rival"] == 2 * 3
    assert jobs["molecules_block"] == 1
    assert "qm9" not in jobs


def test_a_seed_of_a_split_changes_no_tile(finished: Run) -> None:
    jobs = finished.planned({"molecules": {"split_seeds": [5, 6, 7]}})
    assert jobs == {
        f"molecules_{name}": 1 for name in ("learning_curve", "learning_curve_figure", "calibration_figure")
    }


def test_a_drawing_option_redraws_only(finished: Run) -> None:
    jobs = finished.planned({"molecules": {"figure": {"molecule": 1}}})
    assert jobs == {"molecules_signals_figure": 1}


def test_a_network_changes_its_own_tiles_only(finished: Run) -> None:
    jobs = finished.planned({"molecules": {"networks": {"mlp": {"activation": "erf"}}}})
    assert jobs["molecules_tile"] == 3
    assert "molecules_block" not in jobs


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"molecules": {"signal": {}}},
            r"molecules\.signal = \{\} is refused: expected one of the keys .* nearest is signals",
        ),
        ({"molecules": {"path": "own.xyz"}}, r"molecules\.path = 'own\.xyz' is refused: .* where no file lies"),
    ],
)
def test_a_bad_config_is_refused_in_one_sentence_before_any_work(tmp_path: Path, change: dict, sentence: str) -> None:
    """By Snakemake as by tests/workflow/test_settings.py, which tries all that is refused."""
    run = Run(tmp_path, "molecules").attempt(change=change)
    assert run.returncode != 0
    refusals = [line for line in run.stderr.splitlines() if line.startswith("config: ")]
    assert len(refusals) == 1
    assert re.search(sentence, refusals[0])
    assert not (tmp_path / "results").exists()


def test_killed_in_the_middle_it_finishes_and_repeats_nothing(finished: Run, tmp_path: Path) -> None:
    # On one core, where the finished run had two: the stores must not depend on that either. Of the tiles and what they
    # need; tests/workflow/test_slurm.py compares all stores.
    made = {name: store for name, store in finished.stores().items() if re.search("tiles|blocks|qm9", name)}
    assert len(made) == 1 + 2 + 6
    targets = tuple(f"results/{name}" for name in made if "tiles" in name)
    run = Run(tmp_path, "molecules", cores=1, targets=targets)
    run.kill_when("results/ci/molecules/tiles/*/*.zarr.zip")
    # A file may bear its final name a moment before Snakemake has noted it as complete: only what is noted counts.
    jobs, kept = run.planned(), run.stamps()
    assert jobs["molecules_tile"] + sum("tiles" in path.parts for path in kept) <= len(targets) + 1
    assert "qm9" not in jobs
    run.make()
    repeated = [path for path, stamp in kept.items() if path.stat().st_mtime_ns != stamp]
    assert len(repeated) <= 1, "more was repeated than the job that was running"
    assert run.stores() == made
