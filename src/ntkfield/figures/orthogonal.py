"""Fluctuations against depth, for Gaussian and for orthogonal weights."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator

from ntkfield.figures import words
from ntkfield.figures.style import BLUE, GREY, ORANGE, house_style

# What each is drawn relative to, and how that is written.
PANELS = {
    "V": (lambda k, theta: k**2, "$V/K^2$"),
    "F": (lambda k, theta: k * theta, r"$F/(K\Theta)$"),
    "B": (lambda k, theta: theta**2, r"$B/\Theta^2$"),
    "Theta1": (lambda k, theta: theta, r"$\Theta^{[1]}/\Theta$"),
}
STROKES = {"gaussian": {"color": ORANGE, "marker": "s"}, "orthogonal": {"color": BLUE, "marker": "o"}}
NAMES = {"gaussian": "Gaussian", "orthogonal": "orthogonal"}
# Of odd activations at criticality, whose kernel's fixed point vanishes, without biases.
LIMITS = {"V": -2.0, "F": -2 / 3, "B": 0.0, "Theta1": 4 / 3}
ODD = ("tanh", "sin", "erf")
TICKS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


def relative(found: xr.Dataset, name: str, weights: str) -> np.ndarray:
    """A tensor over its scale at all layers, from a dataset as for :func:`depth`."""
    one = found.sel(weights=weights)
    return one[name].values / PANELS[name][0](one["K"].values, one["Theta"].values)


def sampled(found: xr.Dataset, name: str, weights: str) -> tuple[np.ndarray, np.ndarray]:
    """The same of sampled networks at the sampled depths, and standard errors."""
    one = found.sel(weights=weights)
    at = one.sel(layer=one["depth"])
    scale = PANELS[name][0](at["K"].values, at["Theta"].values)
    return one[f"sampled_{name}"].values / scale, one[f"sampled_{name}_error"].values / scale


def vanishing(found: xr.Dataset) -> bool:
    """Whether the limits of large depth that are drawn are those of the network."""
    slope = {"erf": 2 / np.sqrt(np.pi)}.get(found.attrs["activation"], 1.0)
    critical = np.isclose(found.attrs["weight_variance"] * slope**2, 1.0, rtol=1e-6)
    free = found.attrs["bias_variance"] == found.attrs["bias_rate"] == 0
    return bool(found.attrs["activation"] in ODD and critical and free)


def finding(found: Sequence[xr.Dataset]) -> str:
    """The first panel's value at the greatest depth for both kinds of weights, and how samples agree at the least.

    Args:
        found: as for :func:`depth`.
    """
    last = int(found[0]["layer"][-1])
    parts = []
    for one in found:
        gaussian, orthogonal = (relative(one, "V", weights)[-1] for weights in STROKES)
        parts.append(f"{words.activation(one.attrs['activation'])} {gaussian:.3g} and {orthogonal:.3g}")
    sigmas = []
    for one in found:
        for name in PANELS:
            for weights in STROKES:
                value, error = sampled(one, name, weights)
                expected = relative(one, name, weights)[int(one["depth"][0]) - 1]
                sigmas.append((value[0] - expected) / max(error[0], 1e-12))
    return (
        f"After {last} weight layers V/K² is, for Gaussian and for orthogonal weights, {words.listed(parts)}. At depth "
        f"{int(found[0]['depth'][0])} and width {found[0].attrs['width']}, of the differences between samples and "
        f"theory at order 1/n, {words.agreement(np.array(sigmas))}."
    )


def depth(found: Sequence[xr.Dataset]) -> Figure:
    """Draw V, F, B and Theta1 over their scales against depth, a row for each network.

    Args:
        found: for each network K, Theta and the tensors over weights and layer, and ``sampled_V``, ``sampled_V_error``
            and so on over weights and depth; attributes activation, width, the variances and rates.
    """
    with house_style():
        figure, axes = plt.subplots(
            len(found), len(PANELS), figsize=(12.5, 2.6 * len(found) + 0.6), layout="constrained", squeeze=False
        )
        for axis, (_, title) in zip(axes[0], PANELS.values(), strict=True):
            axis.set_title(title)
        for axis in axes[-1]:
            axis.set_xlabel("weight layers")
        for row, one in zip(axes, found, strict=True):
            for axis, name in zip(row, PANELS, strict=True):
                _panel(axis, one, name)
            row[0].set_ylabel(f"{words.activation(one.attrs['activation'])}\ncoefficient of 1/n")
        handles = [Line2D([], [], label=f"{NAMES[weights]} weights", **stroke) for weights, stroke in STROKES.items()]
        handles.append(Line2D([], [], color=GREY, linestyle=":", label="limit of large depth, orthogonal"))
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _panel(axis: Axes, found: xr.Dataset, name: str) -> None:
    """One tensor of one network; linear about 0 and logarithmic beyond 1, since one kind of weights saturates."""
    layers = found["layer"].values
    drawn = [-0.2, 1.0]  # seen whatever the values
    axis.axhline(0, color=GREY, linewidth=0.8)
    if vanishing(found):
        axis.axhline(LIMITS[name], color=GREY, linestyle=":", linewidth=1.5)
    for weights, stroke in STROKES.items():
        line, (value, error) = relative(found, name, weights), sampled(found, name, weights)
        drawn += [*line, *(value - error), *(value + error)]
        axis.plot(layers, line, color=stroke["color"], linewidth=1.5)
        axis.errorbar(found["depth"], value, error, linestyle="", markersize=4, capsize=2, **stroke)
    axis.set_xscale("log")
    ticks = [tick for tick in TICKS if tick <= layers[-1]]
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_yscale("asinh", linear_width=1.0)
    low, high = np.arcsinh([min(drawn), max(drawn)])
    axis.set_ylim(*np.sinh([low - 0.05 * (high - low), high + 0.05 * (high - low)]))
    low, high = axis.get_ylim()
    axis.set_yticks([sign * 10**k for k in range(5) for sign in (-1, 1) if low <= sign * 10**k <= high] + [0])
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))


def trained(found: xr.Dataset) -> Figure:
    """Draw how far NTKs and predictions of ensembles spread, at the start and after training, against depth.

    Args:
        found: ``ntk`` and ``output``, ``ntk_error`` and ``output_error``, ``theory_output`` and ``limit_output`` over
            weights, depth and time (start and end), ``theory_ntk`` over weights and depth; attributes width, members.
    """
    with house_style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
        depths, start, end = found["depth"].values, found.isel(time=0), found.isel(time=-1)
        for weights, stroke in STROKES.items():
            for axis, line in ((left, found["theory_ntk"]), (right, end["theory_output"])):
                axis.plot(depths, line.sel(weights=weights), color=stroke["color"], linewidth=1.5)
            drawn = [
                (left, start, "ntk", stroke["color"]),
                (left, end, "ntk", "white"),
                (right, end, "output", "white"),
            ]
            for axis, at, name, face in drawn:
                value, error = (at[key].sel(weights=weights) for key in (name, f"{name}_error"))
                axis.errorbar(depths, value, error, linestyle="", capsize=2, mfc=face, **stroke)
        right.plot(depths, end["limit_output"].isel(weights=0), color=GREY, linestyle=":", linewidth=1.5)
        left.set(title="NTK", ylabel="standard deviation over mean")
        right.set(title="predictions after training", ylabel="standard deviation")
        for axis in (left, right):
            axis.set_xscale("log")
            axis.set(xlabel="weight layers", ylim=(0, None))
            axis.set_xticks(depths, [str(depth) for depth in depths])
            axis.xaxis.set_minor_locator(NullLocator())
        handles = [Line2D([], [], label=f"{NAMES[weights]} weights", **stroke) for weights, stroke in STROKES.items()]
        for label, face in (("start", GREY), ("trained", "white")):
            handles.append(Line2D([], [], color=GREY, linestyle="", marker="o", markerfacecolor=face, label=label))
        handles.append(Line2D([], [], color=GREY, label="theory, order 1/n"))
        handles.append(Line2D([], [], color=GREY, linestyle=":", label="infinite width"))
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def finding_trained(found: xr.Dataset) -> str:
    """Spreads of both kinds of networks at the greatest depth, after training.

    Args:
        found: as for :func:`trained`.
    """
    last, said = found.isel(depth=-1, time=-1), {}
    for name in ("ntk", "output"):
        ones = [last.sel(weights=weights) for weights in STROKES]
        said[name] = words.listed([words.with_error(one[name].item(), one[f"{name}_error"].item()) for one in ones])
    limit, layers = last["limit_output"].isel(weights=0).item(), last["depth"].item()
    return (
        f"Of trained networks of depth {layers} and width {found.attrs['width']}, Gaussian and orthogonal, "
        f"NTKs spread by {said['ntk']} of their mean, predictions by {said['output']}, where infinite width has "
        f"{limit:.3g}."
    )
