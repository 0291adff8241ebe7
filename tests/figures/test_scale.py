"""The figure of the scale study draws as many cases as there are."""

import numpy as np
import pytest
import xarray as xr

from ntkfield.figures import scale

PAIR = ("a1", "a2")


def case(k: int) -> tuple[xr.Dataset, xr.Dataset]:
    """Theory and samples of one case, on the theory's line."""
    theory = xr.Dataset({name: (PAIR, np.full((2, 2), 2.0)) for name in ("K", "Theta")})
    sampled = xr.Dataset(coords={"width": [4, 8]})
    for name in ("K", "Theta"):
        theory[f"{name}1"] = (PAIR, np.full((2, 2), 0.1 * k))
        sampled[name] = (("width", *PAIR), 2.0 + 0.1 * k / np.array([4.0, 8.0])[:, None, None] * np.ones((2, 2)))
        sampled[f"{name}_error"] = (("width", *PAIR), np.full((2, 2, 2), 0.01))
    return theory, sampled


@pytest.mark.parametrize("count", [1, 4, 5, 12])
def test_any_number_of_cases_is_drawn_and_told_apart(count: int) -> None:
    pairs = {f"case_{k}": case(k) for k in range(count)}
    theory, sampled = ({name: pair[k] for name, pair in pairs.items()} for k in (0, 1))
    figure = scale.deviations(theory, sampled)
    for axis in figure.axes[:4]:
        points = [(container[0].get_color(), container[0].get_marker()) for container in axis.containers]
        assert len(set(points)) == count
    (legend,) = figure.legends
    figure.canvas.draw()
    box = legend.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
    assert [text.get_text() for text in legend.get_texts()][:count] == [f"case {k}" for k in range(count)]
    assert f"case {count - 1}" in scale.finding(theory, sampled)
