"""What :func:`ntkfield.finite_width` gives with ``draws``: means over draws of channels, with standard errors."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import xarray as xr

from ntkfield import checks
from ntkfield.activations import differentiable
from ntkfield.finite import tensors as table
from ntkfield.finite.draws import NAMES, SCRAMBLES, Step, chain, checked_draws, over_scrambles, replicates
from ntkfield.finite.labels import dataset
from ntkfield.finite.layer import State
from ntkfield.finite.places import Frame, frame
from ntkfield.finite.ratios import layer_ratios
from ntkfield.finite.recursion import Plan, agreeing, states
from ntkfield.finite.room import check_arrays
from ntkfield.finite.transport import Table
from ntkfield.gaussian.drawn import Draws
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
        tensors: names; None for those that no array over four positions is made for.
        rtol: asked of the two-point functions.
        widths: hidden widths, and their ratios; None for either.
        draws: of a channel of each layer.
        seed: of the draws.
    """
    names = NAMES if tensors is None else table.existing(differentiable(network.activation), tensors)
    checked_draws(draws, seed)
    start = frame(network, inputs)
    ratios = layer_ratios(1 + len(start.places), *widths, 1)
    fours = _checked_fours(names, start, inputs, ratios)
    finer = _finer(network, start, ratios, rtol)
    left_out = _left_out(chain(finer, start, ratios)[0])
    scrambles = replicates(finer, start, tuple(name for name in names if name in NAMES), ratios, draws, seed)
    if fours is not None:
        scrambles = _with_fours(scrambles, finer, inputs, fours, start.hidden, draws, seed)
    values, spreads = zip(*map(over_scrambles, zip(*scrambles, strict=True)), strict=True)
    largest = {name: max(_error_of_mean(name, *layer) for layer in zip(values, spreads, strict=True)) for name in names}
    about = {"rtol": rtol, "draws": draws, "seed": seed, "left_out": left_out}
    found = dataset(network, [{}] * start.hidden + list(values), largest, ratios, about, start.hidden)
    for name in set(names) - {"K", "Theta"}:
        own = {"long_name": f"standard error of {name}", "units": "1"}
        found[f"{name}_error"] = found[name].dims, np.stack([layer[name] for layer in spreads]), own
    return found


def _checked_fours(names: tuple[str, ...], start: Frame, inputs: Any, ratios: np.ndarray) -> Plan | None:
    """What arrays over four positions are made of, if anything."""
    fours = tuple(name for name in names if name not in NAMES)
    if not fours:
        return None
    if start.wires is None:
        raise checks.refuse("tensors", fours[0], f"names among {', '.join(NAMES)} on the sphere")
    plan = Plan(table.closure(fours), ratios, np.arange(len(inputs))[None])
    check_arrays(plan, start.wires, len(inputs))
    return plan


def _with_fours(
    scrambles: Iterator[list[State]], network: Network, inputs: Any, plan: Plan, hidden: int, draws: int, seed: int
) -> Iterator[list[State]]:
    """The scrambles' states, and beside them what is made of arrays over four positions."""
    x = np.asarray(inputs, np.float64)
    own = np.random.SeedSequence(seed).generate_state(SCRAMBLES)
    for state, scramble in zip(scrambles, own, strict=True):
        (layers,) = states(network, x, plan, Draws(draws // SCRAMBLES, int(scramble)))
        yield [more | layer for more, layer in zip(layers[hidden:], state, strict=True)]


def _finer(network: Network, start: Frame, ratios: np.ndarray, rtol: float) -> Network:
    """The network with two-point functions to a thousandth of `rtol`."""

    def kernels(net: Network) -> list[np.ndarray]:
        return [step.layer.state["K"] for step in chain(net, start, ratios)[0]]

    def tables(net: Network, at: list[np.ndarray]) -> list[Table]:
        return [places.moments(net.activation, k).known for places, k in zip(start.places, at, strict=True)]

    return agreeing(network, kernels, tables, rtol)[1]


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
