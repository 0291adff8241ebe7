"""Regression of sin(x): the ensemble in function space at several times, and how the NTK freezes with width."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from scipy.special import chdtrc

from ntkfield.figures import words
from ntkfield.figures.style import BLUE, GREY, ORANGE, house_style, number_log_axis

UNLIKELY = 0.0027  # a chance below it refutes a law: that of three standard errors


def plot_ensemble(summary: xr.Dataset) -> Figure:
    """Mean and spread over initialisations, exact at infinite width and sampled at the largest width.

    Args:
        summary: as stored by the sine study.
    """
    one = summary.isel(width=-1)
    x, count = summary["point"].values, int(one["members"])
    shown = slice(len(x) // 24, None, max(1, len(x) // 12))
    with house_style():
        times = summary["time"].values
        figure, axes = plt.subplots(
            1,
            len(times),
            figsize=(max(7.0, 0.8 + 2.7 * len(times)), 3.9),  # the legend and the title need 7
            sharex=True,
            sharey=True,
            layout="constrained",
        )
        for axis, time in zip(np.atleast_1d(axes), times, strict=True):
            now = one.sel(time=time)
            mean, deviation = now["mean"].values, now["deviation"].values
            sampled, spread = now["sampled_mean"].values, now["sampled_deviation"].values
            axis.fill_between(x, mean - 2 * deviation, mean + 2 * deviation, color=BLUE, alpha=0.2, linewidth=0)
            axis.plot(x, np.sin(x), color=GREY, linestyle=":")
            axis.plot(x, mean, color=BLUE)
            for sign in (-1, 1):
                axis.plot(x, sampled + 2 * sign * spread, color=ORANGE, linestyle="--", linewidth=1.2)
            error = spread[shown] / count**0.5
            axis.errorbar(x[shown], sampled[shown], error, color=ORANGE, fmt="o", markersize=4, capsize=2)
            axis.plot(summary["train"], summary["target"], "kX", markersize=8, markeredgecolor="white", zorder=5)
            axis.set_title(f"time t = {time:g}")
            axis.set_xlabel("x (radians)")
            axis.set_xticks([-np.pi, 0, np.pi], ["−π", "0", "π"])
        np.atleast_1d(axes)[0].set_ylabel("network output f(x)")
        lines = {
            f"mean of {count} networks of width {int(one['width'])}, ± standard error": {
                "color": ORANGE,
                "marker": "o",
            },
            "their mean ± 2 standard deviations": {"color": ORANGE, "linestyle": "--"},
            "infinite width: mean": {"color": BLUE},
            "infinite width: ± 2 standard deviations": {"color": BLUE, "alpha": 0.25, "linewidth": 8},
            "training points": {"color": "black", "marker": "X", "linestyle": ""},
            "sin(x)": {"color": GREY, "linestyle": ":"},
        }
        handles = [
            Line2D([], [], label=label, **({"linestyle": ""} if k == 0 else {}) | style)
            for k, (label, style) in enumerate(lines.items())
        ]
        figure.suptitle("Networks trained on sin(x) against the exact mean and band of infinite width")
        figure.legend(handles=handles, loc="outside lower center", ncols=3 if len(times) > 2 else 2)
    return figure


def finding_ensemble(summary: xr.Dataset) -> str:
    """How far the sampled ensemble is from the exact mean and band at the end of training.

    Args:
        summary: as stored by the sine study.
    """
    now = summary.isel(width=-1, time=-1)
    members, spread = int(now["members"]), now["sampled_deviation"]
    off = now["sampled_mean"] - now["mean"]
    wider = (spread**2).mean() ** 0.5 / (now["deviation"] ** 2).mean() ** 0.5
    rms = float((off**2).mean() ** 0.5 / (spread**2 / members).mean() ** 0.5)
    return (
        f"At time {float(now['time']):g} the mean of {members} networks of width {int(now['width'])} is off the exact "
        f"mean by {float(abs(off).max()):.2g} at most along the line and by {rms:.1f} standard errors in root mean "
        f"square; their standard deviation is {float(wider):.2f} times the exact one (sampling alone leaves it "
        f"uncertain by {(2 * (members - 1)) ** -0.5:.2f})."
    )


def finding_freezing(summary: xr.Dataset) -> str:
    """The change of the NTK at the smallest and the largest width, and what is known of the law between.

    Three widths or more test the law a/n + b/n², and only one that they do not refute has a leading term to tell. Two
    widths give the power between them.

    Args:
        summary: as stored by the sine study; ``law``, ``law_error`` and ``chi_squared`` for three widths or more.
    """
    n, change, error = _last(summary)
    ends = [f"{words.with_error(change[k], error[k])} at width {n[k]}" for k in (0, -1)]
    told = f"The relative change of the NTK is {ends[0]} and {ends[1]}."
    if "law" not in summary:
        span = np.log(n[-1] / n[0])
        power, scatter = np.log(change[-1] / change[0]) / span, np.hypot(*(error / change)[[0, -1]]) / span
        return (
            f"{told} Between them it goes with the power {words.with_error(power, scatter)} of the width, at large "
            "width -1 in theory; two widths cannot test that law."
        )
    chance, fit = _fit(summary)
    told = f"{told} The law a/n + b/n² has {fit} (larger by chance alone in {100 * chance:.2g} % of cases)"
    if chance < UNLIKELY:
        return f"{told}: it does not describe these widths."
    return f"{told}; its leading term is ({words.with_error(*_leading(summary))}) / n."


def plot_freezing(summary: xr.Dataset) -> Figure:
    """Relative change of the empirical NTK by the end of training against width, with the law a/n + b/n² where fitted.

    Args:
        summary: as for :func:`finding_freezing`.
    """
    n, change, error = _last(summary)
    fine = np.geomspace(n.min() / 1.2, n.max() * 1.2, 50)
    with house_style():
        figure, axis = plt.subplots(figsize=(5.4, 4.7), layout="constrained")
        if "law" in summary:
            chance, fit = _fit(summary)
            a, b = summary["law"].values
            axis.plot(fine, a / fine + b / fine**2, color=BLUE, label=f"fit a/n + b/n²: {fit}")
            if chance >= UNLIKELY:
                label = f"its leading term: ({words.with_error(*_leading(summary))}) / n"
                axis.plot(fine, a / fine, color=BLUE, linestyle="--", label=label)
        else:
            slope = change[-1] * n[-1] / fine
            axis.plot(fine, slope, color=GREY, linestyle=":", label="1/n through the widest, not fitted")
        label = f"trained networks, mean of {int(summary['members'][-1])} ± standard error"
        axis.errorbar(n, change, error, color=ORANGE, fmt="o", capsize=3, markersize=6, label=label)
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xticks(n, [str(width) for width in n])
        axis.xaxis.set_minor_locator(NullLocator())
        number_log_axis(axis)
        axis.set_xlabel("width n (channels per hidden layer)")
        axis.set_ylabel(r"relative change of the NTK, $\Vert\hat\Theta_t-\hat\Theta_0\Vert\,/\,\Vert\hat\Theta_0\Vert$")
        less = change[0] - change[-1] > words.EXPECTED * np.hypot(error[0], error[-1])
        title = "The NTK changes less in wider networks" if less else "Change of the NTK by width"
        axis.set_title(f"{title} (t = {float(summary['time'][-1]):g})")
        axis.grid(True, which="major", color="0.92", linewidth=0.8)
        figure.legend(loc="outside lower center", fontsize="small")
    return figure


def _last(summary: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Widths, the NTK's change by the end of training, and its standard error."""
    last = summary.isel(time=-1)
    return summary["width"].values, last["ntk_change"].values, last["ntk_change_error"].values


def _fit(summary: xr.Dataset) -> tuple[float, str]:
    """How often chance makes chi squared larger than it is, were the law true, and chi squared in words."""
    chi_squared, freedom = float(summary["chi_squared"]), summary["chi_squared"].attrs["degrees_of_freedom"]
    return chdtrc(freedom, chi_squared), f"χ² = {chi_squared:.1f} for {freedom} degree{'s' * (freedom > 1)} of freedom"


def _leading(summary: xr.Dataset) -> tuple[float, float]:
    return float(summary["law"][0]), float(summary["law_error"][0])
