"""The sentences under the figures say what the data hold."""

import numpy as np
import pytest
import xarray as xr
from ase.build import molecule

from ntkfield.figures import (
    accuracy,
    augmentation,
    corrections,
    kernel_convergence,
    learning_curve,
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
            "train_size": [10, 20],
        },
    )
    said = learning_curve.finding(curve)
    assert "Trained on 20 molecules" in said
    assert "SO(3)-invariant network errs by 1000 ± 200 meV (NNGP, atoms of equal element)" in said
    assert "the same atoms errs by 5000 ± 200 meV (NTK, atoms of equal position in the list)" in said
    assert "end to end errs by 8000 ± 200 meV (NTK)" in said
    assert "predicting the mean errs by 10000 meV" in said


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


def test_the_law_of_freezing_is_told_with_its_fit() -> None:
    summary = xr.Dataset(
        {
            "ntk_change": (("width", "time"), [[0.0, 0.4], [0.0, 0.1]]),
            "ntk_change_error": (("width", "time"), [[0.0, 0.02], [0.0, 0.006]]),
            "law": ("order", [6.43, -1.0]),
            "law_error": ("order", [0.3, 1.0]),
            "chi_squared": ((), 1.44, {"degrees_of_freedom": 2}),
        },
        coords={"width": [16, 64], "time": [0.0, 8.0]},
    )
    said = sine.finding_freezing(summary)
    assert "is 0.40 ± 0.02 at width 16 and 0.100 ± 0.006 at width 64" in said
    assert "(6.4 ± 0.3) / n" in said
    assert "χ² = 1.4 for 2 degrees of freedom" in said


def test_an_ensemble_of_the_exact_law_is_one_standard_error_off() -> None:
    rng = np.random.default_rng(0)
    members, points = 400, 2000
    mean, deviation = np.zeros(points), np.full(points, 0.5)
    sample = rng.normal(size=(members, points)) * deviation
    layout = ("width", "time", "point")
    summary = xr.Dataset(
        {
            "mean": (("time", "point"), mean[None]),
            "deviation": (("time", "point"), deviation[None]),
            "sampled_mean": (layout, sample.mean(0)[None, None]),
            "sampled_deviation": (layout, sample.std(0, ddof=1)[None, None]),
            "members": ("width", [members]),
        },
        coords={"width": [32], "time": [3.0]},
    )
    said = sine.finding_ensemble(summary)
    assert "At time 3 the mean of 400 networks of width 32" in said
    # 2000 independent points: the root mean square is 1 within 1 / sqrt(4000) = 0.016
    assert "by 1.0 standard errors in root mean square" in said
    assert "1.00 times the exact one (sampling alone leaves it uncertain by 0.04)" in said


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
