"""The figures of corrections leave nothing of what they draw outside, except narrow networks by intent."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from ntkfield.figures import augmentation, corrections


def test_error_bars_of_wide_networks_and_of_the_extrapolation_lie_within() -> None:
    pair, widths = ("a1", "a2"), [8, 16]
    names = ("K1", "Theta1")
    theory = xr.Dataset({name: (pair, np.ones((2, 2))) for name in names})
    sampled = xr.Dataset(coords={"width": widths})
    for name in names:
        sampled[name] = ("width", *pair), np.ones((2, 2, 2))
        sampled[f"{name}_error"] = ("width", *pair), np.full((2, 2, 2), 0.6)
    figure = corrections.first_order(theory, sampled)
    # from 1 +- 0.6 at 8 and 16 a line to 1/n = 0 has the error 0.6 sqrt(1 + 4)
    found = 0.6 * 5**0.5
    for axis in figure.axes[:4]:
        low, high = axis.get_ylim()
        assert low < 1 - found
        assert high > 1 + found
    plt.close(figure)


def test_every_size_of_few_ensembles_is_named() -> None:
    layout = ("width", "members", "time")
    shape = {"width": [2, 4], "members": [2, 4, 8], "time": [0.0, 2.0]}
    one = xr.Dataset(
        {
            "floor": (("width", "time"), np.ones((2, 2))),
            "floor_error": (("width", "time"), np.full((2, 2), 0.1)),
            "squared_difference": (layout, np.ones((2, 3, 2))),
            "squared_difference_error": (layout, np.full((2, 3, 2), 0.1)),
            "sampling": (layout, np.ones((2, 3, 2))),
            "disagreement": ((), 1e-15),
        },
        coords=shape,
    )
    figure = augmentation.plot(one.expand_dims({"set": ["test"]}).assign(disagreement=1e-15))
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["2", "4", "8"]
    plt.close(figure)
