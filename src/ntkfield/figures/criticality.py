"""Growth of kernels and tensors with depth, at and off the critical weight variance."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ntkfield.figures.corrections import component
from ntkfield.figures.style import BLUE, GREEN, ORANGE, house_style

# name, component, axis label
PANELS = (
    ("Theta", (0, 1), r"NTK $|\Theta_{01}|$"),
    ("K", (0, 1), r"NNGP $|K_{01}-K^*|$"),
    ("V", (0, 0, 0, 0), r"$|V_{0000}|$"),
    ("D", (0, 0, 0, 0), r"$|D_{0000}|$"),
    ("F", (0, 0, 0, 0), r"$|F_{0000}|$"),
    ("A", (0, 0, 0, 0), r"$|A_{0000}|$"),
    ("B", (0, 0, 0, 0), r"$|B_{0000}|$"),
)
MARKERS = ("s", "o", "^")


def depth(
    theory: Mapping[float, xr.Dataset], sampled: Mapping[float, xr.Dataset], critical: float, fixed: float
) -> tuple[Figure, dict[str, float]]:
    """Draw all panels.

    Args:
        theory: for each weight variance, tensors over layer.
        sampled: for each weight variance, tensors and their ``_error`` over the dimension depth.
        critical: the critical weight variance.
        fixed: K* of the component of K that is drawn, at the critical variance; off it K* is zero.

    Returns:
        The figure, and for each panel the power of depth that fits the theory's deepest half at criticality.
    """
    variances, powers = sorted(theory), {}
    colours = dict(zip(variances, (GREEN, BLUE, ORANGE), strict=False))
    with house_style():
        figure, axes = plt.subplots(2, 4, figsize=(12.5, 5.8), layout="constrained")
        for axis, (name, indices, label) in zip(axes.flat, PANELS, strict=False):
            for marker, variance in zip(MARKERS, variances, strict=False):
                shift = fixed if name == "K" and variance == critical else 0.0
                layers = theory[variance]["layer"].values
                values = np.abs(component(theory[variance], name, indices) - shift)
                shown = values > 0
                axis.plot(layers[shown], values[shown], color=colours[variance])
                deep, data = sampled[variance]["depth"].values, sampled[variance]
                mean, error = component(data, name, indices) - shift, component(data, f"{name}_error", indices)
                axis.errorbar(
                    deep,
                    np.abs(mean),
                    error,
                    color=colours[variance],
                    marker=marker,
                    linestyle="",
                    markersize=5,
                    capsize=2,
                )
                if variance == critical:
                    late = shown & (layers >= layers.max() / 2)
                    powers[name] = float(np.polyfit(np.log(layers[late]), np.log(values[late]), 1)[0])
                    axis.set_title(f"{label},  critical: $\\propto \\ell^{{\\,{powers[name]:.2f}}}$")
            axis.set_xscale("log")
            axis.set_yscale("log")
            axis.set_xlabel(r"depth $\ell$")
            ticks = [1, 2, 4, 8, 16, 30]
            axis.set_xticks(ticks, [str(t) for t in ticks])
            axis.minorticks_off()
        last = axes.flat[-1]
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
