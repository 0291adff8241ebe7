"""The learning curves of the molecules study are drawn for any choice of models and networks."""

import itertools
import json

import numpy as np
import pytest
import xarray as xr

from ntkfield.dynamics.learning_curve import join
from ntkfield.figures import learning_curve

QM9 = "QM9 (doi:10.1038/sdata.2014.22), as packaged in qm9pack"


def curve(models: list[tuple[str, str]], source: str = QM9) -> xr.Dataset:
    """As the study stores it: two kernels of each model, each worse than the one before."""
    labels = [
        {"network": network, "matching": matching, "kernel": kernel}
        for (network, matching), kernel in itertools.product(models, ("ntk", "nngp"))
    ]
    errors = np.array([[2.0, 1.0], [2.2, 1.1], [2.4, 1.2]])
    single = xr.Dataset(
        {"mean_absolute_error": (("seed", "train_size"), errors), "baseline": (("seed", "train_size"), 4 * errors)},
        coords={"seed": [0, 1, 2], "train_size": [8, 16]},
    )
    published = {name: settings | learning_curve.RELU for name, settings in learning_curve.NETWORKS.items()}
    config = {"signals": learning_curve.SIGNALS, "diag_reg": learning_curve.DIAG_REG, "networks": published}
    curves = join([(1 + k) * single for k in range(len(labels))], labels)
    return curves.assign_attrs(source=source, config=json.dumps(config))


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


def test_only_qm9_is_compared_with_what_was_published() -> None:
    models = [("so3", "slot"), ("mlp", "slot")]
    assert sum(line.get_marker() == "*" for line in learning_curve.plot(curve(models[:1])).axes[0].lines) == 1
    for source, stars, title in ((QM9, 2, "QM9 molecules"), ("molecule files", 0, "own molecules")):
        figure = learning_curve.plot(curve(models, source))
        assert sum(line.get_marker() == "*" for line in figure.axes[0].lines) == stars
        assert title in figure.get_suptitle()
