"""Sampled networks of finite width against the theory at order 1/n."""

import itertools
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from ntkfield.dynamics.comparison import Estimate, infinite_width
from ntkfield.figures import words
from ntkfield.figures.style import BLUE, COLOURS, GREY, ORANGE, house_style
from ntkfield.tensors import CORRECTIONS, FLUCTUATIONS, LIMITS

SYMBOL = {"K": "K", "Theta": r"\Theta"}
COMPONENTS = ((0, 0, 0, 0), (0, 0, 1, 1), (0, 0, 2, 2), (0, 0, 2, 3), (0, 1, 0, 1), (0, 1, 0, 3))
PAIRS = ((0, 0), (0, 1))
EXTRAPOLATED = Line2D(
    [], [], color=GREY, marker="D", markersize=4.5, markerfacecolor="white", linestyle="", label="extrapolated to n = ∞"
)
DIFFERENCE = "difference\n(std. errors)"  # beside low panels
BEYOND = 2.2  # times the largest width: where the extrapolation to infinite width is drawn


def component(data: xr.Dataset, name: str, indices: tuple[int, ...]) -> np.ndarray:
    """One component of a tensor, over whatever other dimension there is."""
    return data[name].isel({f"a{k + 1}": index for k, index in enumerate(indices)}).values


def components(theory: xr.Dataset) -> list[tuple[int, ...]]:
    """The drawn components of a four-index tensor: of those chosen, the ones that its inputs have."""
    return [indices for indices in COMPONENTS if max(indices) < theory.sizes["a1"]]


def _at_infinity(sampled: xr.Dataset, name: str, indices: tuple[int, ...]) -> Estimate:
    """A component extrapolated to infinite width."""
    value, error = component(sampled, name, indices), component(sampled, f"{name}_error", indices)
    return infinite_width(sampled["width"].values.astype(float), Estimate(value, error))


def _limits_agree(theory: xr.Dataset, sampled: xr.Dataset, names: tuple[str, ...], places: Sequence) -> str:
    """How many of the extrapolated components agree with theory, in words."""
    sigmas = []
    for name, indices in ((name, indices) for name in names for indices in places):
        found = _at_infinity(sampled, name, indices)
        sigmas.append((found.value - component(theory, name, indices)) / found.error)
    return words.agreement(np.array(sigmas))


def kernels(theory: xr.Dataset, sampled: xr.Dataset) -> Figure:
    """Mean kernels against width, with the infinite-width limit and the limit plus its first correction.

    Args:
        theory: K, Theta, K1, Theta1 at the last layer.
        sampled: K, Theta and their ``_error`` over the dimension width.
    """
    n = sampled["width"].values.astype(float)
    with house_style():
        figure, axes = _stacked(4, n)
        for column, (name, pair) in enumerate(itertools.product(LIMITS, PAIRS)):
            limit, slope = component(theory, name, pair), component(theory, f"{name}1", pair)
            mean, error = component(sampled, name, pair), component(sampled, f"{name}_error", pair)
            top, beneath = axes[:, column]
            fine = np.geomspace(n.min(), n.max(), 200)
            top.axhline(limit, color=GREY, linestyle=":")
            top.plot(fine, limit + slope / fine, color=BLUE)
            _points(top, n, mean, error)
            label = f"{'NNGP' if name == 'K' else 'NTK'} ${SYMBOL[name]}_{{{pair[0]}{pair[1]}}}$"
            top.set_title(label)
            disagreement(beneath, n, mean - limit - slope / n, error)
        axes[0, 0].set_ylabel("mean kernel")
        _legend(figure, [("infinite width", GREY, ":"), ("with the 1/n correction", BLUE, "-")])
    return figure


def kernels_finding(theory: xr.Dataset, sampled: xr.Dataset) -> str:
    """How far the kernels of the widest networks are from their limit, and from it with its first correction.

    Args:
        theory: as for :func:`kernels`.
        sampled: as for :func:`kernels`.
    """
    n, limit_off, off, sigmas = int(sampled["width"][-1]), [], [], []
    for name, pair in itertools.product(LIMITS, PAIRS):
        limit, slope = component(theory, name, pair), component(theory, f"{name}1", pair)
        mean, error = component(sampled, name, pair)[-1], component(sampled, f"{name}_error", pair)[-1]
        limit_off.append(abs(mean / limit - 1))
        off.append(abs((mean - limit - slope / n) / limit))
        sigmas.append((mean - limit - slope / n) / error)
    return (
        f"At width {n} the mean kernels are up to {100 * max(limit_off):.2g} % off their infinite-width limit, and up "
        f"to {100 * max(off):.1g} % off the limit with its 1/n correction; of the latter differences "
        f"{words.agreement(np.array(sigmas))}."
    )


def first_order(theory: xr.Dataset, sampled: xr.Dataset) -> Figure:
    """The first corrections by themselves: n (mean - limit) against width.

    Args:
        theory: K1 and Theta1 at the last layer.
        sampled: K1, Theta1 and their ``_error`` over the dimension width.
    """
    n = sampled["width"].values.astype(float)
    with house_style():
        figure, axes = _stacked(4, n)
        for column, (name, pair) in enumerate(itertools.product(CORRECTIONS, PAIRS)):
            value = component(theory, name, pair)
            mean, error = component(sampled, name, pair), component(sampled, f"{name}_error", pair)
            top, beneath = axes[:, column]
            top.axhline(value, color=BLUE)
            _points(top, n, mean, error)
            infinity, wide = _at_infinity(sampled, name, pair), n >= np.median(n)
            _infinity(top, beneath, n.max() * BEYOND, infinity, float(value))
            reach = max(2.5 * np.abs(mean - value)[wide].max(), 0.5 * abs(value))  # narrow networks may lie outside,
            bars = [np.abs(mean - value)[wide] + error[wide], abs(infinity.value - value) + infinity.error]
            reach = max(reach, 1.1 * np.max(np.hstack(bars)))  # but no bar of wide ones
            top.set_ylim(value - reach, value + reach)
            base = name.removesuffix("1")
            top.set_title(f"$n\\,(\\langle\\hat{{{SYMBOL[base]}}}\\rangle - {SYMBOL[base]})_{{{pair[0]}{pair[1]}}}$")
            disagreement(beneath, n, mean - value, error)
            width_axis(top, n, infinity=True)
        axes[0, 0].set_ylabel("correction times width")
        _legend(figure, [("theory, order 1/n", BLUE, "-")], EXTRAPOLATED)
    return figure


def first_order_finding(theory: xr.Dataset, sampled: xr.Dataset) -> str:
    """The first corrections at the largest width, sampled and exact.

    Args:
        theory: as for :func:`first_order`.
        sampled: as for :func:`first_order`.
    """
    parts = []
    for name, pair in itertools.product(CORRECTIONS, PAIRS):
        mean, error = component(sampled, name, pair)[-1], component(sampled, f"{name}_error", pair)[-1]
        label = f"{'K' if name == 'K1' else 'Θ'}" + "".join("₀₁"[index] for index in pair)
        parts.append(f"{words.with_error(mean, error)} for {label}, in theory {component(theory, name, pair):.4g}")
    return (
        f"Width times deviation at width {int(sampled['width'][-1])} is {'; '.join(parts)}. Extrapolated to infinite "
        f"width, of the differences from theory {_limits_agree(theory, sampled, ('K1', 'Theta1'), PAIRS)}."
    )


def tensors(theory: xr.Dataset, sampled: xr.Dataset) -> Figure:
    """Components of the tensors V, D, F, A, B against width.

    Args:
        theory: the tensors at the last layer.
        sampled: the tensors and their ``_error`` over the dimension width.
    """
    n, shown = sampled["width"].values.astype(float), components(theory)
    with house_style():
        figure, axes = _stacked(len(FLUCTUATIONS), n)
        for column, name in enumerate(FLUCTUATIONS):
            top, beneath = axes[:, column]
            for k, indices in enumerate(shown):
                colour, shift = COLOURS[k], 1.06 ** (k - (len(shown) - 1) / 2)
                value = float(component(theory, name, indices))
                mean, error = component(sampled, name, indices), component(sampled, f"{name}_error", indices)
                top.axhline(value, color=colour, linewidth=1.2)
                _points(top, n * shift, mean, error, colour)
                disagreement(beneath, n * shift, mean - value, error, colour)
                _infinity(top, beneath, n.max() * BEYOND * shift, _at_infinity(sampled, name, indices), value, colour)
            width_axis(top, n, infinity=True)
            top.set_title(f"${name}$")
            top.set_yscale("symlog", linthresh=0.1)
        axes[0, 0].set_ylabel("n × cumulant")
        handles = [
            Line2D([], [], color=COLOURS[k], marker="o", label="".join(map(str, c))) for k, c in enumerate(shown)
        ]
        handles.append(EXTRAPOLATED)
        figure.legend(
            handles=handles,
            loc="outside lower center",
            ncols=7,
            title="component (line: theory at order 1/n, points: sampled)",
        )
    return figure


def tensors_finding(theory: xr.Dataset, sampled: xr.Dataset) -> str:
    """How many of the drawn components of the widest networks agree with theory.

    Args:
        theory: as for :func:`tensors`.
        sampled: as for :func:`tensors`.
    """
    n, off = int(sampled["width"][-1]), []
    for name, indices in ((name, indices) for name in FLUCTUATIONS for indices in components(theory)):
        off.append(abs(component(sampled, name, indices)[-1] / component(theory, name, indices) - 1))
    return (
        f"At width {n} the sampled tensors are off theory at order 1/n by {100 * np.median(off):.2g} % in the median. "
        "Extrapolated to infinite width, of the differences "
        f"{_limits_agree(theory, sampled, FLUCTUATIONS, components(theory))}."
    )


def _stacked(columns: int, n: np.ndarray) -> tuple[Figure, np.ndarray]:
    """Panels in a row, each with a low one beneath for the disagreement."""
    figure, axes = plt.subplots(
        2,
        columns,
        figsize=(2.7 * columns, 4.3),
        sharex=True,
        height_ratios=[2.4, 1],
        layout="constrained",
        squeeze=False,
    )
    for axis in axes[0]:
        width_axis(axis, n)
    for axis in axes[1]:
        axis.set_xlabel("width n")
    axes[1, 0].set_ylabel(DIFFERENCE)
    return figure, axes


def width_axis(axis: Axes, n: np.ndarray, infinity: bool = False) -> None:
    """A logarithmic axis that names the sampled widths, at most eight of them, and infinity beyond if it is drawn."""
    axis.set_xscale("log")
    named = n[:: -(-len(n) // 8)]
    names = [f"{width:g}" for width in named]
    if infinity:
        named, names = [*named, n.max() * BEYOND], [*names, "∞"]
    axis.set_xticks(named, names)
    axis.xaxis.set_minor_locator(NullLocator())


def _points(axis: Axes, n: np.ndarray, mean: np.ndarray, error: np.ndarray, colour: Any = ORANGE) -> None:
    axis.errorbar(n, mean, error, color=colour, linestyle="", marker="o", markersize=4, capsize=2, linewidth=1.2)


def _infinity(top: Axes, beneath: Axes, x: float, found: Estimate, value: float, colour: Any = ORANGE) -> None:
    """The extrapolation to infinite width, and beneath how far it is from theory."""
    style = {"color": colour, "marker": "D", "markersize": 4.5, "markerfacecolor": "white", "linestyle": ""}
    top.errorbar([x], [found.value], [found.error], capsize=2, linewidth=1.2, **style)
    beneath.plot([x], [(found.value - value) / found.error], **style)


def disagreement(axis: Axes, n: np.ndarray, difference: np.ndarray, error: np.ndarray, colour: Any = ORANGE) -> None:
    """Differences in standard errors, linear up to three of them; several calls may share an axis."""
    sigmas = difference / error
    axis.axhspan(-3, 3, color="0.92", zorder=0)
    axis.axhline(0, color=GREY, linewidth=0.8)
    axis.plot(n, sigmas, color=colour, linestyle="", marker="o", markersize=3.5, clip_on=False)
    before = axis.get_ylim()[1] if axis.get_yscale() == "symlog" else 0.0
    axis.set_yscale("symlog", linthresh=3)
    reach = max(12.0, 1.6 * np.abs(sigmas).max(), before)
    axis.set_ylim(-reach, reach)
    named = [tick for tick in (3, 10, 100, 1000) if tick <= reach and (tick != 10 or reach < 60)]
    ticks = [*(-tick for tick in reversed(named)), 0, *named]
    axis.set_yticks(ticks, [f"{tick}".replace("-", "−") for tick in ticks])
    axis.minorticks_off()


def _legend(figure: Figure, lines: list[tuple[str, Any, Any]], *more: Line2D) -> None:
    handles = [Line2D([], [], color=colour, linestyle=style, label=label) for label, colour, style in lines]
    handles.append(Line2D([], [], color=ORANGE, marker="o", linestyle="", label="sampled networks ± standard error"))
    handles += more
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
