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
NAMES = {
    "so3": "the SO(3)-invariant network",
    "shells": "the SO(3)-invariant network on shells of distance",
    "mlp": "the MLP that compares the same atoms",
    "soap": "SOAP kernel ridge regression",
    "fchl19": "FCHL19 kernel ridge regression",
}
FLAT = "the MLP on all atoms end to end"
COLOUR = {"so3": BLUE, "mlp": ORANGE, "shells": COLOURS[4], "soap": COLOURS[5], "fchl19": COLOURS[3]}
OTHERS = [COLOURS[k] for k in (6, 8, 9)]  # for networks of other names
LEGEND = {
    "so3": "SO(3)-invariant network",
    "shells": "SO(3)-invariant network, shells",
    "mlp": "MLP, same atoms compared",
    "soap": "SOAP, made by hand",
    "fchl19": "FCHL19, made by hand",
}
MARKERS = {"soap": "^", "fchl19": "v"}
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
            coordinates network, matching, kernel (``ridge`` for descriptors made by hand) and composition along model,
            ``baseline`` and ``composition_error``; the attribute source tells what the molecules are, and config
            whether published values belong beside them.
    """
    panels = _panels(curve)
    with house_style():
        figure, axes = plt.subplots(
            1, len(panels), figsize=(1.2 + 3.7 * len(panels), 4.1), sharey=True, squeeze=False, layout="constrained"
        )
        for axis, panel in zip(axes[0], panels, strict=True):
            _panel(axis, curve.isel(model=_shown_in(curve, panel)), panel)
        axes[0, 0].set_ylabel("mean absolute test error (meV)")
        whose, gap = "QM9" if _is_qm9(curve) else "own", "\n" if len(panels) == 1 else " "
        figure.suptitle(f"Atomization energies of {whose} molecules,{gap}infinitely wide networks")
        figure.legend(handles=_legend(curve), loc="outside lower center", ncols=(2, 3)[len(panels) > 1])
    return figure


def finding(curve: xr.Dataset) -> str:
    """The errors at the largest training size, each network with whatever kernel and matching serves it best.

    Args:
        curve: as for :func:`plot`.
    """
    last = 1000 * curve.isel(train_size=-1)
    baseline, said = float(last["baseline"].isel(model=0).mean("seed")), []
    for composition, start in ((True, ""), (False, "on the whole energy, ")):
        chosen = curve["composition"].values == composition
        if chosen.any():
            said.append(start + words.listed(_told(last.isel(model=chosen))))
        if chosen.any() and composition:
            alone = float(last["composition_error"].isel(model=int(chosen.argmax())).mean("seed"))
            of_fit = "; the numbers of atoms of each element, which all of them fit first, err alone by"
            said[-1] += f"{of_fit} {alone:.0f} meV"
    return (
        f"Trained on {int(curve['train_size'][-1])} molecules, {'; '.join(said)}; predicting the mean errs by "
        f"{baseline:.0f} meV. Each with the kernel and the matching of atoms that serve it best; ± is the standard "
        f"deviation over {curve.sizes['seed']} splits."
    )


def _told(last: xr.Dataset) -> list[str]:
    """What each network's best model errs by, and descriptors."""
    error, spread = last["mean_absolute_error"].mean("seed"), last["mean_absolute_error"].std("seed", ddof=1)
    flat, parts = last["matching"].values == "flat", []
    several = len(np.unique(last["matching"].values[~flat])) > 1
    networks = [(NAMES.get(n, f"the network {n}"), (last["network"].values == n) & ~flat) for n in _networks(last)]
    for name, chosen in [*networks, (FLAT, flat)]:
        if chosen.any():
            best = int(np.where(chosen, error, np.inf).argmin())
            kernel = last["kernel"].values[best]
            matching = f", {TITLES[last['matching'].values[best]]}" if several and name != FLAT else ""
            how = "" if kernel == "ridge" else f" ({kernel.upper()}{matching})"
            parts.append(f"{name} errs by {words.with_error(float(error[best]), float(spread[best]))} meV{how}")
    return parts


def _is_qm9(curve: xr.Dataset) -> bool:
    return curve.attrs["source"].startswith("QM9")


def _published(curve: xr.Dataset) -> dict[str, tuple[int, float]]:
    """Training size and error of those networks that were published as they are here; of QM9 alone."""
    config = json.loads(curve.attrs.get("config", "{}"))
    found = {}
    for model in config.get("models", ()) if _is_qm9(curve) else ():
        name = model["network"]
        same = model["matching"] == "slot" and not model["composition"] and model["diag_reg"] == DIAG_REG
        if name in PUBLISHED and same and config["signals"].get(name) == SIGNALS:
            network = {"bias_rate": 0.0} | config["networks"][name]
            if all(network.get(key) == value for key, value in (NETWORKS[name] | RELU).items()):
                found[name] = PUBLISHED[name]
    return found


def _networks(curve: xr.Dataset) -> list[str]:
    return list(dict.fromkeys(curve["network"].values.tolist()))


def _colours(curve: xr.Dataset) -> dict[str, tuple[float, float, float]]:
    others = [name for name in _networks(curve) if name not in COLOUR]
    return COLOUR | {name: OTHERS[k % len(OTHERS)] for k, name in enumerate(others)}


def _panels(curve: xr.Dataset) -> list[tuple[bool, str]]:
    """Whether composition is fitted first, and how atoms are matched: one panel each."""
    panels = [(composition, matching) for composition in (True, False) for matching in TITLES]
    return [panel for panel in panels if _shown_in(curve, panel).any()]


def _shown_in(curve: xr.Dataset, panel: tuple[bool, str]) -> np.ndarray:
    """Which models a panel shows, bool [model]."""
    composition, matching = panel
    matchings = ["slot", "flat"] if matching == "slot" else [matching]
    return (curve["composition"].values == composition) & np.isin(curve["matching"].values, matchings)


def _panel(axis: Axes, curve: xr.Dataset, panel: tuple[bool, str]) -> None:
    """The models of one panel."""
    composition, matching = panel
    colours, sizes = _colours(curve), curve["train_size"].values
    alone = curve["composition_error" if composition else "baseline"]
    axis.plot(sizes, 1000 * alone.isel(model=0).mean("seed"), color=GREY, linestyle="-." if composition else ":")
    for model in range(curve.sizes["model"]):
        one = curve.isel(model=model)
        errors, name, kernel = 1000 * one["mean_absolute_error"], one["network"].item(), one["kernel"].item()
        axis.errorbar(
            sizes * (sizes.max() / sizes.min()) ** {"ntk": 0.006, "nngp": -0.006, "ridge": 0.0}[kernel],
            errors.mean("seed"),
            errors.std("seed", ddof=1),
            color=GREEN if one["matching"].item() == "flat" else colours[name],
            linestyle="--" if kernel == "nngp" else "-",
            marker={"ntk": "o", "nngp": "s"}.get(kernel, MARKERS.get(name, "D")),
            markerfacecolor="white" if kernel == "nngp" else None,
            capsize=2.5,
        )
    if panel == (False, "slot"):
        for name, (size, error) in _published(curve).items():
            axis.plot(size, error, marker="*", markersize=12, color=COLOUR[name], markeredgecolor="black", linestyle="")
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_title(f"{'composition fitted first' if composition else 'the whole energy'},\n{TITLES[matching]}")
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
    ridge = np.unique(curve["network"].values[curve["kernel"].values == "ridge"])
    handles = [
        line(LEGEND.get(n, n), color=colours[n], marker=MARKERS.get(n, "D") if n in ridge else None)
        for n in _networks(curve.isel(model=~flat))
    ]
    if flat.any():
        handles.append(line("MLP on all atoms end to end", color=GREEN))
    handles += [
        line("NTK (trained)", color="black", marker="o"),
        line("NNGP (last layer trained)", color="black", marker="s", linestyle="--", markerfacecolor="white"),
    ]
    if curve["composition"].any():
        handles.append(line("composition alone", color=GREY, linestyle="-."))
    if not curve["composition"].all():
        handles.append(line("predicting the mean", color=GREY, linestyle=":"))
    if _published(curve):
        star = {"marker": "*", "markersize": 11, "linestyle": "", "markeredgecolor": "black"}
        handles.append(line("published, one split", color="white", **star))
    return handles
