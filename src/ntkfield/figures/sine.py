"""Regression of sin(x): the ensemble in function space at several times, and how the NTK freezes with width."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from ntkfield.figures import words
from ntkfield.figures.style import BLUE, GREY, ORANGE, house_style


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
            1, len(times), figsize=(0.8 + 2.7 * len(times), 3.7), sharex=True, sharey=True, layout="constrained"
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
            plt.Line2D([], [], label=label, **({"linestyle": ""} if k == 0 else {}) | style)
            for k, (label, style) in enumerate(lines.items())
        ]
        figure.suptitle("Networks trained on sin(x): the infinite-width theory predicts their mean and spread")
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
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
    """The change of the NTK at the smallest and the largest width, and the law between.

    Args:
        summary: as stored by the sine study.
    """
    last, widths = summary.isel(time=-1), summary["width"].values
    ends = [
        f"{words.with_error(float(last['ntk_change'][k]), float(last['ntk_change_error'][k]))} at width {widths[k]}"
        for k in (0, -1)
    ]
    leading = words.with_error(float(summary["law"][0]), float(summary["law_error"][0]))
    chi_squared = float(summary["chi_squared"])
    freedom = summary["chi_squared"].attrs["degrees_of_freedom"]
    told = f"The relative change of the NTK is {ends[0]} and {ends[1]}."
    if not freedom:
        return told
    return (
        f"{told} The law a/n + b/n² has χ² = {chi_squared:.1f} for {freedom} degrees of freedom; its leading term is "
        f"({leading}) / n."
    )


def plot_freezing(summary: xr.Dataset) -> Figure:
    """Relative change of the empirical NTK by the end of training against width, with the fitted law a/n + b/n².

    Args:
        summary: as stored by the sine study.
    """
    last = summary.isel(time=-1)
    widths = summary["width"].values
    fine = np.geomspace(widths.min() / 1.2, widths.max() * 1.2, 50)
    (a, b), (error, _) = summary["law"].values, summary["law_error"].values
    chi_squared = summary["chi_squared"]
    with house_style():
        figure, axis = plt.subplots(figsize=(5.4, 4.1), layout="constrained")
        axis.plot(fine, a / fine, color=BLUE, linestyle="--", label=f"its leading term: ({a:.3g} ± {error:.1g}) / n")
        freedom = chi_squared.attrs["degrees_of_freedom"]
        label = f"fit a/n + b/n²: χ² = {float(chi_squared):.1f} for {freedom} degrees of freedom"
        axis.plot(fine, a / fine + b / fine**2, color=BLUE, label=label)
        axis.errorbar(
            widths,
            last["ntk_change"],
            last["ntk_change_error"],
            color=ORANGE,
            fmt="o",
            capsize=3,
            markersize=6,
            label=f"trained networks, mean of {int(last['members'][-1])} ± standard error",
        )
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xticks(widths, [str(width) for width in widths])
        axis.xaxis.set_minor_locator(NullLocator())
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.set_xlabel("width n (channels per hidden layer)")
        axis.set_ylabel(r"relative change of the NTK, $\Vert\hat\Theta_t-\hat\Theta_0\Vert\,/\,\Vert\hat\Theta_0\Vert$")
        axis.set_title(f"The NTK freezes as networks widen (t = {float(last['time']):g})")
        axis.grid(True, which="major", color="0.92", linewidth=0.8)
        axis.legend(loc="lower left", fontsize="small")
    return figure
