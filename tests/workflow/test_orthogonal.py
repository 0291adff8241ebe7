"""The orthogonal study, run for real by Snakemake."""

from pathlib import Path

import pytest
from runs import Run

from ntkfield import store
from ntkfield.figures import orthogonal

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def test_the_study_knows_the_laws_of_relu(tmp_path: Path) -> None:
    run = Run(tmp_path, "orthogonal")
    run.make("results/ci/orthogonal/depth.pdf", "results/ci/orthogonal/trained.pdf")
    relu = store.load(tmp_path / "results/ci/orthogonal/depth/relu.zarr.zip")
    for weights, step in (("gaussian", 5.0), ("orthogonal", 3.0)):  # 3 A4 / A2^2 less 1 or 3, a layer
        found = orthogonal.relative(relu, "V", weights)
        assert found == pytest.approx(step * (relu["layer"].values - 1), rel=1e-10, abs=1e-12)
    trained = store.load(tmp_path / "results/ci/orthogonal/trained.zarr.zip").isel(depth=0)
    # 16 members: within four of their standard errors of the theory at order 1/n, for n = 16
    for name, theory in (("ntk", trained["theory_ntk"]), ("output", trained["theory_output"].isel(time=0))):
        off = (trained[name].isel(time=0) - theory) / trained[f"{name}_error"].isel(time=0)
        assert abs(off).max() < 4, name
    assert "NTKs spread by" in (tmp_path / "results/ci/orthogonal/trained.txt").read_text(encoding="utf-8")
    assert "V/K²" in (tmp_path / "results/ci/orthogonal/depth.txt").read_text(encoding="utf-8")
