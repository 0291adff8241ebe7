"""Regression of sin(x): trained networks against the infinite width and its first correction in 1/n.

All functions take the summary that the sine study stores. For an activation with a kink it has no corrections, and the
figures show the limit alone.
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ntkfield.figures import words
from ntkfield.figures.style import BLUE, GREEN, GREY, ORANGE, house_style, number_log_axis

BAND = {"alpha": 0.18, "linewidth": 0}
WIDE = 3.2  # inches of a panel


def plot_ensemble(summary: xr.Dataset, narrowest: int = 1) -> Figure:
    """Mean and spread over initialisations at each time after the start: the limit, with its correction, and sampled.

    Args:
        summary: as stored by the sine study.
        narrowest: the width that is drawn is the smallest one from here on, or the largest where none is.
    """
    one, x, times = _from(summary, narrowest).isel(width=0), summary["point"].values, summary["time"].values[1:]
    n, count = int(one["width"]), int(one["members"])
    shown = slice(len(x) // 24, None, max(1, len(x) // 12))
    with house_style():
        size = (max(7.5, 0.6 + WIDE * len(times)), 4.4)
        figure, axes = plt.subplots(1, len(times), figsize=size, sharey=True, layout="constrained", squeeze=False)
        for axis, time in zip(axes[0], times, strict=True):
            now = one.sel(time=time)
            mean, deviation = now["mean_0"].values, np.sqrt(now["variance_0"].values)
            label = "infinite width: mean m₀, band ± 2 standard deviations"
            axis.fill_between(x, mean - 2 * deviation, mean + 2 * deviation, color=BLUE, **BAND)
            axis.plot(x, mean, color=BLUE, linestyle="--", label=label)
            if "mean_1" in now:
                corrected = mean + now["mean_1"].values / n
                deviation = np.sqrt(np.maximum(now["variance_0"].values + now["variance_1"].values / n, 0.0))
                axis.plot(x, corrected, color=GREEN, label=f"corrected to order 1/n: m₀ + m₁/{n}")
                for sign in (-2, 2):
                    axis.plot(x, corrected + sign * deviation, color=GREEN, linewidth=1.0, label="_")
            sampled, error = now["sampled_mean"].values[shown], now["sampled_mean_error"].values[shown]
            spread = np.sqrt(now["sampled_variance"].values[shown])
            label = f"mean of {count} trained networks of width {n}, ± standard error; ticks ± 2 standard deviations"
            axis.errorbar(x[shown], sampled, error, color=ORANGE, fmt="o", markersize=4.5, capsize=2, label=label)
            for sign in (-2, 2):
                axis.plot(x[shown], sampled + sign * spread, "_", color=ORANGE, markersize=8, markeredgewidth=1.8)
            axis.plot(summary["train"], summary["target"], "kX", markersize=9, markeredgecolor="white", zorder=5)
            axis.plot(x, np.sin(x), color=GREY, linestyle=":", linewidth=1.2, label="sin(x), and training points ✕")
            axis.set(title=f"time t = {time:g}", xlabel="x (radians)")
            axis.set_xticks([-np.pi, 0, np.pi], ["−π", "0", "π"])
        axes[0, 0].set_ylabel("network output f(x)")
        beside = " and its first correction" if "mean_1" in summary else ""
        figure.suptitle(f"Trained networks of width {n} against infinite width{beside}")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2 if len(times) > 2 else 1, fontsize="small")
    return figure


def finding_ensemble(summary: xr.Dataset, narrowest: int = 1) -> str:
    """How far the mean and the deviation of the networks drawn are from theory at the end of training.

    Args:
        summary: as stored by the sine study.
        narrowest: as for :func:`plot_ensemble`.
    """
    now = _from(summary, narrowest).isel(width=0, time=-1)
    n, members = int(now["width"]), int(now["members"])
    spread = float(np.sqrt(now["sampled_variance"].mean() / now["variance_0"].mean()))
    uncertain = float(np.sqrt((now["sampled_variance_error"] ** 2).mean()) / now["variance_0"].mean()) / (2 * spread)
    told = (
        f"At time {float(now['time']):g} the mean of {members} networks of width {n} is off the infinite-width mean by "
        f"{float(abs(now['sampled_mean'] - now['mean_0']).max()):.2g} at most along the line"
    )
    wider = f"their standard deviation is {words.with_error(spread, uncertain)} times that of infinite width"
    if "mean_1" not in now:
        return f"{told}; {wider}."
    left = float(abs(now["sampled_mean"] - now["mean_0"] - now["mean_1"] / n).max())
    expected = float(np.sqrt(1 + now["variance_1"].mean() / n / now["variance_0"].mean()))
    return f"{told}, and off m₀ + m₁/{n} by {left:.2g}; {wider}, where the first correction says {expected:.2f}."


def plot_bias(summary: xr.Dataset, narrowest: int = 1) -> Figure:
    """What n times the bias of the mean goes to, and how far networks are from the limit and from its correction.

    Args:
        summary: as for :func:`plot_ensemble`.
        narrowest: as for :func:`plot_ensemble`, along the line; distances are drawn for all widths.
    """
    with house_style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.2, 4.3), layout="constrained")
        _scaled(left, _from(summary, narrowest))
        _distances(right, summary)
    return figure


def finding_bias(summary: xr.Dataset) -> str:
    """The distance of networks' mean from the limit, from its correction, and by which power the rest falls.

    Args:
        summary: as for :func:`plot_ensemble`.
    """
    n, whole = summary["width"].values, _distance(summary, "off_0")
    told = f"In root mean square over the line and all times, the mean of networks of width {n[0]} is off the limit by "
    told += words.with_error(whole[0][0], whole[1][0])
    if "off_1_squared" not in summary:
        return f"{told} and at width {n[-1]} by {words.with_error(whole[0][-1], whole[1][-1])}."
    rest, law = _distance(summary, "off_1"), _predicted(summary)
    told += f" (m₁/n is {law / n[0]:.2g}) and off m₀ + m₁/n by {words.with_error(rest[0][0], rest[1][0])}"
    seen = rest[0] > words.CERTAIN * rest[1]
    if not seen[:2].all():
        return f"{told}; at larger widths the rest is not told from zero."
    span = np.log(n[1] / n[0])
    power, error = np.log(rest[0][1] / rest[0][0]) / span, np.hypot(*(rest[1] / rest[0])[:2]) / span
    return (
        f"{told}; from width {n[0]} to {n[1]} the rest goes with the power {words.with_error(power, error)} of the "
        "width, at large width -2 in theory."
    )


def plot_freezing(summary: xr.Dataset) -> Figure:
    """Mean change of the NTK's trace by the end of training against 1/n, with the predicted slope.

    Args:
        summary: as for :func:`plot_ensemble`.
    """
    n, change, error = _last(summary)
    inverse = 1.0 / n
    with house_style():
        figure, axis = plt.subplots(figsize=(5.6, 4.7), layout="constrained")
        axis.axhline(0, color=GREY, linewidth=1)
        if "drift_1" in summary:
            slope = float(summary["drift_1"][-1])
            ends = np.array([0.0, 1.1 * inverse.max()])
            label = f"predicted at order 1/n: {100 * slope:.0f} % / n, nothing fitted"
            axis.plot(ends, 100 * slope * ends, color=GREEN, label=label)
        label = f"trained networks, mean of {int(summary['members'][-1])} ± standard error"
        axis.errorbar(inverse, 100 * change, 100 * error, color=ORANGE, fmt="o", capsize=3, markersize=6, label=label)
        axis.set_xticks([0.0, *inverse], ["0", *(f"1/{width}" for width in n)])
        if len(n) > 4:  # of many widths in steps of two the first labels would lie on each other
            axis.set_xticks([0.0, *inverse[:4]], ["0", *(f"1/{width}" for width in n[:4])])
        axis.set_xlim(0, 1.1 * inverse.max())
        axis.set_xlabel("1 / width n")
        axis.set_ylabel(r"mean change of the NTK's trace, $\mathbb{E}\,\mathrm{tr}(\hat\Theta_t-\hat\Theta_0)$, in %")
        less = abs(change[0]) - abs(change[-1]) > words.EXPECTED * np.hypot(error[0], error[-1])
        title = "The NTK freezes with width" if less else "Change of the NTK by width"
        axis.set_title(f"{title} (t = {float(summary['time'][-1]):g})")
        figure.legend(loc="outside lower center", fontsize="small")
    return figure


def finding_freezing(summary: xr.Dataset) -> str:
    """The change of the NTK at the smallest and the largest width, and n times it beside the predicted slope.

    Args:
        summary: as for :func:`plot_ensemble`.
    """
    n, change, error = _last(summary)
    ends = [f"{words.with_error(100 * change[k], 100 * error[k])} % at width {n[k]}" for k in (0, -1)]
    told = f"The trace of the NTK on the training points changes by {ends[0]} and {ends[1]} on average."
    if "drift_1" not in summary:
        return told
    slope = 100 * float(summary["drift_1"][-1])
    scaled = words.with_error(100 * n[-1] * change[-1], 100 * n[-1] * error[-1])
    return f"{told} Times the width the latter is {scaled} %; theory at large width: {slope:.4g} %."


def _scaled(axis: Axes, summary: xr.Dataset) -> None:
    """Distance of the mean from the limit, times n, along the line, at the time of the largest correction."""
    name = "mean_1" if "mean_1" in summary else "mean_0"
    late = summary.isel(time=1 + int(np.argmax((summary[name].values[1:] ** 2).mean(axis=1))))
    x, widths = summary["point"].values, summary["width"].values
    axis.axhline(0, color=GREY, linewidth=1)
    if "mean_1" in summary:
        axis.plot(x, late["mean_1"], color=GREEN, linewidth=2.2, label="m₁, predicted")
    step = max(1, len(x) // 12)
    for k, (width, shade) in enumerate(zip(widths[:3], (0.35, 0.6, 1.0), strict=False)):
        one, shown = late.sel(width=width), slice(len(x) // 24 + k * (step // 4), None, step)
        off, error = width * (one["sampled_mean"] - one["mean_0"]), width * one["sampled_mean_error"]
        style = {"fmt": "os^"[k], "color": ORANGE, "alpha": shade, "markersize": 4.5, "capsize": 2}
        axis.errorbar(x[shown], off[shown], error[shown], label=f"networks of width {width}", **style)
    axis.set(xlabel="x (radians)", ylabel="n × (mean output − m₀)", title=f"Bias of the mean, t = {float(late.time):g}")
    axis.set_xticks([-np.pi, 0, np.pi], ["−π", "0", "π"])
    axis.legend(fontsize="small")


def _distances(axis: Axes, summary: xr.Dataset) -> None:
    """Distance of networks' mean from the limit and from its correction against width."""
    n = summary["width"].values
    fine = np.geomspace(n.min() / 1.2, n.max() * 1.2, 50)
    series = [("off_0", ORANGE, "o", "from infinite width, m₀")]
    if "off_1_squared" in summary:
        axis.plot(fine, _predicted(summary) / fine, color=GREEN, label="predicted: m₁/n")
        series.append(("off_1", BLUE, "s", "from m₀ + m₁/n"))
        value, error = _distance(summary, "off_1")
        if value[0] > words.CERTAIN * error[0]:
            axis.plot(fine, value[0] * (n[0] / fine) ** 2, color=BLUE, linestyle=":", label="1/n² through the first")
    for name, colour, marker, label in series:
        value, error = _distance(summary, name)
        seen = value > words.CERTAIN * error
        style = {"color": colour, "markersize": 6, "linestyle": ""}
        axis.errorbar(n[seen], value[seen], error[seen], marker=marker, capsize=3, label=f"networks {label}", **style)
        if not seen.all():
            style |= {"marker": "v", "markerfacecolor": "white"}
            axis.plot(n[~seen], (value + words.CERTAIN * error)[~seen], label="not told from zero: below", **style)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xticks(n, [str(width) for width in n])
    axis.xaxis.set_minor_locator(NullLocator())
    number_log_axis(axis)
    axis.set(xlabel="width n (channels per hidden layer)", ylabel="distance of the mean, root mean square")
    axis.set_title("What is left falls faster" if _closer(summary) else "Distance of the mean")
    axis.legend(fontsize="small", loc="lower left")


def _from(summary: xr.Dataset, narrowest: int) -> xr.Dataset:
    """The widths that are drawn along the line."""
    enough = np.flatnonzero(summary["width"].values >= narrowest)
    return summary.isel(width=enough if len(enough) else [-1])


def _distance(summary: xr.Dataset, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Root of a mean square, and its standard error; zero with the root of the error where sampling hides it."""
    square, error = summary[f"{name}_squared"].values, summary[f"{name}_squared_error"].values
    root = np.sqrt(np.maximum(square, 0.0))
    return root, np.where(square > error, error / (2 * np.maximum(root, 1e-300)), np.sqrt(error))


def _predicted(summary: xr.Dataset) -> float:
    """Root mean square of m1 over the line and all times but the start."""
    return float(np.sqrt((summary["mean_1"][1:] ** 2).mean()))


def _closer(summary: xr.Dataset) -> bool:
    """Whether the narrowest networks are surely nearer to the corrected mean than to the limit."""
    if "off_1_squared" not in summary:
        return False
    (whole, rest), errors = ([_distance(summary, name)[k][0] for name in ("off_0", "off_1")] for k in (0, 1))
    return bool(whole - rest > words.EXPECTED * np.hypot(*errors))


def _last(summary: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Widths, the NTK's mean change by the end of training relative to the limit's trace, and its standard error."""
    last = summary.isel(time=-1)
    return summary["width"].values, last["sampled_drift"].values, last["sampled_drift_error"].values
