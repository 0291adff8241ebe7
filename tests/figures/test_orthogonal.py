"""The figure of the orthogonal study marks limits only where they hold."""

import numpy as np
import pytest
import xarray as xr

from ntkfield.figures import orthogonal


def found(activation: str, weight_variance: float, bias_variance: float = 0.0) -> xr.Dataset:
    layers, both = [1, 2, 3, 4], ["gaussian", "orthogonal"]
    names = ["K", "Theta", *orthogonal.PANELS]
    entries = {name: (("weights", "layer"), np.full((2, 4), 2.0)) for name in names}
    for name in orthogonal.PANELS:
        entries |= {f"sampled_{name}{end}": (("weights", "depth"), np.full((2, 2), 2.0)) for end in ("", "_error")}
    about = {"activation": activation, "weight_variance": weight_variance, "bias_variance": bias_variance}
    about |= {"weight_rate": 1.0, "bias_rate": 0.0, "width": 8, "networks": 1024}
    return xr.Dataset(entries, {"weights": both, "layer": layers, "depth": [2, 4]}, about)


@pytest.mark.parametrize(
    ("arguments", "limits"),
    [
        (("tanh", 1.0), True),
        (("erf", np.pi / 4), True),
        (("tanh", 1.1), False),
        (("tanh", 1.0, 0.1), False),
        (("relu", 2.0), False),
    ],
)
def test_limits_are_drawn_where_they_are_known(arguments, limits) -> None:
    figure = orthogonal.depth([found(*arguments)])
    for axis, value in zip(figure.axes, orthogonal.LIMITS.values(), strict=True):
        dotted = [line.get_ydata()[0] for line in axis.lines if line.get_linestyle() == ":"]
        assert dotted == ([value] if limits else [])


def test_spreads_of_trained_networks_are_drawn_and_named() -> None:
    dims, values = ("weights", "depth", "time"), np.array([[0.1, 0.4], [0.1, 0.2]])[:, None] * np.array([2, 4])[:, None]
    entries = {name: (dims, values) for name in ("ntk", "output", "theory_output", "limit_output")}
    entries |= {f"{name}_error": (dims, 0.1 * values) for name in ("ntk", "output")}
    entries["theory_ntk"] = (dims[:2], np.full((2, 2), 0.1))
    coordinates = {"weights": ["gaussian", "orthogonal"], "depth": [2, 4], "time": [0.0, 5.0]}
    made = xr.Dataset(entries, coordinates, {"width": 8, "members": 16})
    left, right = orthogonal.trained(made).axes
    assert len(left.containers) == 4  # start and end, of both kinds of weights
    assert [list(c.lines[0].get_ydata()) for c in right.containers] == [[0.8, 1.6], [0.4, 0.8]]
    assert "depth 4 and width 8" in (said := orthogonal.finding_trained(made))
    assert "1.60 ± 0.16 and 0.80 ± 0.08 of their mean" in said


def test_the_finding_names_both_kinds_of_weights() -> None:
    said = orthogonal.finding([found("tanh", 1.0), found("relu", 2.0)])
    assert "tanh 0.5 and 0.5" in said  # V / K^2 of the made-up numbers
    assert "ReLU 0.5 and 0.5" in said
