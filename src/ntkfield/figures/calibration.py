"""Whether predictive standard deviations are what they say: how many test samples lie in intervals of a probability."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from ntkfield.figures import words
from ntkfield.figures.learning_curve import COLOUR, LEGEND, MARKERS
from ntkfield.figures.style import GREY, house_style

PROBABILITY = 0.9  # of the interval that the finding tells


def plot(curve: xr.Dataset) -> Figure:
    """Draw the share of test samples inside central intervals of the predicted Gaussians, by their probability.

    Args:
        curve: as stored by the molecules study, ``coverage`` [model, seed, train_size, level] of which at the largest
            training size is drawn, its bars the standard deviation over splits.
    """
    shown = _shown(curve)
    with house_style():
        figure, axes = plt.subplots(figsize=(5.4, 4.6), layout="constrained")
        level = 100 * curve["level"].values
        axes.plot([0, 100], [0, 100], color=GREY, linestyle=":", label="as predicted")
        for model in range(shown.sizes["model"]):
            one = shown.isel(model=model)
            name, kernel, inside = one["network"].item(), one["kernel"].item(), 100 * one["coverage"]
            axes.errorbar(
                level + {"ntk": 0.5, "nngp": -0.5}.get(kernel, 0.0),
                inside.mean("seed"),
                inside.std("seed", ddof=1),
                color=COLOUR.get(name),
                linestyle="--" if kernel == "nngp" else "-",
                marker={"ntk": "o", "nngp": "s"}.get(kernel, MARKERS.get(name, "D")),
                markerfacecolor="white" if kernel == "nngp" else None,
                capsize=2.5,
                label=_label(one),
            )
        axes.set_xlabel("probability of the predicted interval (%)")
        axes.set_ylabel("test molecules inside it (%)")
        axes.set_title(f"Predicted standard deviations, {int(curve['train_size'][-1])} training molecules")
        axes.set_xlim(0, 102)
        axes.set_ylim(0, 102)
        axes.legend(fontsize="small")
    return figure


def finding(curve: xr.Dataset) -> str:
    """How many test samples lie in intervals that should hold nine of ten.

    Args:
        curve: as for :func:`plot`.
    """
    inside = 100 * _shown(curve)["coverage"].sel(level=PROBABILITY)
    parts = [
        f"{words.with_error(float(one.mean('seed')), float(one.std('seed', ddof=1)))} % ({_label(one)})"
        for one in inside
    ]
    return (
        f"Intervals of probability {100 * PROBABILITY:.0f} % hold {words.listed(parts)} of the test molecules after "
        f"{int(curve['train_size'][-1])} to train on; ± is the standard deviation over {curve.sizes['seed']} splits."
    )


def _label(model: xr.Dataset | xr.DataArray) -> str:
    """A model's network, and its kernel if it is one."""
    name, kernel = str(model["network"].item()), str(model["kernel"].item())
    return LEGEND.get(name, name) + ("" if kernel == "ridge" else f", {kernel.upper()}")


def _shown(curve: xr.Dataset) -> xr.Dataset:
    """Models with a coverage, at the largest training size."""
    last = curve.isel(train_size=-1)
    return last.isel(model=np.isfinite(last["coverage"].transpose("model", ...).values).all(axis=(1, 2)))
