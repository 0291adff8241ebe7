"""Kernels of sampled networks approaching those of infinite width."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from ntkfield.figures import words
from ntkfield.figures.accuracy import colour, short
from ntkfield.figures.style import GREY, house_style, number_log_axis

PANELS = (
    (
        "fluctuation",
        -0.5,
        "one network to the next, lines $1/\\sqrt{n}$",
        "standard deviation of the kernel (% of exact)",
    ),
    ("deviation", -1.0, "mean over networks", "mean kernel $-$ exact kernel (% of exact)"),
)


def plot(result: xr.Dataset) -> Figure:
    """Draw fluctuations and mean deviations against width, with the powers that theory predicts.

    Args:
        result: as stored by the images study: ``fluctuation``, ``deviation`` and their ``_error``
            [network, kernel, width], with the coordinate group along network.
    """
    with house_style():
        figure, axes = plt.subplots(1, 2, figsize=(9.0, 4.1), layout="constrained")
        for axis, panel in zip(axes, PANELS, strict=True):
            _panel(axis, result, *panel)
        figure.suptitle("Sampled networks of finite width against the exact kernels of infinite width")
        figure.legend(handles=_legend(result), loc="outside lower center", ncols=5)
    return figure


def finding(result: xr.Dataset) -> str:
    """How fast the NTK's fluctuation falls, and how far its mean is from the exact kernel at the largest width.

    Args:
        result: as for :func:`plot`.
    """
    widths, parts = result["width"].values, []
    for row in range(result.sizes["network"]):
        one = 100 * result.isel(network=row).sel(kernel="ntk")
        fluctuation, error = one["fluctuation"].values, one["fluctuation_error"].values
        power, scatter = _power(widths, fluctuation, error)
        first, last = (words.with_error(fluctuation[k], error[k]) for k in (0, -1))
        off = words.with_error(float(one["deviation"][-1]), float(one["deviation_error"][-1]))
        parts.append(
            f"{short(one['group'].item())} networks it goes from {first} to {last} % "
            f"with the power {words.with_error(power, scatter)} of the width, and at width {widths[-1]} the mean is "
            f"off by {off} %"
        )
    told = "; of ".join(parts)
    return f"Fluctuation of the NTK: of {told}. At large width theory says -1/2 for the power and zero for the mean."


def _power(n: np.ndarray, value: np.ndarray, error: np.ndarray) -> tuple[float, float]:
    """The power of n that fits positive values best, with its standard error."""
    (power, _), covariance = np.polyfit(np.log(n), np.log(value), 1, w=value / error, cov="unscaled")
    return power, covariance[0, 0] ** 0.5


def _panel(axis: Axes, result: xr.Dataset, quantity: str, power: float, title: str, label: str) -> None:
    widths = result["width"].values
    for row in range(result.sizes["network"]):
        for kernel in result["kernel"].values:
            one = result.isel(network=row).sel(kernel=kernel)
            value, error = 100 * one[quantity].values, 100 * one[f"{quantity}_error"].values
            paint, ntk = colour(one["group"].item()), kernel == "ntk"
            shifted = widths * 1.04 ** (2 * row - 1 + (0 if ntk else 0.7))
            style = {"color": paint, "marker": "o" if ntk else "s", "linestyle": "", "capsize": 2.5}
            sure = abs(value) > words.CERTAIN * error
            for chosen, face in ((sure, paint), (~sure, "white")):
                axis.errorbar(shifted[chosen], value[chosen], error[chosen], markerfacecolor=face, **style)
            weights = (value / error) ** 2 * sure
            if (
                quantity == "fluctuation" and sure.any()
            ):  # the predicted power through the points that are known, nothing else fitted
                scale = np.exp(np.average(np.log(value / widths**power), weights=weights))
                axis.plot(widths, scale * widths**power, color=paint, linestyle="-" if ntk else "--", linewidth=1.2)
    axis.set_xscale("log")
    if quantity == "fluctuation":
        axis.set_yscale("log")
        number_log_axis(axis)
    else:
        axis.axhline(0, color=GREY, linewidth=1)
    axis.set_xticks(widths, [str(width) for width in widths])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel("width n: channels of every hidden layer")
    axis.set_ylabel(label)
    axis.set_title(title)
    axis.grid(True, which="both", axis="y", color="0.92", linewidth=0.8)


def _name(group: str) -> str:
    return short(group) if short(group) == "plain CNN" else f"{short(group)} network"


def _legend(result: xr.Dataset) -> list[Line2D]:
    groups = [str(group) for group in np.atleast_1d(result["group"].values)]
    handles = [Line2D([], [], color=colour(group), label=_name(group)) for group in groups]
    handles += [
        Line2D([], [], color=GREY, marker="o", label="NTK"),
        Line2D([], [], color=GREY, marker="s", linestyle="--", label="NNGP"),
        Line2D([], [], color=GREY, marker="o", linestyle="", markerfacecolor="white", label="within 2 errors of zero"),
    ]
    return handles
