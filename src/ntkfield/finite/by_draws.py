"""What :func:`ntkfield.finite_width` gives with ``draws``: means over draws of channels, with standard errors."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from ntkfield import checks
from ntkfield.finite import tensors as table
from ntkfield.finite.draws import NAMES, SCRAMBLES, Step, chain, replicates
from ntkfield.finite.labels import dataset
from ntkfield.finite.layer import State
from ntkfield.finite.places import frame
from ntkfield.finite.ratios import layer_ratios
from ntkfield.finite.recursion import agreeing
from ntkfield.finite.transport import Table
from ntkfield.networks.base import Network

Given = Sequence[float] | None
MOST_LEFT_OUT = 0.01  # of a variance; errors of the tensors are of its order


def by_draws(
    network: Network,
    inputs: Any,
    tensors: Sequence[str] | None,
    rtol: float,
    widths: tuple[Given, Given],
    draws: int,
    seed: int,
) -> xr.Dataset:
    """The tensors of the layers whose legs are inputs.

    Args:
        network: as for :func:`ntkfield.finite_width`, like `inputs`.
        inputs: what it reads.
        tensors: names; None for all that there are.
        rtol: asked of the two-point functions.
        widths: hidden widths, and their ratios; None for either.
        draws: of a channel of each layer.
        seed: of the draws.
    """
    names = NAMES if tensors is None else table.wanted(tensors)
    for name in set(names) - set(NAMES):
        raise checks.refuse("tensors", name, f"names among {', '.join(NAMES)} with draws")
    if checks.whole("draws", draws, 2 * SCRAMBLES) & (draws - 1):
        raise checks.refuse("draws", draws, f"a power of two, {2 * SCRAMBLES} or above")
    seed, start = checks.whole("seed", seed, 0), frame(network, inputs)
    ratios = layer_ratios(1 + len(start.places), *widths, 1)

    def kernels(net: Network) -> list[np.ndarray]:
        return [step.layer.state["K"] for step in chain(net, start, ratios)[0]]

    def tables(net: Network, at: list[np.ndarray]) -> list[Table]:
        return [places.moments(net.activation, k).known for places, k in zip(start.places, at, strict=True)]

    finer = agreeing(network, kernels, tables, rtol)[1]
    left_out = _left_out(chain(finer, start, ratios)[0])
    values, spreads = [], []
    for layers in zip(*replicates(finer, start, names, ratios, draws, seed), strict=True):
        every = {name: np.stack([layer[name] for layer in layers]) for name in layers[0]}
        values.append({name: array.mean(axis=0) for name, array in every.items()})
        spreads.append({name: array.std(axis=0, ddof=1) / len(array) ** 0.5 for name, array in every.items()})
    largest = {name: max(_error_of_mean(name, *layer) for layer in zip(values, spreads, strict=True)) for name in names}
    about = {"rtol": rtol, "draws": draws, "seed": seed, "left_out": left_out}
    found = dataset(network, [{}] * start.hidden + values, largest, ratios, about, start.hidden)
    for name in set(names) - {"K", "Theta"}:
        own = {"long_name": f"standard error of {name}", "units": "1"}
        found[f"{name}_error"] = found[name].dims, np.stack([layer[name] for layer in spreads]), own
    return found


def _left_out(steps: list[Step]) -> float:
    """The largest share of a variance that the roots of the layers lack."""
    found = max((root.left_out for step in steps for root in (step.channel, step.field)), default=0.0)
    if found > MOST_LEFT_OUT:
        warnings.warn(
            f"the degrees kept on SO(3) leave out {found:.1e} of a layer's variance, above {MOST_LEFT_OUT:g}: "
            "a larger quadrature keeps more",
            RuntimeWarning,
            stacklevel=4,
        )
    return found


def _error_of_mean(name: str, value: State, spread: State) -> float:
    """Largest standard error over the largest entry, of one tensor at one layer."""
    size = float(np.max(abs(value[name])))
    return float(np.max(spread[name])) / size if size > 0 else 0.0
