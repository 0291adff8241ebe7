"""Networks of infinite width from lazy to rich: their outputs, the change of their kernel, their test errors."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator

from ntkfield.figures import words
from ntkfield.figures.style import BLUE, GREEN, GREY, ORANGE, RED, house_style

MARKERS = ("o", "s", "^", "D", "v", "P", "X")  # of widths
COLOURS = (ORANGE, "black", GREEN, RED, "0.6", "0.6", "0.6")  # of the same, where colour does not tell the richness
OFF = 0.1  # relative, at which the lazy term is said to have broken down
FEW = 9  # queries at which networks are drawn


def plot_outputs(found: xr.Dataset) -> Figure:
    """Mean outputs on a line by richness, and what richness changes in them, with trained networks of two widths.

    Args:
        found: as stored by the richness study.
    """
    colours = plt.get_cmap("viridis")(np.linspace(0, 1, found.sizes["richness"] + 2)[1:-1])
    lazy, x = found["output"].sel(richness=0.0), found["query"].values
    few = np.unique(np.linspace(0, len(x) - 1, FEW).round().astype(int))
    with house_style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.6), layout="constrained")
        for colour, richness in zip(colours, found["richness"].values, strict=True):
            one = found.sel(richness=richness)
            left.plot(x, one["output"], color=colour)
            right.plot(x, one["output"] - lazy, color=colour)
            if richness > 0:
                for marker, width in zip(MARKERS, found["width"].values, strict=False):
                    network = one.sel(width=width).isel(query=few)
                    off = network["sampled_output"] - lazy.isel(query=few)
                    error = network["sampled_output_error"]
                    right.errorbar(
                        x[few], off, error, color=colour, fmt=marker, capsize=2, mec="black", markeredgewidth=0.6
                    )
        left.plot(found["train_x"], found["train_y"], "o", color="black", zorder=5)
        left.set(xlabel="input x", ylabel="mean output f(x)", title="outputs")
        right.set(xlabel="input x", ylabel="f(x; richness) - f(x; 0)", title="what richness changes")
        handles: list = [
            Line2D([], [], color=colour, label=f"{_named(richness)}")
            for colour, richness in zip(colours, found["richness"].values, strict=True)
        ]
        handles.append(Line2D([], [], color="black", marker="o", linestyle="", label="training points"))
        handles += _networks(found)
        figure.suptitle(f"Trained networks from lazy to rich (t = {found.attrs['line_time']:g}); lines: infinite width")
        figure.legend(handles=handles, loc="outside lower center", ncols=5)
    return figure


def plot_kernel(found: xr.Dataset) -> Figure:
    """Change of the NTK against richness, with its lazy term and trained networks.

    Args:
        found: as for :func:`plot_outputs`.
    """
    rich = found.sel(richness=found["richness"] > 0)
    values = rich["richness"].values
    with house_style():
        figure, axis = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
        axis.plot(values, rich["lazy_change"], color=GREY, linestyle="--")
        axis.errorbar(values, rich["change"].values, rich["change_error"].values, color=BLUE)
        for marker, colour, width in zip(MARKERS, COLOURS, found["width"].values, strict=False):
            one = rich.sel(width=width)
            square, error = one["sampled_square_change"].values, one["sampled_square_change_error"].values
            seen = square > error  # others have no place on a logarithmic axis
            low, middle, high = (np.sqrt(square[seen] + sign * error[seen]) for sign in (-1, 0, 1))
            axis.errorbar(
                values[seen], middle, [middle - low, high - middle], color=colour, fmt=marker, capsize=3, mfc="none"
            )
        axis.set(xscale="log", yscale="log", xlabel="richness")
        axis.set_ylabel(r"relative change of the kernel, $\|\Theta_t-\Theta_0\|\,/\,\|\Theta_0\|$")
        _plain(axis, values)
        broken = breakdown(found)
        if broken is not None:
            axis.axvline(broken, color=GREY, linewidth=0.8, linestyle=":")
            place = (broken, axis.get_ylim()[1])
            axis.annotate(f"lazy term {100 * OFF:.0f} % off", place, (4, -14), textcoords="offset points", color=GREY)
        handles = [
            Line2D([], [], color=BLUE, label="mean field"),
            Line2D([], [], color=GREY, linestyle="--", label="its lazy term, from the tensors of order 1/n"),
            *_networks(found, COLOURS, "none"),
        ]
        axis.set_title(f"The kernel that learns (t = {found.attrs['line_time']:g})")
        axis.legend(handles=handles, loc="lower right")
    return figure


def plot_error(found: xr.Dataset) -> Figure:
    """Test error against richness, a panel for each target.

    Args:
        found: as for :func:`plot_outputs`.
    """
    rich = found.sel(richness=found["richness"] > 0)
    values, count = rich["richness"].values, found.sizes["target"]
    with house_style():
        figure, axes = plt.subplots(
            1, count, figsize=(max(6.0, 4.2 * count), 3.9), layout="constrained", squeeze=False, sharey=True
        )
        for axis, target in zip(axes[0], found["target"].values, strict=True):
            one = rich.sel(target=target)
            lazy = found.sel(target=target, richness=0.0)
            axis.axhline(lazy["error"], color=GREY, linestyle="--")
            axis.axhline(lazy["lazy_end"], color=GREY, linestyle=":")
            axis.errorbar(values, one["error"], one["error_error"], color=BLUE, marker="o", capsize=3)
            axis.set(xscale="log", xlabel="richness", title=str(target))
            _plain(axis, values)
        axes[0, 0].set_ylabel("root mean square test error")
        axes[0, 0].set_ylim(bottom=0)
        time = f"{found.attrs['plane_time']:g}"
        handles = [
            Line2D([], [], color=BLUE, marker="o", label=f"mean field, t = {time}"),
            Line2D([], [], color=GREY, linestyle="--", label=f"lazy, t = {time}"),
            Line2D([], [], color=GREY, linestyle=":", label="lazy, end of training"),
        ]
        figure.suptitle("Test error of infinitely wide networks by richness")
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def breakdown(found: xr.Dataset) -> float | None:
    """Least richness at which the lazy term is a tenth off the kernel's change; None if it is nowhere so far.

    Between two values it is read off the line through the logarithms of both deviations; the first value, if it is that
    far there already.

    Args:
        found: as for :func:`plot_outputs`.
    """
    rich = found.sel(richness=found["richness"] > 0)
    values, off = rich["richness"].values, (rich["lazy_off"] / rich["change"]).values
    beyond = np.flatnonzero(off >= OFF)
    if not len(beyond):
        return None
    k = beyond[0]
    if k == 0:
        return float(values[0])
    slope = np.log(off[k] / off[k - 1]) / np.log(values[k] / values[k - 1])
    return float(values[k - 1] * np.exp(np.log(OFF / off[k - 1]) / slope))


def finding_outputs(found: xr.Dataset) -> str:
    """How far the richest outputs are from the lazy ones, and networks from the lines by width.

    Args:
        found: as for :func:`plot_outputs`.
    """
    rich = found.sel(richness=found["richness"] > 0)
    last = rich.isel(richness=-1)
    moved = float(abs(last["output"] - found["output"].sel(richness=0.0)).max())
    told = []
    for width in found["width"].values:
        one = rich.sel(width=width)
        off = one["sampled_output"] - rich["output"]
        told.append(f"{float(abs(off).mean()):.2g} at width {width}")
    widest = rich.isel(width=-1)
    error = np.hypot(widest["sampled_output_error"], widest["output_error"])
    sigmas = ((widest["sampled_output"] - widest["output"]) / error).values
    return (
        f"At richness {float(last['richness']):g} outputs differ from lazy ones by up to {moved:.2g}. The means of "
        f"trained networks are on average off the lines by {words.listed(told)}; of the differences at the largest "
        f"width {words.agreement(sigmas)}."
    )


def finding_kernel(found: xr.Dataset) -> str:
    """The kernel's change at the least and at the greatest richness beside the lazy term, and where that breaks down.

    Args:
        found: as for :func:`plot_outputs`.
    """
    rich = found.sel(richness=found["richness"] > 0)
    told = []
    for one in (rich.isel(richness=0), rich.isel(richness=-1)):
        changed = words.with_error(float(one["change"]), float(one["change_error"]))
        lazy = float(one["lazy_change"])
        told.append(f"{changed} at richness {float(one['richness']):g}, where its lazy term has {lazy:.3g}")
    broken = breakdown(found)
    ends = f"is a tenth off at richness {broken:.2g}" if broken is not None else "is nowhere a tenth off"
    widest = rich.isel(width=-1)
    error = np.hypot(widest["sampled_square_change_error"], 2 * widest["change"] * widest["change_error"])
    sigmas = ((widest["sampled_square_change"] - widest["change"] ** 2) / error).values
    return (
        f"The kernel changes by a relative {words.listed(told)}; that term {ends}. Of the differences between trained "
        f"networks of width {widest['width'].item()} and the mean field, {words.agreement(sigmas)}."
    )


def finding_error(found: xr.Dataset) -> str:
    """For each target the richness of the least test error, and what the greatest one does.

    Args:
        found: as for :func:`plot_outputs`.
    """
    rich = found.sel(richness=found["richness"] > 0)
    told = []
    for target in found["target"].values:
        one, lazy = rich.sel(target=target), found.sel(target=target)
        best, last = one.isel(richness=int(np.argmin(one["error"].values))), one.isel(richness=-1)
        end = float(lazy["lazy_end"].max())
        values = [words.with_error(float(each["error"]), float(each["error_error"])) for each in (best, last)]
        change = float(last["error"]) - end
        known = abs(change) > float(last["error_error"])
        verdict = ("features help" if change < 0 else "features harm") if known else "features change little"
        least = f"least at richness {float(best['richness']):g} with {values[0]}"
        if float(best["error"]) > end:
            least = f"never below that of lazy training, at best {values[0]}"
        told.append(
            f"{target}: {end:.3g} for lazy training to its end, {least}, {values[1]} at the greatest: {verdict}"
        )
    return f"Test errors by target. {'; '.join(told)}."


def _named(richness: float) -> str:
    return "lazy (richness 0)" if richness == 0 else f"richness {richness:g}"


def _networks(found: xr.Dataset, colours: Sequence[Any] = ("0.6",) * 7, inside: str | None = None) -> list[Line2D]:
    """What a legend says of trained networks, by width."""
    handles = []
    for marker, colour, width in zip(MARKERS, colours, found["width"].values, strict=False):
        handle = Line2D([], [], color=colour, marker=marker, linestyle="", label=f"networks, width {width}")
        handle.set(**({"markerfacecolor": inside} if inside else {"markeredgecolor": "black", "markeredgewidth": 0.6}))
        handles.append(handle)
    return handles


def _plain(axis: Axes, values: np.ndarray) -> None:
    """The values themselves along a logarithmic axis."""
    axis.set_xticks(values)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_minor_locator(NullLocator())
