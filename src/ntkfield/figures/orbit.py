"""Equivariant networks against MLPs that learn the same symmetry, at order 1/n.

All functions take the summary that the augmentation study stores of it.
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntkfield.figures import words
from ntkfield.figures.style import BLUE, GREY, ORANGE, house_style

LOOK = {"averaged": (BLUE, "o", "MLP with averaged output"), "copies": (ORANGE, "s", "MLP trained on all copies")}
TITLES = {"test": "signals like the data", "noise": "signals off the data"}


def plot(result: xr.Dataset) -> Figure:
    """The difference against one over the width at the end, and times the width during training, by set of signals.

    Args:
        result: over kind, set, width and time: ``difference`` and its error, and what is predicted.
    """
    sets = list(result["set"].values)
    with house_style():
        size = (9.2, 3.1 * len(sets) + 0.8)
        figure, axes = plt.subplots(len(sets), 2, figsize=size, layout="constrained", squeeze=False)
        for row, name in zip(axes, sets, strict=True):
            one = result.sel(set=name)
            _against_width(row[0], one)
            _against_time(row[1], one)
            row[0].set_ylabel(f"{TITLES[name]}\ndifference of mean outputs")
            row[1].set_ylabel("width × difference")
        axes[0, 0].set_title(f"by width, t × λ = {float(result['time'][-1]):g}")
        axes[0, 1].set_title(f"during training, width {int(result['width'][0])}")
        figure.suptitle(
            "Equivariant networks minus MLPs that learn the symmetry: one at infinite width, not at width n"
        )
        handles, labels = axes[0, 1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def finding(result: xr.Dataset) -> str:
    """The difference at the end of training at the smallest width, predicted and sampled, and how many agree.

    Args:
        result: as for :func:`plot`.
    """
    last = result.isel(time=-1)
    n, parts = last["width"].values, []
    for kind, (_, _, label) in LOOK.items():
        told = []
        for name in last["set"].values:
            one = last.sel(kind=kind, set=name)
            sampled = words.with_error(float(one["difference"][0]), float(one["difference_error"][0]))
            told.append(f"{sampled} on {TITLES[name]} ({float(one['predicted']) / n[0]:.2g} predicted)")
        parts.append(f"from the {label} by {' and '.join(told)}")
    wide = last.isel(width=slice(1, None))
    off = (wide["difference"] - wide["predicted"] / wide["width"]) / wide["difference_error"].where(
        wide["difference_error"] > 0
    )
    return (
        f"At width {n[0]} the mean of {int(result['members'])} pairs of equivariant networks differs "
        f"{'; '.join(parts)}. "
        f"At larger widths, of the differences on the predicted lines, {words.agreement(off.fillna(0.0).values)}."
    )


def _against_width(axis: Axes, one: xr.Dataset) -> None:
    last, widths = one.isel(time=-1), one["width"].values
    inverse, ends = 1.0 / widths, np.array([0.0, 1.1 / widths.min()])
    axis.axhline(0, color=GREY, linewidth=1)
    for (kind, (colour, marker, _)), aside in zip(LOOK.items(), (0.99, 1.01), strict=True):  # bars beside each other
        at = last.sel(kind=kind)
        axis.plot(ends, float(at["predicted"]) * ends, color=colour)
        style = {"color": colour, "fmt": marker, "capsize": 3}
        axis.errorbar(aside * inverse, at["difference"], at["difference_error"], **style)
    shown = widths[:4]  # of many in steps of two the labels of the first would lie on each other
    axis.set_xticks([0.0, *1.0 / shown], ["0", *(f"1/{width}" for width in shown)])
    axis.set_xlim(0, ends[-1])
    axis.set_xlabel("1 / width n")


def _against_time(axis: Axes, one: xr.Dataset) -> None:
    narrow, times = one.isel(width=0), one["time"].values
    n, apart = int(narrow["width"]), 0.006 * (times[-1] - times[0])
    axis.axhline(0, color=GREY, linewidth=1)
    for (kind, (colour, marker, label)), aside in zip(LOOK.items(), (-apart, apart), strict=True):
        at = narrow.sel(kind=kind)
        axis.plot(times, at["predicted"], color=colour, label=f"{label}: predicted at order 1/n, nothing fitted")
        off, error = n * at["difference"], n * at["difference_error"]
        style = {"color": colour, "fmt": marker, "capsize": 3, "label": f"{label}: networks"}
        axis.errorbar(times + aside, off, error, **style)
    axis.set_xlabel("training time × largest NTK eigenvalue λ")
