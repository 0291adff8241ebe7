r"""The finite-width statistics of a network at order 1/n, as a labelled dataset."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from ntkfield import checks
from ntkfield.activations import Activation, differentiable
from ntkfield.finite import draws as channels
from ntkfield.finite import tensors as table
from ntkfield.finite.layer import State
from ntkfield.finite.recursion import ROUNDING, Plan, finer_rungs, states, two_point_rules
from ntkfield.finite.wiring import Wiring, wiring
from ntkfield.gaussian import multipoint
from ntkfield.networks.base import Network
from ntkfield.tensors import KERNELS, TENSORS

MOST_BYTES = 2**32  # of the arrays of a call: beyond, no machine of today makes their quadratures in minutes either


def finite_width(
    network: Network,
    inputs: Any,
    tensors: Sequence[str] | None = None,
    rtol: float = 1e-6,
    *,
    widths: Sequence[int] | None = None,
    width_ratios: Sequence[float] | None = None,
    draws: int | None = None,
    seed: int = 0,
) -> xr.Dataset:
    r"""Kernels and every tensor of their statistics at order 1/n, at all layers, between all inputs.

    A tensor at layer :math:`\ell` multiplies :math:`1/n_{\ell-1}`, the width before it; at layer 1 only V of an
    orthogonal first layer is not zero, and multiplies :math:`1/\max(n_0, n_1)`. Definitions and index order:
    :mod:`ntkfield.tensors`; recursions: :mod:`ntkfield.finite.layer`, and for convolutions
    :mod:`ntkfield.finite.wiring`. The arrays are over all positions of all inputs. An MLP has one for each, a hidden
    layer over a finite group G has :math:`|G|`, one with local filters on images as many times its pixels: arrays of
    :math:`8 (m|G|)^4` bytes, and a quadrature for every four positions that symmetry leaves distinct.

    Args:
        network: an :class:`~ntkfield.networks.MLP`, or a :class:`~ntkfield.networks.GroupCNN` of a finite group or on
            images; its rates default to its variances (NTK parametrization).
        inputs: array [m, d] for an MLP, signals [m, points, channels] for a finite group, images [m, height, width,
            channels].
        tensors: names to return, among K Theta K1 Theta1 V D F A B P Q R S T U; None stands for all that exist, which
            for an activation with a kink leaves out R, S, T, U.
        rtol: largest error allowed, relative to the largest entry of a tensor at its layer. It is estimated by
            comparing two orders of every quadrature, the coarser of which must agree with the finer to `rtol`; the
            finer is returned. Where all moments are closed forms their known error stands instead.
        widths: hidden widths :math:`n_1, \dots, n_{L-1}`, in channels; only their ratios matter, and for an orthogonal
            first layer how the first compares with d.
        width_ratios: the ratios :math:`n_\ell/n_{\ell-1}`, :math:`\ell = 2, \dots, L-1`, instead of widths. All 1 if
            neither is given. An orthogonal first layer is then taken to be at least as wide as the inputs, d.
        draws: take K1, Theta1, V, D, F, A and B as means over so many draws of one channel of each layer
            (:mod:`ntkfield.finite.draws`), a power of two, 32 or above: each with a standard error, from
            :math:`8 (m|G|)^2` bytes a draw and no quadrature over four inputs. Not for orthogonal weights.
        seed: of the draws.

    Returns:
        Dataset over layer (1 to L) and a1, a2 (kernels) or a1, ..., a4 (four-index tensors). K and Theta are the
        limits, not the means at a finite width, which :func:`ntkfield.sample_statistics` gives the same names. Each
        variable's attribute ``subscripts`` says which input stands on which axis ("1324" for F), ``relative_error`` is
        its estimated error, and the dataset's ``converged`` whether all are within `rtol`.

        Of a group network the layers are the readout and those of its head, whose legs are inputs: ``isel(layer=-1)``
        is the output of any network. The legs of its convolutions are positions, those of the first input, then those
        of the next: ``V_hidden`` and so on, over hidden (layers from 1) and p1, ..., p4, with coordinates that say
        which input (``p1_input``), which element of the group (``p1_element``) and, for local filters on images, which
        pixel (``p1_pixel``) a position is. With "VALID" padding no array would hold layers of several sizes: the
        output alone is given, unless there is but one convolution.

        With `draws` there are the readout and the layers behind it alone, and for each tensor X its standard errors
        ``X_error``; ``relative_error`` is the largest of them over the largest entry, and `rtol` is asked of the
        two-point functions.

    Raises:
        ValueError: naming the field, the value and what is accepted.

    Warns:
        RuntimeWarning: if `rtol` is not met by the finest rule tried.
    """
    wires = wiring(network, inputs)
    x = np.asarray(inputs, np.float64)
    rtol = checks.positive("rtol", rtol)
    ratios = layer_ratios(len(wires.positions), widths, width_ratios, x.shape[-1])
    if draws is not None:
        return _by_draws(network, x, wires, tensors, ratios, rtol, draws, seed)
    names = _names(differentiable(network.activation), tensors)
    plan = Plan(table.closure(names), ratios, np.arange(len(x))[None])
    check_size(plan, wires, len(x))
    values, errors, order = _refine(network, x, wires, plan, names, rtol)
    missed = {name: error for name, error in errors.items() if not error <= rtol}
    if missed:
        worst = max(missed, key=lambda name: missed[name])
        warnings.warn(
            f"rtol = {rtol:g} is not met: the estimated relative error of {worst} is {missed[worst]:.1e} with the "
            + (f"finest rule tried, of order {order}" if order else "closed forms that stand for it"),
            RuntimeWarning,
            stacklevel=2,
        )
    about = {"rtol": rtol, "order": order, "converged": not missed}
    return _dataset(network, wires, values, errors, ratios, about)


def _by_draws(
    network: Network,
    x: np.ndarray,
    wires: Wiring,
    tensors: Sequence[str] | None,
    ratios: np.ndarray,
    rtol: float,
    count: int,
    seed: int,
) -> xr.Dataset:
    """What :func:`finite_width` gives with `draws`."""
    names = channels.NAMES if tensors is None else table.wanted(tensors)
    for name in set(names) - set(channels.NAMES):
        raise checks.refuse("tensors", name, f"names among {', '.join(channels.NAMES)} with draws")
    if checks.whole("draws", count, 2 * channels.SCRAMBLES) & (count - 1):
        raise checks.refuse("draws", count, f"a power of two, {2 * channels.SCRAMBLES} or above")
    if wires.orthogonal:
        raise checks.refuse("draws", count, "None with orthogonal weights, whose channels are not independent")
    channels.check_size(wires, len(x))
    finer = two_point_rules(network, x, rtol)[1]
    replicates = list(channels.replicates(finer, wires, names, ratios, count, checks.whole("seed", seed, 0)))
    values, spreads = [], []
    for layers in zip(*replicates, strict=True):
        every = {name: np.stack([layer[name] for layer in layers]) for name in layers[0]}
        values.append({name: array.mean(axis=0) for name, array in every.items()})
        spreads.append({name: array.std(axis=0, ddof=1) / len(array) ** 0.5 for name, array in every.items()})
    largest = {name: max(_error_of_mean(name, *layer) for layer in zip(values, spreads, strict=True)) for name in names}
    hidden = [{}] * wires.hidden
    found = _dataset(network, wires, hidden + values, largest, ratios, {"rtol": rtol, "draws": count, "seed": seed})
    for name in set(names) - {"K", "Theta"}:
        about = {"long_name": f"standard error of {name}", "units": "1"}
        found[f"{name}_error"] = found[name].dims, np.stack([layer[name] for layer in spreads]), about
    return found


def _error_of_mean(name: str, value: State, spread: State) -> float:
    """Largest standard error over the largest entry, of one tensor at one layer."""
    size = float(np.max(abs(value[name])))
    return float(np.max(spread[name])) / size if size > 0 else 0.0


def _names(activation: Activation, given: Sequence[str] | None) -> tuple[str, ...]:
    names = table.wanted(given)
    if activation.smooth:
        return names
    infinite = [name for name in names if name in table.SECOND_DERIVATIVES]
    if given is not None and infinite:
        reason = f"tensors other than R, S, T, U for {activation.name}, whose kink makes them infinite at equal inputs"
        raise checks.refuse("tensors", ", ".join(infinite), reason)
    return tuple(name for name in names if name not in infinite)


def layer_ratios(
    depth: int, widths: Sequence[float] | None, ratios: Sequence[float] | None, dimension: int, last: float = np.inf
) -> np.ndarray:
    """Ratio of each step's width to the width before it, [L - 1].

    The first, which matters for an orthogonal first layer alone, is that of the first width to the larger of it and the
    inputs' `dimension`; it is 1 where neither `widths` nor the `last` hidden width are given.
    """
    hidden, count = depth - 1, max(depth - 2, 0)
    if widths is not None and ratios is not None:
        raise checks.refuse("width_ratios", ratios, "None beside widths")
    if widths is not None:
        n = _lengths("widths", widths, hidden, f"{hidden} hidden widths for depth {depth}")
        first, others = n[:1], n[1:] / n[:-1]
    else:
        given = [1.0] * count if ratios is None else ratios
        others = _lengths("width_ratios", given, count, f"{count} ratios for depth {depth}")
        first = np.full(min(hidden, 1), last / np.prod(others))
    return np.concatenate([np.minimum(1.0, first / dimension), others])


def _lengths(field: str, values: Sequence[float], count: int, accepted: str) -> np.ndarray:
    if not hasattr(values, "__len__") or len(values) != count:
        raise checks.refuse(field, values, accepted)
    return np.array([checks.positive(field, value) for value in values])


def check_size(plan: Plan, wires: Wiring, m: int) -> None:
    """Refuse what no memory holds of m inputs: twice the tensors at every layer, and the moments of one.

    Raises:
        ValueError: saying how many would fit.
    """
    held = len(set(plan.names) - set(KERNELS))
    positions = max(wires.positions)
    arrays = 2 * held * len(wires.positions) + len(table.moments(plan.names))
    size = 8 * arrays * (m * positions) ** 4
    if held and size > MOST_BYTES:
        most = int((MOST_BYTES / (8 * arrays)) ** 0.25)
        what = "inputs" if positions == 1 else "inputs times positions"
        value = m if positions == 1 else f"{m} x {positions}"
        accepted = f"at most {most} for these tensors: {arrays} arrays of 8 {what}^4 bytes, {size / 2**30:.0f} GiB here"
        accepted += ", or draws, which need none of them but for P to U"
        raise checks.refuse(f"number of {what}", value, accepted)


def _refine(network: Network, x: np.ndarray, wires: Wiring, plan: Plan, names: tuple[str, ...], rtol: float) -> tuple:
    """States of all layers, estimated relative errors and the order used, from rules as fine as `rtol` asks."""
    if network.activation.four_point_error is not None:
        values, known = _solve(network, x, plan, 0), network.activation.four_point_error
        return values, {name: known * (_cancelled(name, values) if wires.orthogonal else 1.0) for name in names}, 0
    coarse, finer = two_point_rules(network, x, rtol)
    rungs = multipoint.rungs(len(x) * max(wires.positions), len(wires.symmetry[0]) if wires.hidden else 1)
    while True:
        order = rungs[0]
        fine = _solve(finer, x, plan, order[1])
        errors = _errors(_solve(coarse, x, plan, order[0]), fine, names)
        worst = max(errors.values())
        if worst <= rtol:
            break
        rungs = finer_rungs(rungs, worst, rtol)
        if not rungs:
            break
    return fine, errors, order[1]


def _solve(network: Network, x: np.ndarray, plan: Plan, order: int) -> list[State]:
    """Arrays [m, ...] of the plan's tensors between all inputs, at each layer."""
    (found,) = states(network, x, plan, order)
    return found


def _natural(name: str, state: State) -> float:
    """A tensor's order of magnitude at one layer, from the largest K and the largest Theta."""
    k, theta = (float(np.max(abs(state[kernel]))) for kernel in ("K", "Theta"))
    p, q = table.NEEDS[name].size
    return k**p * theta**q if p >= 0 or k > 0 else 0.0


def _cancelled(name: str, values: list[State]) -> float:
    """How many times smaller than its terms orthogonal weights leave a tensor, at the worst of its layers."""
    if name not in table.REDUCED:
        return 1.0
    left = [1.0]
    for layer, state in enumerate(values, 1):
        size, natural = float(np.max(abs(state[name]))), _natural(name, state)
        # Every layer adds the rounding of its moments of four factors, each a sum of thousands of terms.
        if size > 10 * ROUNDING * natural * layer:
            left.append(natural / size)
    return max(left)


def _errors(coarse: list[State], fine: list[State], names: tuple[str, ...]) -> dict[str, float]:
    """Largest difference over the largest entry, of every tensor and the worst of its layers."""
    return {name: max(_error(name, *layers) for layers in zip(coarse, fine, strict=True)) for name in names}


def _error(name: str, coarse: State, fine: State) -> float:
    """The same for one tensor at one layer."""
    difference, size = (float(np.max(abs(y))) for y in (fine[name] - coarse[name], fine[name]))
    if not np.isfinite(fine[name]).all():
        return np.inf
    if difference <= ROUNDING * _natural(name, fine) or size == 0:
        return ROUNDING
    return max(ROUNDING, difference / size)


def _dataset(
    network: Network, wires: Wiring, values: list[State], errors: dict, ratios: np.ndarray, attributes: dict
) -> xr.Dataset:
    m = len(values[-1]["K"])
    variables, coords = {}, {"layer": np.arange(wires.hidden, len(values)) + 1}
    coords |= {f"a{i}": np.arange(m) for i in range(1, 5)}
    stages = [("", "layer", "a", values[wires.hidden :])]
    hidden = values[: wires.hidden]
    if all(hidden) and len(set(wires.positions[: wires.hidden])) == 1:  # else no array holds them all
        stages.append(("_hidden", "hidden", "p", hidden))
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
    if wires.orthogonal:
        about |= {"orthogonal": sorted(wires.orthogonal)}
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
    if name in ("K", "Theta"):
        return f"limit n -> infinity; the mean at width n is {name} + {name}1/n + order 1/n^2"
    return "coefficient of 1/n at leading order, n the width before the layer"
