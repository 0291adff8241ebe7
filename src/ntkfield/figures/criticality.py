"""Growth of kernels and tensors with depth, at and off the critical weight variance."""

import math
from collections.abc import Mapping
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ntkfield.figures import words
from ntkfield.figures.corrections import DIFFERENCE, component, disagreement
from ntkfield.figures.style import BLUE, COLOURS, GREEN, ORANGE, house_style, number_log_axis
from ntkfield.tensors import FLUCTUATIONS

# name, component, axis label
PANELS = (
    ("Theta", (0, 1), r"NTK $|\Theta_{01}|$"),
    ("K", (0, 1), r"NNGP $|K_{01}|$"),
    *((name, (0, 0, 0, 0), rf"$|{name}_{{0000}}|$") for name in FLUCTUATIONS),
)
SHADES, MARKERS = (GREEN, BLUE, ORANGE, *COLOURS[3:]), "so^DvPX<>p"
ROUNDING = 1e-12
DIGITS = 1e-6  # relative: a config holds a critical value to so many digits, a growth of 1e-6 per layer shows nowhere
STEADY = 1.01  # largest over smallest, below which a curve counts as constant


def critical_variance(theory: Mapping[float, xr.Dataset]) -> float | None:
    """The critical one of the weight variances; None if none is, at the bias variance there is.

    Args:
        theory: for each weight variance, a dataset with the attributes bias_variance and, where the activation has a
            critical initialisation, critical_weight_variance and critical_bias_variance.
    """
    for variance, one in theory.items():
        known = one.attrs
        pairs = [(variance, "critical_weight_variance"), (known["bias_variance"], "critical_bias_variance")]
        if all(math.isclose(value, known.get(name, math.nan), rel_tol=DIGITS) for value, name in pairs):
            return variance
    return None


def growth(theory: Mapping[float, xr.Dataset]) -> pd.DataFrame:
    """How each curve goes on in its deeper half, for each weight variance and tensor.

    A power of the depth and an exponential are fitted by least squares to the logarithms; ``law`` is whichever is
    closer, or "constant" for what varies by less than a percent, and empty where fewer than three depths are known.

    Args:
        theory: for each weight variance, tensors over layer, with the attributes of :func:`critical_variance`.

    Returns:
        Columns power_of_depth, factor_per_layer and law, indexed by weight_variance and tensor.
    """
    rows = {}
    for variance in sorted(theory):
        layers = theory[variance]["layer"].values
        for name, indices, _ in PANELS:
            values = _values(theory, variance, name, indices)
            late = _drawn(values) & (layers >= layers.max() / 2)
            rows[variance, name] = _laws(layers[late].astype(float), np.log(values[late]))
    columns = ["power_of_depth", "factor_per_layer", "law"]
    return pd.DataFrame.from_dict(rows, "index", columns=columns).set_index(
        pd.MultiIndex.from_tuples(rows, names=["weight_variance", "tensor"])
    )


def depth(theory: Mapping[float, xr.Dataset], sampled: Mapping[float, xr.Dataset]) -> Figure:
    """Draw all panels.

    Args:
        theory: for each weight variance, tensors over layer; attributes activation, bias_variance, and as far as the
            activation has a critical initialisation ``critical_`` and each field of
            :class:`~ntkfield.finite.criticality.Criticality`.
        sampled: for each weight variance, tensors and their ``_error`` over the dimension depth; attribute width.
    """
    critical, laws = critical_variance(theory), growth(theory)
    looks = {
        variance: {"color": colour, "marker": marker}
        for variance, colour, marker in zip(sorted(theory), cycle(SHADES), cycle(MARKERS), strict=False)
    }
    with house_style():
        figure, axes = plt.subplots(
            4, 4, figsize=(12.5, 8.8), layout="constrained", sharex=True, height_ratios=[2.3, 1, 2.3, 1]
        )
        for axis, low, panel in zip(axes[::2].flat, axes[1::2].flat, PANELS, strict=False):
            for variance, look in looks.items():
                _curve(axis, low, theory, sampled, variance, panel, look)
            axis.set_title(_label(panel, theory, critical, laws))
            axis.set_xscale("log")
            axis.set_yscale("log")
            number_log_axis(axis)
            axis.set_xticks(*_ticks(next(iter(theory.values()))["layer"].values.max()))
            axis.minorticks_off()
            low.set_xlabel(r"depth $\ell$")
            low.tick_params(labelbottom=True)
        for row in axes[1::2]:
            row[0].set_ylabel(DIFFERENCE)
        axes[3, 3].set_axis_off()
        axes[2, 3].set_axis_off()
        handles = [
            Line2D([], [], **look, label=f"$C_W = {variance:g}${' (critical)' * (variance == critical)}")
            for variance, look in looks.items()
        ]
        handles += [
            Line2D([], [], color="black", label="theory, order 1/n"),
            Line2D([], [], color="black", marker="o", linestyle="", label="sampled ± standard error"),
        ]
        axes[2, 3].legend(handles=handles, loc="center", fontsize=11)
        figure.suptitle(_title(theory, critical, laws))
    return figure


def finding(theory: Mapping[float, xr.Dataset], sampled: Mapping[float, xr.Dataset]) -> str:
    """Which weight variance is critical, how the curves go on with depth, and how well samples agree with theory.

    Args:
        theory: as for :func:`depth`.
        sampled: as for :func:`depth`.
    """
    critical, laws = critical_variance(theory), growth(theory)
    parts = [f"{_networks(theory)}: {_where(theory, critical)}."]
    if critical is not None:
        powers = _powers(laws, critical)
        names = {"Theta": "Θ", "K": "K − K*" if _fixed_point(theory, critical) else "K"}
        told = [f"{power:.2f} for {names.get(name, name)}" for name, power in powers.items()]
        if told:
            parts.append(f"The power of the depth that fits the deeper half there is {words.listed(told)}.")
    told = [f"{_counted(laws.loc[variance, 'law'])} at C_W = {variance:g}" for variance in sorted(theory)]
    if any(laws["law"]):
        parts.append(f"In the deeper half theory's curves are closest to {'; '.join(told)}.")
    for variance in sorted(theory) if critical is None else [critical]:
        data = sampled[variance]
        sigmas = np.array([np.divide(*_difference(theory[variance], data, *panel[:2])) for panel in PANELS])
        deep = data["depth"].values
        shallow, deepest = (f"at depth {deep[k]}, {words.agreement(sigmas[:, k])}" for k in (0, -1))
        parts.append(
            f"Of the differences at C_W = {variance:g} between samples of width {data.attrs['width']} and theory at "
            f"order 1/n, {shallow}; {deepest}."
        )
    return " ".join(parts)


def _fixed_point(theory: Mapping[float, xr.Dataset], variance: float) -> float:
    """K*, to which K01 goes at the critical variance; 0 at any other, where K01 is drawn itself."""
    known = theory[variance].attrs
    if variance != critical_variance(theory):
        return 0.0
    if known["critical_kind"] == "scale-invariant":  # every variance is kept, and the angle between inputs closes
        first = theory[variance]["K"].isel(layer=0).values
        return float(np.sqrt(first[0, 0] * first[1, 1]))
    return known["critical_variance"]


def _values(theory: Mapping[float, xr.Dataset], variance: float, name: str, indices: tuple[int, ...]) -> np.ndarray:
    """What is drawn of a tensor, over layer."""
    shift = _fixed_point(theory, variance) if name == "K" else 0.0
    return np.abs(component(theory[variance], name, indices) - shift)


def _drawn(values: np.ndarray) -> np.ndarray:
    return (values > 0) & np.isfinite(values)


def _laws(depths: np.ndarray, logs: np.ndarray) -> tuple[float, float, str]:
    """Power of the depth, factor per layer, and which of the two laws is closer."""
    if len(depths) < 2:
        return math.nan, math.nan, ""
    slopes, misfits = [], []
    for x in (np.log(depths), depths):
        line = np.polyfit(x, logs, 1)
        slopes.append(line[0])
        misfits.append(np.sum((logs - np.polyval(line, x)) ** 2))
    law = "constant" if np.ptp(logs) < math.log(STEADY) else "power" if misfits[0] < misfits[1] else "exponential"
    return slopes[0], math.exp(slopes[1]), law if len(depths) > 2 else ""


def _powers(laws: pd.DataFrame, variance: float) -> dict[str, float]:
    """Powers of the depth of those tensors that follow one."""
    one = laws.loc[variance]
    return one.loc[one["law"] == "power", "power_of_depth"].to_dict()


def _counted(laws: pd.Series) -> str:
    """How many curves follow which law."""
    said = {"power": "powers of the depth", "exponential": "exponentials", "constant": "constants"}
    counts = laws.value_counts()
    return words.listed([f"{phrase} ({counts[law]} of {len(laws)})" for law, phrase in said.items() if law in counts])


def _where(theory: Mapping[float, xr.Dataset], critical: float | None) -> str:
    """Where networks of this activation are critical, and whether that is drawn."""
    known = next(iter(theory.values())).attrs
    if "critical_weight_variance" not in known:
        return "no critical initialisation"
    place = f"critical at C_W = {known['critical_weight_variance']:g} with C_b = {known['critical_bias_variance']:g}"
    return place if critical is not None else f"{place}, which is not drawn (here C_b = {known['bias_variance']:g})"


def _networks(theory: Mapping[float, xr.Dataset]) -> str:
    return f"{words.activation(next(iter(theory.values())).attrs['activation'])} networks"


def _title(theory: Mapping[float, xr.Dataset], critical: float | None, laws: pd.DataFrame) -> str:
    """What the curves say, if they all say it; else where the networks are critical."""
    if critical is not None:
        off = laws.drop(index=critical, level="weight_variance")["law"]
        if set(laws.loc[critical, "law"]) <= {"power", "constant"} and set(off) <= {"exponential"}:
            return (
                f"{_networks(theory)}: a power of the depth at the critical weight variance {critical:g}"
                f"{', exponential off it' if len(off) else ''}"
            )
    return f"{_networks(theory)} against depth: {_where(theory, critical)}"


def _label(panel: tuple, theory: Mapping[float, xr.Dataset], critical: float | None, laws: pd.DataFrame) -> str:
    name, _, label = panel
    if critical is None:
        return label
    if name == "K" and _fixed_point(theory, critical):
        label = label.replace("|$", "-K^*|$")
    powers = _powers(laws, critical)
    return f"{label},  critical: $\\propto \\ell^{{\\,{powers[name]:.2f}}}$" if name in powers else label


def _ticks(deepest: int) -> tuple[list[int], list[str]]:
    """Powers of two, and the deepest layer."""
    ticks = [*(2**k for k in range(20) if 1.5 * 2**k < deepest), int(deepest)]
    return ticks, [str(tick) for tick in ticks]


def _curve(
    axis: Axes,
    low: Axes,
    theory: Mapping[float, xr.Dataset],
    sampled: Mapping[float, xr.Dataset],
    variance: float,
    panel: tuple,
    look: dict,
) -> None:
    """One weight variance: theory, sampled points, and beneath how far they are from the theory at their width."""
    name, indices, _ = panel
    values, data = _values(theory, variance, name, indices), sampled[variance]
    shown, deep = _drawn(values), data["depth"].values
    axis.plot(theory[variance]["layer"].values[shown], values[shown], color=look["color"])
    shift = _fixed_point(theory, variance) if name == "K" else 0.0
    mean, error = component(data, name, indices), component(data, f"{name}_error", indices)
    axis.errorbar(deep, np.abs(mean - shift), error, linestyle="", markersize=5, capsize=2, **look)
    disagreement(low, deep, *_difference(theory[variance], data, name, indices), look["color"])


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
