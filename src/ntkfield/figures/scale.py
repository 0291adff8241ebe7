"""Relative deviation of mean kernels from infinite width, for several activations."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ntkfield.figures import words
from ntkfield.figures.corrections import DIFFERENCE, PAIRS, component, disagreement, width_axis
from ntkfield.figures.style import COLOURS, GREY, house_style
from ntkfield.tensors import LIMITS

PANELS = tuple(itertools.product(LIMITS, PAIRS))
ROUNDING = 1e-12
SPREAD = 1.05  # between the points of neighbouring cases at one width; closer where there are many
MARKERS = "osD^v<>Xp"  # one more than there are colours, so that pairs repeat late
IN_A_ROW = 5  # entries of the legend, beneath the 12.5 inches of the panels


def _strokes(labels: Iterable[str]) -> dict[str, dict[str, Any]]:
    """A colour and a marker for each case; no two cases share both."""
    colours = [COLOURS[k] for k in (0, 1, 2, 4, 3, 5, 6, 9)]  # without the palette's grey, and its yellow on white
    return {
        label: {"color": colours[k % len(colours)], "marker": MARKERS[k % len(MARKERS)]}
        for k, label in enumerate(labels)
    }


def finding(theory: Mapping[str, xr.Dataset], sampled: Mapping[str, xr.Dataset]) -> str:
    """The NTK's deviation for one input at the smallest width, sampled and at order 1/n, for each activation.

    Args:
        theory: as for :func:`deviations`.
        sampled: as for :func:`deviations`.
    """
    parts, sigmas, n = [], [], _widths(sampled)
    for label in theory:
        for name, pair in PANELS:
            limit, slope = component(theory[label], name, pair), component(theory[label], f"{name}1", pair)
            mean, error = component(sampled[label], name, pair), component(sampled[label], f"{name}_error", pair)
            sigmas.append(((mean - limit - slope / n) / np.maximum(error, ROUNDING * np.abs(limit)))[-1])
            if (name, pair) == ("Theta", (0, 0)):
                share = words.with_error(100 * (mean[0] / limit - 1), 100 * error[0] / abs(limit))
                parts.append(f"{label.replace('_', ' ')} {share} % (order 1/n: {100 * slope / n[0] / limit:.3g} %)")
    return (
        f"At width {n[0]:.0f} the mean NTK of one input is off its limit by {words.listed(parts)}. At width "
        f"{n[-1]:.0f}, of the differences between samples and theory at order 1/n, {words.agreement(np.array(sigmas))}."
    )


def _widths(sampled: Mapping[str, xr.Dataset]) -> np.ndarray:
    """The widths of the study, the same for every activation."""
    return next(iter(sampled.values()))["width"].values.astype(float)


def deviations(theory: Mapping[str, xr.Dataset], sampled: Mapping[str, xr.Dataset]) -> Figure:
    """Draw the deviations with the theory's 1/n lines.

    Args:
        theory: for each activation's name, K, Theta, K1, Theta1 at the last layer.
        sampled: for each name, K, Theta and their ``_error`` over the dimension width.
    """
    n, strokes, middle = _widths(sampled), _strokes(theory), (len(theory) - 1) / 2
    spread = SPREAD ** min(1.0, 4 / len(theory))
    handles = [Line2D([], [], label=label.replace("_", " "), **strokes[label]) for label in theory]
    handles.append(Line2D([], [], color="black", label="theory, order 1/n (points: sampled ± standard error)"))
    rows = -(-len(handles) // IN_A_ROW)
    with house_style():
        figure, axes = plt.subplots(
            2,
            4,
            figsize=(12.5, 4.75 + 0.25 * rows),
            layout="constrained",
            sharex=True,
            sharey="row",
            height_ratios=[2.4, 1],
        )
        for axis, beneath, (name, pair) in zip(*axes, PANELS, strict=True):
            axis.axhline(0, color=GREY, linewidth=0.8)
            for k, label in enumerate(theory):
                limit, slope = component(theory[label], name, pair), component(theory[label], f"{name}1", pair)
                mean, error = component(sampled[label], name, pair), component(sampled[label], f"{name}_error", pair)
                fine = np.geomspace(n.min(), n.max(), 100)
                axis.plot(fine, 100 * slope / fine / limit, color=strokes[label]["color"], linewidth=1.3)
                place = n * spread ** (k - middle)
                axis.errorbar(
                    place, 100 * (mean / limit - 1), 100 * np.abs(error / limit),
                    linestyle="", markersize=4, capsize=2, **strokes[label],
                )  # fmt: skip
                # where the sampled mean has no scatter at all, rounding is what it may differ by
                error = np.maximum(error, ROUNDING * np.abs(limit))
                disagreement(beneath, place, mean - limit - slope / n, error, strokes[label]["color"])
            kind, symbol = ("NNGP", "K") if name == "K" else ("NTK", r"\Theta")
            axis.set_title(
                f"{kind} ${symbol}_{{{pair[0]}{pair[1]}}}$, {'one input' if pair == (0, 0) else 'two inputs'}"
            )
            width_axis(axis, n)
            beneath.set_xlabel("width n")
        axes[0, 0].set_ylabel("deviation from\ninfinite width (%)")
        axes[1, 0].set_ylabel(DIFFERENCE)
        figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), IN_A_ROW))
    return figure
