"""Growth of kernels and tensors with depth, at and off the critical weight variance."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ntkfield.figures import words
from ntkfield.figures.corrections import component, disagreement
from ntkfield.figures.style import BLUE, GREEN, ORANGE, house_style
from ntkfield.tensors import FLUCTUATIONS

# name, component, axis label
PANELS = (
    ("Theta", (0, 1), r"NTK $|\Theta_{01}|$"),
    ("K", (0, 1), r"NNGP $|K_{01}-K^*|$"),
    *((name, (0, 0, 0, 0), rf"$|{name}_{{0000}}|$") for name in FLUCTUATIONS),
)
MARKERS = ("s", "o", "^")
ROUNDING = 1e-12


def depth(
    theory: Mapping[float, xr.Dataset], sampled: Mapping[float, xr.Dataset], critical: float, fixed: float
) -> tuple[Figure, dict[str, float]]:
    """Draw all panels.

    Args:
        theory: for each weight variance, tensors over layer.
        sampled: for each weight variance, tensors and their ``_error`` over the dimension depth; attribute width.
        critical: the critical weight variance.
        fixed: K* of the component of K that is drawn, at the critical variance; off it K* is zero.

    Returns:
        The figure, and for each panel the power of depth that fits the theory's deepest half at criticality.
    """
    variances, powers = sorted(theory), {}
    colours = dict(zip(variances, (GREEN, BLUE, ORANGE), strict=False))
    with house_style():
        figure, axes = plt.subplots(
            4, 4, figsize=(12.5, 8.4), layout="constrained", sharex=True, height_ratios=[2.6, 1, 2.6, 1]
        )
        above, beneath = axes[::2].flat, axes[1::2].flat
        for axis, low, (name, indices, label) in zip(above, beneath, PANELS, strict=False):
            for marker, variance in zip(MARKERS, variances, strict=False):
                shift = fixed if name == "K" and variance == critical else 0.0
                layers = theory[variance]["layer"].values
                values = np.abs(component(theory[variance], name, indices) - shift)
                shown = values > 0
                axis.plot(layers[shown], values[shown], color=colours[variance])
                what, style = (name, indices, shift), {"color": colours[variance], "marker": marker}
                _sampled(axis, low, theory[variance], sampled[variance], what, style)
                if variance == critical:
                    late = shown & (layers >= layers.max() / 2)
                    powers[name] = float(np.polyfit(np.log(layers[late]), np.log(values[late]), 1)[0])
                    axis.set_title(f"{label},  critical: $\\propto \\ell^{{\\,{powers[name]:.2f}}}$")
            axis.set_xscale("log")
            axis.set_yscale("log")
            low.set_xlabel(r"depth $\ell$")
            low.tick_params(labelbottom=True)
            ticks = [1, 2, 4, 8, 16, 30]
            axis.set_xticks(ticks, [str(t) for t in ticks])
            axis.minorticks_off()
        for row in axes[1::2]:
            row[0].set_ylabel("difference\n(standard errors)")
        axes[3, 3].set_axis_off()
        last = axes[2, 3]
        last.set_axis_off()
        handles = [
            Line2D(
                [], [], color=colours[v], marker=m, label=f"$C_W = {v:g}$" + (" (critical)" if v == critical else "")
            )
            for v, m in zip(variances, MARKERS, strict=False)
        ]
        handles += [
            Line2D([], [], color="black", label="theory, order 1/n"),
            Line2D([], [], color="black", marker="o", linestyle="", label="sampled ± standard error"),
        ]
        last.legend(handles=handles, loc="center", fontsize=11)
        figure.suptitle("ReLU networks: a power of the depth at the critical weight variance, exponential off it")
    return figure, powers


def finding(
    theory: Mapping[float, xr.Dataset],
    sampled: Mapping[float, xr.Dataset],
    critical: float,
    powers: Mapping[str, float],
) -> str:
    """The powers at criticality, and how many of the sampled points agree with theory.

    Args:
        theory: as for :func:`depth`.
        sampled: as for :func:`depth`.
        critical: the critical weight variance.
        powers: as :func:`depth` returns them.
    """
    told = words.listed([f"{power:.2f} for {name.replace('Theta', 'Θ')}" for name, power in powers.items()])
    sigmas = []
    for name, indices, _ in PANELS:
        difference, error = _difference(theory[critical], sampled[critical], name, indices)
        sigmas.append(difference / error)
    deep, width = sampled[critical]["depth"].values, sampled[critical].attrs["width"]
    shallow, deepest = (f"at depth {deep[k]}, {words.agreement(np.array(sigmas)[:, k])}" for k in (0, -1))
    return (
        f"At C_W = {critical:g} the power of the depth is {told}. Of the differences there between samples of width "
        f"{width} and theory at order 1/n, {shallow}; {deepest}."
    )


def _sampled(axis: Axes, low: Axes, theory: xr.Dataset, data: xr.Dataset, what: tuple, style: dict) -> None:
    """Sampled points, and beneath how far they are from the theory at their width."""
    name, indices, shift = what
    deep = data["depth"].values
    mean, error = component(data, name, indices), component(data, f"{name}_error", indices)
    axis.errorbar(deep, np.abs(mean - shift), error, linestyle="", markersize=5, capsize=2, **style)
    difference, error = _difference(theory, data, name, indices)
    disagreement(low, deep, difference, error, style["color"])


def _difference(
    theory: xr.Dataset, data: xr.Dataset, name: str, indices: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Sample less theory at its width, by depth, and its standard error."""
    expected = theory.sel(layer=data["depth"].values)
    limit = component(expected, name, indices)
    if f"{name}1" in theory:
        limit = limit + component(expected, f"{name}1", indices) / data.attrs["width"]
    # at depth 2 some means have no scatter at all
    error = np.maximum(component(data, f"{name}_error", indices), ROUNDING * np.abs(limit))
    return component(data, name, indices) - limit, error
