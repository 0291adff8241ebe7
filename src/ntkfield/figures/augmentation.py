"""Data augmentation against invariance: squared difference of two ensembles' mean outputs."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from ntkfield.figures import words
from ntkfield.figures.style import BLUE, GREEN, GREY, ORANGE, RED, house_style

TITLES = {"test": "test images (on the data)", "noise": "noise images (off the data)"}
SHADES = (ORANGE, GREEN, BLUE, RED)


def plot(difference: xr.Dataset) -> Figure:
    """Draw it against training time, ensemble size and width, a row for each set of images.

    Args:
        difference: as stored by the augmentation study.
    """
    kinds = list(difference["set"].values)
    with house_style():
        figure, axes = plt.subplots(len(kinds), 3, figsize=(11, 3.1 * len(kinds) + 0.9), layout="constrained")
        for row, kind in zip(np.atleast_2d(axes), kinds, strict=True):
            one = difference.sel(set=kind)
            _against_time(row[0], one)
            _against_members(row[1], one)
            _against_width(row[2], one)
            row[0].set_ylabel(f"{TITLES[kind]}\nsquared difference of means")
            for axis in row:
                axis.grid(True, which="major", color="0.92", linewidth=0.8)
        for axis, title in zip(
            np.atleast_2d(axes)[0],
            ("left at infinite N, during training", "sampled, by ensemble size N", "left at infinite N, by width"),
            strict=True,
        ):
            axis.set_title(title)
        figure.suptitle(
            "CNNs trained on all quarter turns against C4-invariant networks trained on the images alone\n"
            f"(at infinite width their exact predictions differ by at most {float(difference['disagreement']):.0e})"
        )
        handles = [
            Line2D([], [], color=colour, marker="o", label=f"width {width}")
            for width, colour in zip(difference["width"].values, _colours(difference), strict=False)
        ]
        handles += [
            Line2D([], [], color=GREY, linestyle=":", label="sampling variance alone, 1 / N"),
            Line2D([], [], color="black", linestyle="--", label="1 / width², through the last point told from 0"),
            Line2D([], [], color=GREY, linestyle="", marker="v", label="not told from 0, below this"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def finding(difference: xr.Dataset) -> str:
    """What is left of the difference at infinitely many networks, at the end of training.

    Args:
        difference: as for :func:`plot`.
    """
    parts = []
    for kind in difference["set"].values:
        last = difference.sel(set=kind).isel(time=-1)
        floor, error = last["floor"].values, last["floor_error"].values
        told = [
            words.with_error(value, bar) + ("" if value > words.CERTAIN * bar else " (not told from zero)")
            for value, bar in zip(floor, error, strict=True)
        ]
        parts.append(f"on {kind} images {words.listed(told)}")
    widths = words.listed([str(width) for width in difference["width"].values])
    return (
        f"At widths {widths}, the squared difference that is left with infinitely many networks is "
        f"{'; '.join(parts)}. At infinite width the two exact predictions differ by at most "
        f"{float(difference['disagreement']):.0e}."
    )


def _colours(difference: xr.Dataset) -> list:
    count = difference.sizes["width"]
    return list(SHADES) if count <= len(SHADES) else list(plt.get_cmap("cividis")(np.linspace(0, 0.9, count)))


def _against_time(axis: Axes, one: xr.Dataset) -> None:
    times = one["time"].values
    for i, colour in zip(range(one.sizes["width"]), _colours(one), strict=False):
        at = one.isel(width=i)
        axis.errorbar(times, at["floor"], 2 * at["floor_error"], color=colour, marker="o", capsize=2.5)
    axis.set_xscale("symlog", linthresh=1)
    axis.set_xlim(-0.2, times.max() * 1.6)
    axis.axhline(0, color="0.7", linewidth=0.8)
    axis.set_xlabel("training time × largest NTK eigenvalue")


def _against_members(axis: Axes, one: xr.Dataset) -> None:
    last = one.isel(time=-1)
    sizes = one["members"].values
    for i, colour in zip(range(one.sizes["width"]), _colours(one), strict=False):
        at = last.isel(width=i)
        axis.plot(sizes, at["sampling"], color=colour, linestyle=":", linewidth=1.4)
        low = np.minimum(at["squared_difference_error"], 0.9 * at["squared_difference"])
        axis.errorbar(
            sizes,
            at["squared_difference"],
            [low, at["squared_difference_error"]],
            color=colour,
            marker="o",
            capsize=2.5,
        )
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    shown = sizes[1::2] if len(sizes) > 5 else sizes  # every other of many, so that their labels do not touch
    axis.set_xticks(shown, [str(n) for n in shown])
    axis.set_xlabel("networks N in each ensemble")


def _against_width(axis: Axes, one: xr.Dataset) -> None:
    last, widths = one.isel(time=-1), one["width"].values
    floor, error = last["floor"].values, 2 * last["floor_error"].values
    for width, value, bar, colour in zip(widths, floor, error, _colours(one), strict=False):
        if value > bar:
            axis.errorbar([width], [value], [bar], color=colour, marker="o", capsize=3)
        else:  # not told from zero: the value that it is below
            axis.plot([width], [max(value, 0.0) + bar], color=colour, marker="v", markersize=8)
    known = np.flatnonzero(floor > error)
    if len(known):
        anchor = known[-1]
        axis.plot(
            widths, floor[anchor] * (widths[anchor] / widths) ** 2.0, color="black", linestyle="--", linewidth=1.2
        )
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xticks(widths, [str(width) for width in widths])
    axis.xaxis.set_minor_locator(NullLocator())
    low, high = axis.get_ylim()
    if np.log10(high / low) > 1.5:
        axis.yaxis.set_minor_formatter(NullFormatter())
    else:  # too short for powers of ten alone
        axis.yaxis.set_minor_formatter(
            FuncFormatter(lambda value, _: f"{value:.1e}".replace(".0e", "e").replace("e-0", "e−"))
        )
        axis.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axis.set_xlabel("width n (channels)")
