"""The learning study run for real: its numbers against a prediction made by itself."""

from collections.abc import Callable

import numpy as np
import pytest
from runs import Run

import ntkfield as nf
from ntkfield import store
from ntkfield.datasets.plane import TARGETS, training_and_test

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


@pytest.fixture(scope="module", name="finished")
def finished_learning(finished: Callable[[str], Run]) -> Run:
    return finished("learning")


def test_its_theory_is_that_of_predict(finished: Run) -> None:
    found = store.load(finished.folder / "results/ci/learning/error.zarr.zip").isel(time=-1)
    x, queries = training_and_test(3, 4, 1.2)
    network = nf.MLP(depth=3, activation="gelu", weight_variance=1.5, bias_variance=0.3)
    f = TARGETS["ridge"]
    trained = nf.predict(network, x, f(x), queries, [2.0], width=8)
    one = found.sel(network="depth_3", target="ridge")
    by_hand = np.mean((trained["mean"][0].values - f(queries)) ** 2)
    # of the study's theory only two digits are asked, of the largest correction
    np.testing.assert_allclose(one["corrected"].sel(width=8), by_hand, rtol=0.02)
    np.testing.assert_allclose(one["error_0"], np.mean((trained["mean_0"][0].values - f(queries)) ** 2), rtol=1e-12)
    assert {"error.pdf", "causes.pdf", "error.csv", "error.txt"} <= {
        path.name for path in (finished.folder / "results/ci/learning").iterdir()
    }


@pytest.mark.parametrize(
    ("change", "jobs"),
    [
        ({"seed": 1}, {"learning_train": 4, "learning_summary": 1, "learning_figures": 1}),
        ({"members": 48}, {"learning_train": 2, "learning_summary": 1, "learning_figures": 1}),
        ({"rtol": 0.1}, {"learning_theory": 1, "learning_summary": 1, "learning_figures": 1}),
    ],
)
def test_a_change_re_runs_what_depends_on_it(finished: Run, change: dict, jobs: dict[str, int]) -> None:
    assert finished.planned({"learning": change}) == jobs
