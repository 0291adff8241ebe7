"""The finite-width studies' jobs, run for real by Snakemake."""

import math
from pathlib import Path

import pytest
from runs import Run

from ntkfield import store

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def test_a_theory_of_the_criticality_study_knows_where_its_activation_is_critical(tmp_path: Path) -> None:
    network = {"activation": "erf", "bias_variance": 0.1}
    change = {"criticality": {"network": network, "weight_variances": [0.5], "depths": [2, 3]}}
    target = "results/ci/criticality/theory/kernels_0.5.zarr.zip"
    Run(tmp_path, "criticality").make(target, change=change)
    known = store.load(tmp_path / target).attrs
    # erf'(0) = 2 / sqrt(pi), and C_W erf'(0)^2 = 1 at K* = 0
    assert known["critical_weight_variance"] == pytest.approx(math.pi / 4, rel=1e-12)
    assert (known["critical_bias_variance"], known["critical_variance"]) == (0.0, 0.0)
    assert (known["activation"], known["bias_variance"]) == ("erf", 0.1)
