"""Figures are saved whole, in the house's resolution, with numbers along every axis."""

import os
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from ntkfield.figures import style


def drawn(title: str = "") -> Figure:
    with style.house_style():
        figure, _ = plt.subplots(figsize=(2, 1.5))
        figure.suptitle(title)
    return figure


def test_what_stands_out_of_a_figure_is_saved_with_it_in_200_dots_per_inch(tmp_path: Path) -> None:
    path = tmp_path / "figure.png"
    style.save(drawn("a title that is much longer than the figure is wide"), str(path))
    picture, dots = plt.imread(path), Image.open(path).info["dpi"]
    np.testing.assert_allclose(dots, 200, atol=0.1)  # PNG holds dots per metre, as whole numbers
    # the title's 51 letters of 12 points take more than three inches, the figure two
    assert picture.shape[1] > 3 * 200
    for edge in (picture[:, 0], picture[:, -1]):
        np.testing.assert_array_equal(edge[:, :3], 1.0)  # white: no letter is cut


@pytest.mark.parametrize("ends", [(0.31, 0.36), (0.3, 0.9), (0.02, 0.4), (1e-9, 3e-8), (1e-4, 1e4)])
def test_a_logarithmic_axis_has_numbers_however_short_it_is(ends: tuple[float, float]) -> None:
    with style.house_style():
        figure, axis = plt.subplots()
        axis.plot([1, 2], ends)
        axis.set_yscale("log")
        style.number_log_axis(axis)
        figure.canvas.draw()
    low, high = axis.get_ylim()
    ticks = zip(axis.get_yticks(), axis.get_yticklabels(), strict=True)
    assert sum(low <= place <= high and label.get_text() != "" for place, label in ticks) >= 3
    plt.close(figure)


@pytest.mark.parametrize(("given", "drawn_by"), [({}, "agg"), ({"MPLBACKEND": "svg"}, "svg")])
def test_only_where_nothing_else_is_named_are_figures_drawn_without_a_display(given: dict, drawn_by: str) -> None:
    """Jupyter names its own, without which it shows no figures."""
    env = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"} | given
    program = "import ntkfield.figures.style, matplotlib; print(matplotlib.get_backend())"
    run = subprocess.run([sys.executable, "-c", program], env=env, check=True, capture_output=True, text=True)
    assert run.stdout.strip().lower() == drawn_by
