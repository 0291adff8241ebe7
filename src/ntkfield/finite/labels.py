"""Tensors as a labelled dataset."""

from typing import Any

import numpy as np
import xarray as xr

from ntkfield.finite.layer import State
from ntkfield.finite.wiring import Wiring
from ntkfield.networks.base import Network
from ntkfield.tensors import LIMITS, TENSORS


def dataset(
    network: Network,
    values: list[State],
    errors: dict[str, float],
    ratios: np.ndarray,
    attributes: dict,
    hidden: int,
    wires: Wiring | None = None,
) -> xr.Dataset:
    """The tensors of every layer, as :func:`ntkfield.finite_width` describes them.

    Args:
        network: whose they are.
        values: arrays by name, of each layer.
        errors: largest relative error of each tensor.
        ratios: of each step's width to the width before it.
        attributes: of the dataset, beside those of the network.
        hidden: how many layers have legs at positions.
        wires: where these are given too, what the positions are.
    """
    m = len(values[-1]["K"])
    variables, coords = {}, {"layer": np.arange(hidden, len(values)) + 1}
    coords |= {f"a{i}": np.arange(m) for i in range(1, 5)}
    stages = [("", "layer", "a", values[hidden:])]
    if wires is not None and len(set(wires.positions[:hidden])) == 1:  # else no array holds them all
        stages.append(("_hidden", "hidden", "p", values[:hidden]))
        coords |= _positions(wires, m)
    for name, error in errors.items():
        tensor = TENSORS[name]
        about = {"long_name": tensor.meaning, "description": _place(name), "units": "1"}
        about |= {"subscripts": tensor.subscripts, "relative_error": error}
        for suffix, along, leg, layers in stages:
            dims = (along, *(f"{leg}{i}" for i in range(1, len(tensor.subscripts) + 1)))
            variables[f"{name}{suffix}"] = (dims, np.stack([state[name] for state in layers]), about)
    used = {d for dims, *_ in variables.values() for d in dims}
    kept = {
        name: value
        for name, value in coords.items()
        if used.issuperset(value[0] if isinstance(value, tuple) else [name])
    }
    about = {"title": "kernels at infinite width and the coefficients of 1/n"}
    about |= {"activation": network.activation.name, "depth": network.depth, **network.scales._asdict()}
    about |= {"width_ratios": [float(r) for r in ratios[1:]], **attributes}
    return xr.Dataset(variables, kept, about)


def _positions(wires: Wiring, m: int) -> dict[str, Any]:
    """Coordinates of the hidden layers: which input a position belongs to, and where in it."""
    p = wires.positions[0]
    about = {"input": np.repeat(np.arange(m), p)} | {name: np.tile(value, m) for name, value in wires.labels.items()}
    coords: dict[str, Any] = {"hidden": np.arange(wires.hidden) + 1}
    for dim in (f"p{i}" for i in range(1, 5)):
        coords[dim] = np.arange(m * p)
        coords |= {f"{dim}_{name}": ((dim,), value) for name, value in about.items()}
    return coords


def _place(name: str) -> str:
    """Where a variable stands in the expansion, for sampled ones have the same names."""
    if name in LIMITS:
        return f"limit n -> infinity; the mean at width n is {name} + {name}1/n + order 1/n^2"
    return "coefficient of 1/n at leading order, n the width before the layer"
