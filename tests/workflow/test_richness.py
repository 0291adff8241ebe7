"""The richness study run for real: its numbers against limits computed here."""

from collections.abc import Callable

import numpy as np
import pytest
from runs import Run

import ntkfield as nf
from ntkfield import store
from ntkfield.datasets.plane import TARGETS, training_and_test

pytestmark = [pytest.mark.workflow, pytest.mark.slow]
NETWORK = nf.MLP(depth=2, activation="erf", weight_variance=1.5, bias_variance=0.3)


@pytest.fixture(scope="module", name="finished")
def finished_richness(finished: Callable[[str], Run]) -> Run:
    return finished("richness")


def test_without_richness_it_is_gradient_flow(finished: Run) -> None:
    found = store.load(finished.folder / "results/ci/richness/richness.zarr.zip")
    x, queries = np.array([[-1.2], [0.5]]), np.linspace(-2, 2, 5)[:, None]
    gram, across = (np.asarray(NETWORK.kernel(a, x).ntk) for a in (x, queries))
    lazy = nf.gradient_flow(gram, across, np.sin(1.5 * x[:, 0]), 1.0)
    np.testing.assert_allclose(found["output"].sel(richness=0.0), lazy, atol=1e-12)
    x, queries = training_and_test(3, 4, 1.2)
    gram, across = (np.asarray(NETWORK.kernel(a, x).ntk) for a in (x, queries))
    for target in ("ridge", "checks"):
        y, truth = TARGETS[target](x), TARGETS[target](queries)
        off = nf.gradient_flow(gram, across, y, np.array([2.0, np.inf])) - truth
        one = found.sel(target=target)
        known = np.sqrt(np.mean(np.asarray(off) ** 2, axis=1))
        np.testing.assert_allclose([one["error"].sel(richness=0.0), one["lazy_end"].max()], known, rtol=1e-10)


def test_networks_and_the_lazy_term_are_near_the_mean_field(finished: Run) -> None:
    found = store.load(finished.folder / "results/ci/richness/richness.zarr.zip").sel(richness=0.2)
    # next order: the squared richness, times a coefficient of some units
    assert found["lazy_off"] < 0.3 * found["change"]
    widest = found.sel(width=16)
    off = abs(widest["sampled_output"] - found["output"])
    # 1/n beside four standard errors of 32 pairs
    assert (off < 1 / 16 + 4 * widest["sampled_output_error"]).all()
    results = finished.folder / "results/ci/richness"
    assert {f"{name}.{end}" for name in ("outputs", "kernel", "error") for end in ("pdf", "png", "txt")} | {
        "error.csv"
    } <= {path.name for path in results.iterdir()}


@pytest.mark.parametrize(
    ("change", "jobs"),
    [
        ({"seed": 1}, {"richness_train": 4, "richness_summary": 1, "richness_figures": 1}),
        ({"plane": {"time": 3}}, {"richness_error": 2, "richness_summary": 1, "richness_figures": 1}),
        ({"line": {"frequency": 1.0}}, {"richness_line": 1, "richness_train": 4}),
    ],
)
def test_a_change_re_runs_what_depends_on_it(finished: Run, change: dict, jobs: dict[str, int]) -> None:
    assert jobs.items() <= finished.planned({"richness": change}).items()
