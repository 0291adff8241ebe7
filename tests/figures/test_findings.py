"""The sentences under the figures, and what is written in them, say what the data hold."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from ase.build import molecule
from matplotlib.figure import Figure
from matplotlib.text import Text

from ntkfield.figures import (
    accuracy,
    augmentation,
    corrections,
    kernel_convergence,
    learning_curve,
    orbit,
    sine,
    spheres,
    words,
)


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (0.00452, 0.00061, "0.0045 ± 0.0006"),
        (0.00452, 0.00014, "0.00452 ± 0.00014"),
        (-1.98, 0.196, "-2.0 ± 0.2"),
        (3341.2, 87.0, "3340 ± 90"),
        (2.5e-9, 4e-10, "(2.5 ± 0.4) · 10^-9"),
        (0.31, 0.0, "0.31"),
        (0.31, np.nan, "0.31"),
    ],
)
def test_a_number_ends_where_its_error_does(value: float, error: float, said: str) -> None:
    assert words.with_error(value, error) == said


def test_agreement_counts_both_signs() -> None:
    assert words.agreement(np.array([[0.5, -3.1], [2.9, -1.0]])) == (
        "3 of 4 are within three standard errors and the largest is 3.1"
    )


def test_each_network_is_told_with_what_serves_it_best() -> None:
    error = np.array([[4.0, 3.0], [2.0, 1.0], [6.0, 5.0], [8.0, 8.0]])  # [model, train_size], eV
    curve = xr.Dataset(
        {
            "mean_absolute_error": (
                ("model", "seed", "train_size"),
                error[:, None] + 0.25 * np.array([-1, 0, 1])[:, None],
            ),
            "baseline": (("model", "seed"), np.full((4, 3), 10.0)),
        },
        coords={
            "network": ("model", ["so3", "so3", "mlp", "mlp"]),
            "matching": ("model", ["all", "element", "slot", "flat"]),
            "kernel": ("model", ["ntk", "nngp", "ntk", "ntk"]),
            "composition": ("model", [False] * 4),
            "train_size": [10, 20],
        },
    )
    said = learning_curve.finding(curve)
    assert "Trained on 20 molecules" in said
    assert "SO(3)-invariant network errs by 1000 ± 200 meV (NNGP, atoms of equal element)" in said
    assert "the same atoms errs by 5000 ± 200 meV (NTK, atoms of equal position in the list)" in said
    assert "end to end errs by 8000 ± 200 meV (NTK)" in said
    assert "predicting the mean errs by 10000 meV" in said


def molecules_curve(**changed: object) -> xr.Dataset:
    """A learning curve in the published setup, or with one network, the signals or the regulariser changed."""
    relu = {"activation": "relu", "weight_variance": 1.0, "bias_variance": 0.0}
    networks = {
        "so3": {"group": "so3", "depth": 2, "quadrature": 8} | relu,
        "mlp": {"group": "none", "depth": 3, "sampling": "gl"} | relu,
    }
    config = {
        "networks": {name: network | changed.pop(name, {}) for name, network in networks.items()},
        "signals": dict.fromkeys(
            networks, changed.get("signals", {"bandlimit": 6, "cutoff_angle": 45, "powers": [2, 6]})
        ),
        "models": [
            {"network": name, "matching": "slot", "composition": False, "diag_reg": changed.get("diag_reg", 5e-5)}
            for name in networks
        ],
    }
    return xr.Dataset(
        {
            "mean_absolute_error": (("model", "seed", "train_size"), np.arange(1.0, 13).reshape(2, 3, 2)),
            "baseline": (("model", "seed", "train_size"), np.full((2, 3, 2), 10.0)),
        },
        coords={
            "network": ("model", ["so3", "mlp"]),
            "matching": ("model", ["slot", "slot"]),
            "kernel": ("model", ["ntk", "ntk"]),
            "composition": ("model", [False] * 2),
            "train_size": [8, 16],
        },
        attrs={"config": json.dumps(config), "source": "QM9"},
    )


@pytest.mark.parametrize(
    ("changed", "stars"),
    [
        ({}, [3340.9, 5951.8]),
        ({"so3": {"quadrature": 6}, "mlp": {"weight_variance": 2.0}}, [3340.9, 5951.8]),  # the same predictions
        ({"so3": {"activation": "gelu"}}, [5951.8]),
        ({"mlp": {"depth": 4}}, [3340.9]),
        ({"mlp": {"bias_variance": 0.1}}, [3340.9]),
        ({"signals": {"bandlimit": 4, "cutoff_angle": 45, "powers": [2, 6]}}, []),
        ({"diag_reg": 1e-3}, []),
    ],
)
def test_published_values_stand_beside_what_was_published_only(changed: dict, stars: list[float]) -> None:
    figure = learning_curve.plot(molecules_curve(**changed))
    drawn = [line.get_ydata()[0] for line in figure.axes[0].lines if line.get_marker() == "*"]
    assert drawn == stars
    assert ("published" in texts(figure)) == bool(stars)


def test_accuracies_are_those_of_the_ntk_at_the_largest_size() -> None:
    values = np.zeros((2, 2, 2, 2))  # model, view, seed, train_size
    values[1, 0, :, -1], values[1, 1, :, -1] = (0.89, 0.91), (0.4, 0.5)
    curve = xr.Dataset(
        {"accuracy": (("model", "view", "seed", "train_size"), values)},
        coords={
            "group": ("model", ["c1", "c1"]),
            "kernel": ("model", ["nngp", "ntk"]),
            "view": ["upright", "turned"],
            "train_size": [16, 32],
        },
    )
    said = accuracy.finding(curve)
    assert "Trained on 32 upright images" in said
    assert "plain CNN 90.0 ± 1.4 % of upright and 45 ± 7 % of turned ones" in said


def test_the_power_of_a_fluctuation_is_fitted() -> None:
    widths = np.array([4, 16, 64])
    fluctuation = 0.2 / np.sqrt(widths)
    data = {
        "fluctuation": fluctuation,
        "fluctuation_error": 0.012 * fluctuation,
        "deviation": [0.1, 0.03, 0.012],
        "deviation_error": [0.01, 0.01, 0.004],
    }
    result = xr.Dataset(
        {name: (("network", "kernel", "width"), np.reshape(values, (1, 1, 3))) for name, values in data.items()},
        coords={"group": ("network", ["c4"]), "kernel": ["ntk"], "width": widths},
    )
    said = kernel_convergence.finding(result)
    assert "C4 networks it goes from 10.00 ± 0.12 to 2.50 ± 0.03 %" in said
    # errors of 1.2 % at three widths: 0.012 / sqrt(2) / log(4)
    assert "power -0.500 ± 0.006 of the width" in said
    assert "at width 64 the mean is off by 1.2 ± 0.4 %" in said


def test_a_floor_within_two_errors_of_zero_is_not_told_from_it() -> None:
    floor = np.array([[[9.0, 0.004], [9.0, 0.0005]]])  # set, width, time
    difference = xr.Dataset(
        {
            "floor": (("set", "width", "time"), floor),
            "floor_error": (("set", "width", "time"), np.full((1, 2, 2), 0.0003)),
            "disagreement": ((), 2e-15),
        },
        coords={"set": ["test"], "width": [2, 4], "time": [1.0, 9.0]},
    )
    said = augmentation.finding(difference)
    assert "At widths 2 and 4" in said
    assert "on test images 0.0040 ± 0.0003 and 0.0005 ± 0.0003 (not told from zero)" in said
    assert "differ by at most 2e-15" in said


def test_networks_on_the_predicted_lines_are_said_to_be() -> None:
    widths, predicted = np.array([16, 32, 64]), np.array([[0.32, 0.64], [1.6, 0.96]])  # kind, set
    along = predicted[:, :, None] / widths + np.array([0.005, 0.001, -0.001])
    values = {"difference": along, "difference_error": np.full_like(along, 0.002)}
    data = {name: (("kind", "set", "width", "time"), value[..., None]) for name, value in values.items()}
    data |= {"predicted": (("kind", "set", "time"), predicted[..., None]), "members": ((), 512)}
    result = xr.Dataset(
        data, {"kind": ["averaged", "copies"], "set": ["test", "noise"], "width": widths, "time": [3.0]}
    )
    said = orbit.finding(result)
    assert "At width 16 the mean of 512 pairs of equivariant networks differs from the MLP with averaged" in said
    assert "0.025 ± 0.002 on signals like the data (0.02 predicted)" in said
    assert "8 of 8 are within three standard errors and the largest is 0.5" in said


def trained(widths: list[int], corrected: bool = True, **changed: object) -> xr.Dataset:
    """A summary of the sine study whose networks are off the limit by 2/n + 8/n² and move their NTK by -3/n + 6/n²."""
    n, point, time = np.array(widths, float), np.linspace(-np.pi, np.pi, 25), [0.0, 8.0]
    line, layout = (len(time), len(point)), ("width", "time", "point")
    bias, one = 2 / n + 8 / n**2, np.ones((len(n), *line))
    values = {
        "mean_0": (layout[1:], np.ones(line)),
        "variance_0": (layout[1:], np.full(line, 0.25)),
        "sampled_mean": (layout, 1 + one * bias[:, None, None]),
        "sampled_mean_error": (layout, 0.01 * one),
        "sampled_variance": (layout, one * (0.25 + 1 / n)[:, None, None]),
        "sampled_variance_error": (layout, 0.02 * one),
        "sampled_drift": (("width", "time"), np.stack([0 * n, -3 / n + 6 / n**2], axis=1)),
        "sampled_drift_error": (("width", "time"), np.stack([0 * n, 0.001 + 0 * n], axis=1)),
        "off_0_squared": ("width", bias**2),
        "off_0_squared_error": ("width", 2 * bias * 0.001),
        "members": ("width", [64] * len(n)),
        "target": ("train", [0.0]),
    }
    if corrected:
        values |= {
            "mean_1": (layout[1:], np.full(line, 2.0)),
            "variance_1": (layout[1:], np.ones(line)),
            "drift_1": ("time", [0.0, -3.0]),
            "drift_1_error": ("time", [0.0, 0.02]),
            "off_1_squared": ("width", 64 / n**4),
            "off_1_squared_error": ("width", 16 / n**2 * 0.001),
        }
    coordinates = {"width": widths, "time": time, "point": point, "train": [0.0]}
    return xr.Dataset(values | changed, coordinates)


def texts(figure: Figure) -> str:
    """All that is written in a figure, as far as it is shown."""
    written = " ".join(text.get_text() for text in figure.findobj(Text) if text.get_visible())
    plt.close(figure)
    return written


def test_the_correction_is_told_with_what_it_leaves() -> None:
    summary = trained([16, 32, 64])
    said = sine.finding_bias(summary)
    # 2 / 16 + 8 / 256 = 0.15625, less 2 / 16: 0.03125
    assert "of networks of width 16 is off the limit by 0.1562 ± 0.0010 (m₁/n is 0.12)" in said
    assert "off m₀ + m₁/n by 0.0312 ± 0.0010" in said
    # errors of 0.001 in 1 / 32 and in 1 / 128: 0.132 / log(2) = 0.19
    assert "from width 16 to 32 the rest goes with the power -2.00 ± 0.19 of the width" in said
    said = sine.finding_ensemble(summary)
    assert "At time 8 the mean of 64 networks of width 16 is off the infinite-width mean by 0.16 at most" in said
    assert "off m₀ + m₁/16 by 0.031" in said
    # sqrt(0.3125 / 0.25) = 1.118, with the error 0.02 / 0.25 / (2 * 1.118)
    assert "1.12 ± 0.04 times that of infinite width, where the first correction says 1.12" in said
    assert "against infinite width and its first correction" in texts(sine.plot_ensemble(summary))
    assert "What is left falls faster" in texts(sine.plot_bias(summary))


@pytest.mark.parametrize(("narrowest", "drawn"), [(1, 16), (17, 32), (100, 64)])
def test_the_line_is_drawn_at_the_smallest_width_that_is_wide_enough(narrowest: int, drawn: int) -> None:
    summary = trained([16, 32, 64])
    assert f"networks of width {drawn} is off" in sine.finding_ensemble(summary, narrowest)
    assert f"Trained networks of width {drawn} against" in texts(sine.plot_ensemble(summary, narrowest))
    written = texts(sine.plot_bias(summary, narrowest))
    assert next(width for width in (16, 32, 64) if f"networks of width {width}" in written) == drawn


def test_freezing_is_told_beside_the_predicted_slope() -> None:
    summary = trained([16, 32, 64])
    said = sine.finding_freezing(summary)
    assert "changes by -16.41 ± 0.10 % at width 16 and -4.54 ± 0.10 % at width 64" in said
    assert "Times the width the latter is -291 ± 6 %; theory at large width: -300 %" in said
    drawn = texts(sine.plot_freezing(summary))
    assert "The NTK freezes with width (t = 8)" in drawn
    assert "predicted at order 1/n: -300 % / n, nothing fitted" in drawn


def test_without_corrections_the_limit_alone_is_told() -> None:
    summary = trained([16, 64], corrected=False)
    said = [find(summary) for find in (sine.finding_ensemble, sine.finding_bias, sine.finding_freezing)]
    drawn = [texts(plot(summary)) for plot in (sine.plot_ensemble, sine.plot_bias, sine.plot_freezing)]
    assert not [word for word in ("m₁", "correct", "predicted", "theory") if word in " ".join([*said, *drawn])]
    assert "width 16 is off the limit by 0.1562 ± 0.0010 and at width 64 by 0.0332 ± 0.0010" in said[1]


def test_what_data_do_not_show_is_no_title() -> None:
    noisy = {
        "sampled_drift_error": (("width", "time"), np.array([[0.0, 0.1]] * 2)),
        "off_1_squared": ("width", [0.1, 0.005]),
        "off_1_squared_error": ("width", [0.05, 0.01]),
    }
    summary = trained([8, 16], **noisy)
    drawn = " ".join(texts(plot(summary)) for plot in (sine.plot_ensemble, sine.plot_bias, sine.plot_freezing))
    assert not [word for word in ("freezes", "falls") if word in drawn]
    assert "Change of the NTK by width (t = 8)" in drawn
    assert "the rest is not told from zero" in sine.finding_bias(summary)


def test_what_falls_faster_than_the_order_is_no_disagreement_and_what_stays_is() -> None:
    n, layout = np.array([4.0, 8.0, 16.0, 32.0]), ("width", "a1", "a2", "a3", "a4")
    theory = xr.Dataset({name: (layout[1:], np.ones((4,) * 4)) for name in corrections.FLUCTUATIONS})
    sampled = xr.Dataset(coords={"width": n.astype(int)})
    for name in corrections.FLUCTUATIONS:
        value = np.ones((4,) * 4) * (1 + 2 / n - 3 / n**2)[:, None, None, None, None]
        sampled[name], sampled[f"{name}_error"] = (layout, value), (layout, np.full(value.shape, 1e-4))
    said = corrections.tensors_finding(theory, sampled)
    # 2 / 32 - 3 / 32^2 = 5.96 %
    assert "At width 32 the sampled tensors are off theory at order 1/n by 6 % in the median" in said
    assert "30 of 30 are within three standard errors and the largest is 0.0" in said
    sampled["F"][:, 0, 0, 1, 1] += 0.01
    assert "29 of 30 are within three standard errors" in corrections.tensors_finding(theory, sampled)


@pytest.mark.parametrize(("inputs", "components"), [(2, 3), (3, 4), (4, 6), (5, 6)])
def test_the_components_that_the_inputs_have_are_drawn(inputs: int, components: int) -> None:
    n, layout = np.array([4.0, 8.0, 16.0]), ("width", "a1", "a2", "a3", "a4")
    theory = xr.Dataset({name: (layout[1:], np.ones((inputs,) * 4)) for name in corrections.FLUCTUATIONS})
    sampled = xr.Dataset(coords={"width": n.astype(int)})
    for name in corrections.FLUCTUATIONS:
        value = np.ones((inputs,) * 4) * (1 + 2 / n)[:, None, None, None, None]
        sampled[name], sampled[f"{name}_error"] = (layout, value), (layout, np.full(value.shape, 1e-3))
    figure = corrections.tensors(theory, sampled)
    assert len(figure.legends[0].get_texts()) == components + 1  # and the extrapolation
    count = components * len(corrections.FLUCTUATIONS)
    assert f"{count} of {count} are within" in corrections.tensors_finding(theory, sampled)


def test_a_kernel_on_its_corrected_line_agrees() -> None:
    pair, sampled = ("a1", "a2"), xr.Dataset(coords={"width": [8, 64]})
    theory = xr.Dataset({name: (pair, np.full((2, 2), value)) for name, value in {"K": 2.0, "Theta": 3.0}.items()})
    for name, slope in {"K": -4.0, "Theta": 6.0}.items():
        theory[f"{name}1"] = (pair, np.full((2, 2), slope))
        value = theory[name].values + slope / np.array([8.0, 64.0])[:, None, None]
        sampled[name], sampled[f"{name}_error"] = (
            (("width", *pair), value),
            (("width", *pair), np.full((2, 2, 2), 0.01)),
        )
    said = corrections.kernels_finding(theory, sampled)
    assert "At width 64 the mean kernels are up to 3.1 % off their infinite-width limit" in said  # 4 / 64 / 2
    assert "4 of 4 are within three standard errors and the largest is 0.0" in said


def test_neighbours_are_told_with_their_distances() -> None:
    assert spheres.finding(molecule("H2O"), 0) == (
        "In H2O, the ringed O sees 2 atoms, the nearest 0.97 Å and the farthest 0.97 Å away."
    )
