"""Figures and findings of the richness study, on made-up numbers."""

import numpy as np
import pytest
import xarray as xr

from ntkfield.figures import richness

VALUES = [0.0, 0.1, 0.2, 0.5, 1.0]


@pytest.fixture
def found() -> xr.Dataset:
    """A kernel that changes by r^2 / (1 + r^2): its lazy term r^2 is relatively r^2 off."""
    r = np.array(VALUES)
    output = np.outer(r, [1.0, 0.0, -1.0])
    trained = ("width", "richness")
    return xr.Dataset(
        {
            "output": (("richness", "query"), output),
            "output_error": (("richness", "query"), 0 * output),
            "change": ("richness", r**2 / (1 + r**2)),
            "change_error": ("richness", 0 * r),
            "lazy_change": ("richness", r**2),
            "lazy_off": ("richness", r**4 / (1 + r**2)),
            "sampled_output": ((*trained, "query"), np.stack([output + 0.02, output + 0.01])),
            "sampled_output_error": ((*trained, "query"), np.full((2, 5, 3), 0.005)),
            "sampled_square_change": (trained, np.stack([r**4 / (1 + r**2) ** 2 - 1e-3, r**4 / (1 + r**2) ** 2])),
            "sampled_square_change_error": (trained, np.full((2, 5), 1e-3)),
            "error": (("target", "richness"), [0.5 - 0.2 * r, 0.3 + 0.4 * r, 0.3 + 0.001 * r]),
            "error_error": (("target", "richness"), np.full((3, 5), 0.02)),
            "lazy_end": (("target",), [0.45, 0.3, 0.3]),
            "train_x": ("point", [0.0, 1.0]),
            "train_y": ("point", [0.1, -0.9]),
        },
        {"richness": VALUES, "query": [-1.0, 0.0, 1.0], "width": [8, 32], "target": ["ridge", "checks", "bump"]},
        {"line_time": 2.0, "plane_time": 5.0, "activation": "erf", "depth": 2},
    )


def test_the_lazy_term_breaks_down_where_it_is_a_tenth_off(found) -> None:
    assert richness.breakdown(found) == pytest.approx(0.1**0.5, rel=1e-12)  # r^2 = 0.1, between 0.2 and 0.5
    assert "is a tenth off at richness 0.32" in richness.finding_kernel(found)
    assert richness.breakdown(found.sel(richness=[0.0, 0.1, 0.2])) is None
    assert "is nowhere a tenth off" in richness.finding_kernel(found.sel(richness=[0.0, 0.1, 0.2]))
    assert richness.breakdown(found.sel(richness=[0.0, 0.5, 1.0])) == 0.5


def test_findings_tell_where_features_help(found) -> None:
    said = richness.finding_error(found)
    assert "ridge: 0.45 for lazy training to its end, least at richness 1 with 0.30 ± 0.02" in said
    assert "checks: 0.3 for lazy training to its end, never below that of lazy training, at best 0.34 ± 0.02" in said
    assert [part.rsplit(": ", 1)[1] for part in said.rstrip(".").split("; ")] == [
        "features help",
        "features harm",
        "features change little",
    ]


def test_networks_are_compared_with_the_lines(found) -> None:
    said = richness.finding_outputs(found)
    assert "At richness 1 outputs differ from lazy ones by up to 1." in said
    assert "0.02 at width 8 and 0.01 at width 32" in said
    assert "12 of 12 are within three standard errors and the largest is 2.0" in said


def test_each_figure_draws_theory_and_networks(found) -> None:
    left, right = richness.plot_outputs(found).axes
    assert len(left.lines) == len(VALUES) + 1
    assert len(right.containers) == 2 * (len(VALUES) - 1)  # networks of two widths at each richness
    (axis,) = richness.plot_kernel(found).axes
    theory, narrow, wide = axis.containers
    np.testing.assert_allclose(theory.lines[0].get_ydata(), found["change"][1:])
    assert len(narrow.lines[0].get_xdata()) == 2  # of the others the sampling error hides the change
    np.testing.assert_allclose(wide.lines[0].get_ydata(), found["change"][2:])
    panels = richness.plot_error(found).axes
    assert [panel.get_title() for panel in panels] == ["ridge", "checks", "bump"]
    assert all(len(panel.containers) == 1 for panel in panels)
