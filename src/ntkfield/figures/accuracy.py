"""Accuracy against training size, on upright and on turned images."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from ntkfield.figures import words
from ntkfield.figures.style import BLUE, COLOURS, GREEN, GREY, ORANGE, house_style
from ntkfield.groups.finite import PLANAR_GROUPS

TITLE = {"upright": "test images upright", "turned": "test images turned by random quarter turns"}


def colour(group: str) -> tuple[float, float, float]:
    """The colour of a planar group's networks in every figure."""
    order = [ORANGE, BLUE, GREEN, *(each for each in COLOURS if each not in (ORANGE, BLUE, GREEN))]
    return order[list(PLANAR_GROUPS).index(group) % len(order)]


def short(group: str) -> str:
    """A planar group's networks in a word or two."""
    return group.upper() if len(PLANAR_GROUPS[group].matrices) > 1 else "plain CNN"


def plot(curve: xr.Dataset) -> Figure:
    """Draw accuracies with their spread over training subsets, one panel a view.

    Args:
        curve: as stored by the images study: ``accuracy`` [model, view, seed, train_size] with the coordinates group,
            network and kernel along model, and the attributes n_classes, source and test_size.
    """
    views = [str(view) for view in curve["view"].values]
    with house_style():
        figure, axes = plt.subplots(
            1, len(views), figsize=(0.8 + 4.0 * len(views), 4.1), sharey=True, squeeze=False, layout="constrained"
        )
        for axis, view in zip(axes[0], views, strict=True):
            _panel(axis, curve.sel(view=view))
            axis.set_title(TITLE[view])
        axes[0, 0].set_ylabel("test images classified rightly (%)")
        axes[0, 0].set_ylim(0, 100)
        source = curve.attrs["source"].split(" (")[0]
        figure.suptitle(f"Infinitely wide networks trained on upright images: {source}")
        figure.legend(handles=_legend(curve), loc="outside lower center", ncols=3)
    return figure


def finding(curve: xr.Dataset) -> str:
    """The NTKs' accuracies at the largest training size.

    Args:
        curve: as for :func:`plot`.
    """
    last = 100 * curve["accuracy"].isel(train_size=-1)
    parts = []
    for model in np.flatnonzero(curve["kernel"].values == "ntk"):
        one = last.isel(model=model)
        shares = [
            f"{words.with_error(float(one.sel(view=view).mean()), float(one.sel(view=view).std(ddof=1)))} % of {view}"
            for view in curve["view"].values
        ]
        parts.append(f"{short(one['group'].item())} {words.listed(shares)}")
    return (
        f"Trained on {int(curve['train_size'][-1])} upright images, NTKs classify rightly of the test images: "
        f"{'; '.join(parts)} ones. ± is the standard deviation over {curve.sizes['seed']} training subsets."
    )


def _panel(axis: Axes, curve: xr.Dataset) -> None:
    sizes, groups = curve["train_size"].values, _groups(curve)
    axis.axhline(100 / curve.attrs["n_classes"], color=GREY, linestyle=":")
    for model in range(curve.sizes["model"]):
        one = curve.isel(model=model)
        group, ntk = one["group"].item(), one["kernel"].item() == "ntk"
        percent, dodge = 100 * one["accuracy"], groups.index(group) - (len(groups) - 1) / 2
        axis.errorbar(
            sizes * 1.03 ** (2 * dodge + (0 if ntk else 0.7)),
            percent.mean("seed").values,
            percent.std("seed", ddof=1).values,
            color=colour(group),
            linestyle="-" if ntk else "--",
            marker="o" if ntk else "s",
            markerfacecolor=None if ntk else "white",
            capsize=2.5,
        )
    axis.set_xscale("log")
    axis.set_xlabel("training images, all upright")
    axis.set_xticks(sizes, [str(size) for size in sizes])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.grid(True, axis="y", color="0.92", linewidth=0.8)


def _groups(curve: xr.Dataset) -> list[str]:
    """The groups in the data, in the table's order."""
    return [group for group in PLANAR_GROUPS if group in curve["group"].values]


def _long(group: str) -> str:
    meaning = PLANAR_GROUPS[group].meaning
    return short(group) if short(group) == "plain CNN" else f"{short(group)}: invariant to {meaning}"


def _legend(curve: xr.Dataset) -> list[Line2D]:
    handles = [Line2D([], [], color=colour(group), label=_long(group)) for group in _groups(curve)]
    handles += [
        Line2D([], [], color="black", marker="o", label="NTK (all layers trained)"),
        Line2D([], [], color="black", marker="s", linestyle="--", markerfacecolor="white", label="NNGP (last layer)"),
        Line2D([], [], color=GREY, linestyle=":", label="guessing"),
    ]
    return handles
