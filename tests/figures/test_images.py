"""The figures of the images study show what is in the data."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from ntkfield.figures import accuracy, kernel_convergence


def test_one_panel_a_view_with_percent():
    values = np.linspace(0, 1, 2 * 2 * 3 * 2).reshape(2, 2, 3, 2)
    curve = xr.Dataset(
        {"accuracy": (("model", "view", "seed", "train_size"), values)},
        coords={
            "view": ["upright", "turned"],
            "train_size": [8, 16],
            "group": ("model", ["c1", "c4"]),
            "kernel": ("model", ["ntk", "nngp"]),
        },
        attrs={"n_classes": 10, "source": "digits of scikit-learn (doi)"},
    )
    figure = accuracy.plot(curve)
    left, right = figure.axes
    assert "upright" in left.get_title()
    assert "turned" in right.get_title()
    assert left.get_ylim() == (0, 100)
    plain = right.containers[0].lines[0].get_ydata()
    np.testing.assert_allclose(plain, 100 * values[0, 1].mean(axis=0))
    plt.close(figure)


def test_points_whose_sign_is_unknown_are_hollow():
    dims = ("network", "kernel", "width")
    value = np.array([0.1, 0.01]) * np.ones((1, 2, 2))
    result = xr.Dataset(
        {
            "fluctuation": (dims, value),
            "fluctuation_error": (dims, 0.1 * value),
            "deviation": (dims, value),
            "deviation_error": (dims, np.full((1, 2, 2), 0.01)),
        },
        coords={"kernel": ["nngp", "ntk"], "width": [4, 8], "group": ("network", ["c4"])},
    )
    figure = kernel_convergence.plot(result)
    sure, unsure = (figure.axes[1].containers[k].lines[0] for k in (0, 1))
    np.testing.assert_allclose(sure.get_ydata(), [10.0])
    np.testing.assert_allclose(unsure.get_ydata(), [1.0])
    assert unsure.get_markerfacecolor() == "white"
    plt.close(figure)
