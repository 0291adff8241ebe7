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


def test_the_finding_names_both_kinds_of_weights() -> None:
    said = orthogonal.finding([found("tanh", 1.0), found("relu", 2.0)])
    assert "tanh 0.5 and 0.5" in said  # V / K^2 of the made-up numbers
    assert "ReLU 0.5 and 0.5" in said
