"""Test error of trained networks by width, and by what its first correction in 1/n comes about."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ntkfield.figures import words
from ntkfield.figures.style import BLUE, GREEN, GREY, ORANGE, house_style

CAUSES = {
    "linear_1": ("another kernel: linear in the targets", BLUE),
    "cubic_1": ("learned features: cubic in the targets", GREEN),
    "spread_1": ("spread of the networks", "0.7"),
}


def plot_error(found: xr.Dataset) -> Figure:
    """Root mean square test error of the ensembles' mean against 1/n, a row for each network, a column for each target.

    Args:
        found: as stored by the learning study.
    """
    last, widths = found.isel(time=-1), found["width"].values
    fine = np.linspace(0, 1.1 / widths[0], 50)
    rows, columns = last.sizes["network"], last.sizes["target"]
    with house_style():
        figure, axes = plt.subplots(
            rows,
            columns,
            figsize=(max(7.0, 3.1 * columns), 2.4 * rows + 1.3),
            sharex=True,
            squeeze=False,
            layout="constrained",
        )
        for (row, column), axis in np.ndenumerate(axes):
            one = last.isel(network=row, target=column)
            axis.axhline(np.sqrt(one["error_0"]), color=GREY, linestyle="--")
            axis.plot(fine, np.sqrt(one["error_0"].item() + _quadratic(one, fine)), color=BLUE)
            square, error = one["sampled_mean"].values, one["sampled_mean_error"].values
            seen = np.sqrt(np.maximum(square, 0.0))
            low, high = (np.sqrt(np.maximum(square + sign * error, 0.0)) for sign in (-1, 1))
            axis.errorbar(1 / widths, seen, [seen - low, high - seen], color=ORANGE, fmt="o", capsize=3)
            axis.margins(y=0.25)
            axis.set_xlim(0, fine[-1])
            axis.set_xticks([0, *(1 / widths)], ["∞", *map(str, widths)])
            if row == 0:
                axis.set_title(one["target"].item())
            if column == 0:
                axis.set_ylabel(f"{words.spaced(one['network'].item())}\nroot mean square\ntest error")
        for axis in axes[-1]:
            axis.set_xlabel("width n (spaced as 1/n)")
        handles = [
            Line2D([], [], color=ORANGE, marker="o", linestyle="", label="trained networks, mean ± standard error"),
            Line2D([], [], color=BLUE, label="theory to order 1/n, nothing fitted"),
            Line2D([], [], color=GREY, linestyle="--", label="infinite width"),
        ]
        figure.suptitle(f"Test error of the mean of trained networks, by width (t = {float(last['time']):g})")
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _quadratic(one: xr.Dataset, inverse: np.ndarray) -> np.ndarray:
    """What m1/n changes the mean square error by: with its square, which the corrected mean has, too."""
    slope = float(one["linear_1"] + one["cubic_1"])
    n = float(one["width"][0])
    bend = (float(one["corrected"][0] - one["error_0"]) - slope / n) * n**2
    return slope * inverse + bend * inverse**2


def plot_causes(found: xr.Dataset) -> Figure:
    """The coefficient of 1/n in the mean square test error by cause, a panel for each network.

    Args:
        found: as for :func:`plot_error`.
    """
    last = found.isel(time=-1)
    rows = last.sizes["network"]
    places = np.arange(last.sizes["target"])
    with house_style():
        figure, axes = plt.subplots(
            1, rows, figsize=(max(7.0, 4.3 * rows), 4.4), sharey=True, squeeze=False, layout="constrained"
        )
        for axis, name in zip(axes[0], last["network"].values, strict=True):
            one = last.sel(network=name)
            for shift, (cause, (_, colour)) in zip((-0.33, -0.12, 0.09), CAUSES.items(), strict=True):
                axis.bar(places + shift, one[cause], 0.2, color=colour)
            together = sum(one[cause] for cause in CAUSES)
            axis.plot(places + 0.3, together, "_", color="black", markersize=14, markeredgewidth=2)
            widest = one.isel(width=-1)
            n, limit = float(widest["width"]), widest["error_0"] + widest["spread_0"]
            sampled, error = n * (widest["sampled_single"] - limit), n * widest["sampled_single_error"]
            axis.errorbar(places + 0.3, sampled, error, color=ORANGE, fmt="o", capsize=3)
            axis.axhline(0, color="black", linewidth=0.8)
            axis.set_xticks(places, list(one["target"].values))
            axis.set_title(words.spaced(name))
        axes[0, 0].set_ylabel("coefficient of 1/n in the\nmean square test error of a network")
        figure.suptitle(
            f"Why networks of finite width err more or less (t = {float(last['time']):g}): bars below 0 help"
        )
        handles: list = [Patch(color=colour, label=label) for label, colour in CAUSES.values()]
        handles.append(Line2D([], [], color="black", marker="_", markersize=12, linestyle="", label="their sum"))
        label = f"trained networks of width {int(last['width'][-1])}, ± standard error"
        handles.append(Line2D([], [], color=ORANGE, marker="o", linestyle="", label=label))
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def finding_error(found: xr.Dataset) -> str:
    """How much of the squared distance between networks and the limit the correction takes away.

    Args:
        found: as for :func:`plot_error`.
    """
    last = found.isel(time=-1)
    told = []
    for width in last["width"].values:
        one = last.sel(width=width)
        left, all_ = (one[f"sampled_from_{name}"].sum() for name in ("series", "limit"))
        error = np.sqrt(float((one["sampled_from_series_error"] ** 2).sum())) / float(all_)
        told.append(f"{words.with_error(100 * float(left / all_), 100 * error)} % at width {width}")
    nearer = abs(last["sampled_mean"] - last["corrected"]) < abs(last["sampled_mean"] - last["error_0"])
    cases = nearer.isel(width=-1)
    return (
        "Of the squared distance between the mean of trained networks and that of infinite width, the correction in "
        f"1/n leaves {words.listed(told)}; at the largest width its test error is the nearer to theirs for "
        f"{int(cases.sum())} of {cases.size} targets and networks."
    )


def finding_causes(found: xr.Dataset) -> str:
    """For how many targets, networks and times the cubic part lowers the error, and the width as a whole.

    Args:
        found: as for :func:`plot_error`.
    """
    after = found.sel(time=found["time"] > 0)
    last = found.isel(time=-1)
    lower, size = int((after["cubic_1"] < 0).sum()), after["cubic_1"].size
    means = last["linear_1"] + last["cubic_1"]
    helped = [_named(case) for case in _cases(means) if case < 0]
    fewer = [_named(case) for case in _cases(means + last["spread_1"]) if case < 0]
    return (
        f"The learning of features lowers the test error of the mean for {lower} of {size} targets, networks and "
        "times. With the linear part, finite width lowers that of the mean for "
        f"{words.listed(helped) if helped else 'none'} "
        f"at t = {float(last['time']):g}, and with the spread that of one network for "
        f"{words.listed(fewer) if fewer else 'none'}."
    )


def _cases(values: xr.DataArray) -> list[xr.DataArray]:
    stacked = values.stack(case=("target", "network"))
    return [stacked[k] for k in range(stacked.size)]


def _named(case: xr.DataArray) -> str:
    target, network = case["case"].item()
    return f"{target} ({words.spaced(network)})"
