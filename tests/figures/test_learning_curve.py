"""The learning curves of the molecules study are drawn for any choice of models and networks."""

import json

import numpy as np
import pytest
import xarray as xr

from ntkfield.dynamics.learning_curve import LEVELS, join
from ntkfield.figures import calibration, learning_curve, search

QM9 = "QM9 (doi:10.1038/sdata.2014.22), as packaged in qm9pack"


def curve(models: list[tuple[str, str]], source: str = QM9, composition: bool = False) -> xr.Dataset:
    """As the study stores it: two kernels of each model, each worse than the one before; one of descriptors."""
    labels = [
        {"network": network, "matching": matching, "kernel": kernel, "composition": composition}
        for network, matching in models
        for kernel in (("ridge",) if network in learning_curve.MARKERS else ("ntk", "nngp"))
    ]
    errors, dims = np.array([[2.0, 1.0], [2.2, 1.1], [2.4, 1.2]]), ("seed", "train_size")
    coverage = np.linspace(0.0, 1.0, 8) + np.zeros((3, 2, 1))
    single = xr.Dataset(
        {
            "mean_absolute_error": (dims, errors),
            "baseline": (dims, 4 * errors),
            "composition_error": (dims, 3 * errors if composition else np.full((3, 2), np.nan)),
            "coverage": ((*dims, "level"), coverage if composition else np.full((3, 2, 8), np.nan)),
        },
        coords={"seed": [0, 1, 2], "train_size": [8, 16], "level": list(LEVELS)},
    )
    published = {name: settings | learning_curve.RELU for name, settings in learning_curve.NETWORKS.items()}
    config = {
        "signals": dict.fromkeys(published, learning_curve.SIGNALS),
        "networks": published,
        "models": [
            {"network": name, "matching": how, "composition": composition, "diag_reg": learning_curve.DIAG_REG}
            for name, how in models
        ],
    }
    scaled = ("mean_absolute_error", "baseline", "composition_error")
    curves = [single.assign({name: (1 + k) * single[name] for name in scaled}) for k in range(len(labels))]
    return join(curves, labels).assign_attrs(source=source, config=json.dumps(config))


@pytest.mark.parametrize(
    ("models", "panels", "named"),
    [
        ([("so3", "element"), ("mlp", "element")], 1, ["SO(3)-invariant network", "MLP, same atoms compared"]),
        ([("so3", "all")], 1, ["SO(3)-invariant network"]),
        ([("mlp", "flat")], 1, ["MLP on all atoms end to end"]),
        ([("wide", "slot"), ("deep", "slot"), ("deep", "all")], 2, ["wide", "deep"]),
    ],
)
def test_every_choice_of_models_is_drawn_and_told(models: list, panels: int, named: list[str]) -> None:
    drawn = curve(models)
    figure = learning_curve.plot(drawn)
    assert len(figure.axes) == panels
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts[: texts.index("NTK (trained)")] == named
    colours = [handle.get_color() for handle in legend.get_lines()[: len(named)]]
    assert len(set(colours)) == len(named)
    said = learning_curve.finding(drawn)
    assert said.count(" errs by ") == len(named) + 1  # and that of predicting the mean
    assert "1100 ± 100 meV (NTK" in said


def test_composition_has_panels_of_its_own_with_what_is_made_by_hand() -> None:
    fitted = curve([("so3", "element"), ("soap", "element")], composition=True)
    both = xr.concat([fitted, curve([("so3", "slot")])], "model", combine_attrs="override")
    figure = learning_curve.plot(both)
    assert [axis.get_title().split(",")[0] for axis in figure.axes] == ["composition fitted first", "the whole energy"]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"SOAP, made by hand", "composition alone", "predicting the mean"} <= set(texts)
    # The grey line is the fit's error where there is one: three times the model's, 2.2 eV in the mean over splits.
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), [6600.0, 3300.0])
    said = learning_curve.finding(both)
    assert "which all of them fit first, err alone by 3300 meV; on the whole energy, the SO(3)" in said
    assert "SOAP kernel ridge regression errs by 3300 ± 300 meV;" in said


def test_calibration_shows_those_with_standard_deviations() -> None:
    fitted = curve([("so3", "element"), ("soap", "element")], composition=True)
    both = xr.concat([fitted, curve([("so3", "slot")])], "model", combine_attrs="override")
    (axis,) = calibration.plot(both).axes
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    shown = ["SO(3)-invariant network, NTK", "SO(3)-invariant network, NNGP", "SOAP, made by hand"]
    assert sorted(labels) == sorted(["as predicted", *shown])
    assert "hold 71.43 % (SO(3)-invariant network, NTK)" in calibration.finding(both)


def test_candidates_are_ranked_by_error_and_the_likeliest_is_named() -> None:
    dims, errors = ("candidate", "kernel", "diag_reg"), np.array([[[3.0, 1.0], [2.0, 2.5]], [[0.5, 4.0], [3.0, 3.0]]])
    judged = xr.Dataset(
        {
            "mean_absolute_error": (dims, errors),
            "standard_error": (dims, 0 * errors + 0.1),
            "log_evidence": (dims, errors),
        },
        coords={"candidate": ["one", "two"], "kernel": ["ntk", "nngp"], "diag_reg": [1e-3, 1e-2]},
        attrs={"molecules": 10, "composition_error": 5.0},
    )
    assert search.best(judged)["diag_reg"].values.tolist() == [[1e-2, 1e-3], [1e-3, 1e-3]]
    assert [text.get_text() for text in search.plot(judged).axes[0].get_yticklabels()] == ["one", "two"]
    said = search.finding(judged)
    assert said.startswith(
        "Of 2 candidates, two (NTK) predicts each of 10 molecules best from the others, within 500 ±"
    )
    assert said.endswith("two (NNGP) has the largest evidence.")


def test_only_qm9_is_compared_with_what_was_published() -> None:
    models = [("so3", "slot"), ("mlp", "slot")]
    assert sum(line.get_marker() == "*" for line in learning_curve.plot(curve(models[:1])).axes[0].lines) == 1
    for source, stars, title in ((QM9, 2, "QM9 molecules"), ("molecule files", 0, "own molecules")):
        figure = learning_curve.plot(curve(models, source))
        assert sum(line.get_marker() == "*" for line in figure.axes[0].lines) == stars
        assert title in figure.get_suptitle()
