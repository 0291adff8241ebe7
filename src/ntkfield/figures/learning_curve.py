"""Test error against training size, one panel per way of matching atoms."""

import json
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from ntkfield.figures import words
from ntkfield.figures.style import BLUE, COLOURS, GREEN, GREY, ORANGE, house_style

TITLES = {
    "element": "atoms of equal element",
    "all": "all pairs of atoms",
    "slot": "atoms of equal position in the list",
}
NAMES = {"so3": "the SO(3)-invariant network", "mlp": "the MLP that compares the same atoms"}
FLAT = "the MLP on all atoms end to end"
COLOUR = {"so3": BLUE, "mlp": ORANGE}
OTHERS = [COLOURS[k] for k in (3, 4, 5, 6, 9)]  # for networks of other names
LEGEND = {"so3": "SO(3)-invariant network", "mlp": "MLP, same atoms compared"}
# arXiv 2406.06504, demonstration on QM9: 10 training and 20 test molecules, one split, meV. Its networks
# and signals stand below; the weight variance only scales kernels of ReLU networks without biases, and no prediction.
PUBLISHED = {"so3": (10, 3340.9), "mlp": (10, 5951.8)}
NETWORKS = {"so3": {"group": "so3", "depth": 2}, "mlp": {"group": "none", "depth": 3}}
RELU = {"activation": "relu", "bias_variance": 0.0, "bias_rate": 0.0}
SIGNALS = {"bandlimit": 6, "cutoff_angle": 45, "powers": [2, 6]}
DIAG_REG = 5e-5


def plot(curve: xr.Dataset) -> Figure:
    """Draw mean absolute errors with their spread over splits.

    Args:
        curve: as stored by the molecules study: ``mean_absolute_error`` in eV [model, seed, train_size] with the
            coordinates network, matching and kernel along model, and ``baseline``; the attribute source tells what the
            molecules are, and config whether published values belong beside them.
    """
    panels = [m for m in TITLES if np.isin(_shown_in(m), curve["matching"]).any()]
    with house_style():
        figure, axes = plt.subplots(
            1, len(panels), figsize=(1.2 + 3.7 * len(panels), 3.9), sharey=True, squeeze=False, layout="constrained"
        )
        for axis, matching in zip(axes[0], panels, strict=True):
            _panel(axis, curve, matching)
        axes[0, 0].set_ylabel("mean absolute test error (meV)")
        whose, gap = "QM9" if _is_qm9(curve) else "own", "\n" if len(panels) == 1 else " "
        figure.suptitle(f"Atomization energies of {whose} molecules,{gap}infinitely wide networks")
        figure.legend(handles=_legend(curve), loc="outside lower center", ncols=(2, 3, 4)[len(panels) - 1])
    return figure


def finding(curve: xr.Dataset) -> str:
    """The errors at the largest training size, each network with whatever kernel and matching serves it best.

    Args:
        curve: as for :func:`plot`.
    """
    last = 1000 * curve.isel(train_size=-1)
    error, spread = last["mean_absolute_error"].mean("seed"), last["mean_absolute_error"].std("seed", ddof=1)
    parts = []
    flat = curve["matching"].values == "flat"
    networks = [(NAMES.get(n, f"the network {n}"), (curve["network"].values == n) & ~flat) for n in _networks(curve)]
    for name, chosen in [*networks, (FLAT, flat)]:
        if chosen.any():
            best = int(np.where(chosen, error, np.inf).argmin())
            share = words.with_error(float(error[best]), float(spread[best]))
            kernel = curve["kernel"].values[best].upper()
            matching = "" if name == FLAT else f", {TITLES[curve['matching'].values[best]]}"
            parts.append(f"{name} errs by {share} meV ({kernel}{matching})")
    baseline = float(last["baseline"].isel(model=0).mean("seed"))
    return (
        f"Trained on {int(curve['train_size'][-1])} molecules, {words.listed(parts)}; predicting the mean errs by "
        f"{baseline:.0f} meV. Each with the kernel and the matching of atoms that serve it best; ± is the standard "
        f"deviation over {curve.sizes['seed']} splits."
    )


def _is_qm9(curve: xr.Dataset) -> bool:
    return curve.attrs["source"].startswith("QM9")


def _published(curve: xr.Dataset) -> dict[str, tuple[int, float]]:
    """Training size and error of those networks that were published as they are here; of QM9 alone."""
    config = json.loads(curve.attrs.get("config", "{}"))
    if not _is_qm9(curve) or config.get("signals") != SIGNALS or config.get("diag_reg") != DIAG_REG:
        return {}
    slots = curve["network"].values[curve["matching"].values == "slot"]
    found = {}
    for name, point in PUBLISHED.items():
        network = {"bias_rate": 0.0} | config["networks"].get(name, {})
        if name in slots and all(network.get(key) == value for key, value in (NETWORKS[name] | RELU).items()):
            found[name] = point
    return found


def _networks(curve: xr.Dataset) -> list[str]:
    return list(dict.fromkeys(curve["network"].values.tolist()))


def _colours(curve: xr.Dataset) -> dict[str, tuple[float, float, float]]:
    others = [name for name in _networks(curve) if name not in COLOUR]
    return COLOUR | {name: OTHERS[k % len(OTHERS)] for k, name in enumerate(others)}


def _shown_in(panel: str) -> list[str]:
    """The matchings that a panel shows."""
    return ["slot", "flat"] if panel == "slot" else [panel]


def _panel(axis: Axes, curve: xr.Dataset, matching: str) -> None:
    shown, colours = _shown_in(matching), _colours(curve)
    sizes = curve["train_size"].values
    baseline = 1000 * curve["baseline"].isel(model=0).mean("seed")
    axis.plot(sizes, baseline, color=GREY, linestyle=":")
    for model in range(curve.sizes["model"]):
        one = curve.isel(model=model)
        if one["matching"].item() not in shown:
            continue
        errors = 1000 * one["mean_absolute_error"]
        flat = one["matching"].item() == "flat"
        ntk = one["kernel"].item() == "ntk"
        axis.errorbar(
            sizes * (sizes.max() / sizes.min()) ** (0.006 if ntk else -0.006),
            errors.mean("seed"),
            errors.std("seed", ddof=1),
            color=GREEN if flat else colours[one["network"].item()],
            linestyle="-" if ntk else "--",
            marker="o" if ntk else "s",
            markerfacecolor=None if ntk else "white",
            capsize=2.5,
        )
    if matching == "slot":
        for name, (size, error) in _published(curve).items():
            axis.plot(size, error, marker="*", markersize=12, color=COLOUR[name], markeredgecolor="black", linestyle="")
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_title(TITLES[matching])
    axis.set_xlabel("training molecules")
    axis.set_xticks(sizes, [str(size) for size in sizes])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}".replace(",", " ")))
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.grid(True, which="both", axis="y", color="0.92", linewidth=0.8)


def _legend(curve: xr.Dataset) -> list[Line2D]:
    def line(label: str, **style: Any) -> Line2D:
        return Line2D([], [], label=label, **style)

    flat, colours = curve["matching"].values == "flat", _colours(curve)
    handles = [line(LEGEND.get(n, n), color=colours[n]) for n in _networks(curve.isel(model=~flat))]
    if flat.any():
        handles.append(line("MLP on all atoms end to end", color=GREEN))
    handles += [
        line("NTK (trained)", color="black", marker="o"),
        line("NNGP (last layer trained)", color="black", marker="s", linestyle="--", markerfacecolor="white"),
        line("predicting the mean", color=GREY, linestyle=":"),
    ]
    if _published(curve):
        star = {"marker": "*", "markersize": 11, "linestyle": "", "markeredgecolor": "black"}
        handles.append(line("published, one split", color="white", **star))
    return handles
