r"""The finite-width statistics of a network at order 1/n, as a labelled dataset."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from ntkfield import checks
from ntkfield.activations import Activation, differentiable
from ntkfield.finite import tensors as table
from ntkfield.finite.recursion import ROUNDING, Plan, finer_rungs, states, two_point_rules
from ntkfield.gaussian import multipoint
from ntkfield.networks.mlp import MLP
from ntkfield.tensors import TENSORS


def finite_width(
    network: MLP,
    inputs: Any,
    tensors: Sequence[str] | None = None,
    rtol: float = 1e-6,
    *,
    widths: Sequence[int] | None = None,
    width_ratios: Sequence[float] | None = None,
) -> xr.Dataset:
    r"""Kernels and every tensor of their statistics at order 1/n, at all layers, between all inputs.

    A tensor at layer :math:`\ell` multiplies :math:`1/n_{\ell-1}`, the width before it; at layer 1 only V of an
    orthogonal first layer is not zero, and multiplies :math:`1/\max(n_0, n_1)`. Definitions and index order:
    :mod:`ntkfield.tensors`; recursions: :mod:`ntkfield.finite.layer`.

    Args:
        network: an :class:`~ntkfield.networks.MLP`; its rates default to its variances (NTK parametrization).
        inputs: array [m, d].
        tensors: names to return, among K Theta K1 Theta1 V D F A B P Q R S T U; None stands for all that exist, which
            for an activation with a kink leaves out R, S, T, U.
        rtol: largest error allowed, relative to the largest entry of a tensor at its layer. It is estimated by
            comparing two orders of every quadrature, the coarser of which must agree with the finer to `rtol`; the
            finer is returned. Where all moments are closed forms their known error stands instead.
        widths: hidden widths :math:`n_1, \dots, n_{L-1}`; only their ratios matter, and for an orthogonal first layer
            how the first compares with d.
        width_ratios: the ratios :math:`n_\ell/n_{\ell-1}`, :math:`\ell = 2, \dots, L-1`, instead of widths. All 1 if
            neither is given. An orthogonal first layer is then taken to be at least as wide as the inputs, d.

    Returns:
        Dataset over layer (1 to L) and a1, a2 (kernels) or a1, ..., a4 (four-index tensors). K and Theta are the
        limits, not the means at a finite width, which :func:`ntkfield.sample_statistics` gives the same names. Each
        variable's attribute ``subscripts`` says which input stands on which axis ("1324" for F), ``relative_error`` is
        its estimated error, and the dataset's ``converged`` whether all are within `rtol`.

    Raises:
        ValueError: naming the field, the value and what is accepted.

    Warns:
        RuntimeWarning: if `rtol` is not met by the finest rule tried.
    """
    if not isinstance(network, MLP):
        raise checks.refuse("network", type(network).__name__, "an nf.MLP")
    x = checks.array("inputs", inputs, "m, d")
    rtol = checks.positive("rtol", rtol)
    names = _names(differentiable(network.activation), tensors)
    ratios = layer_ratios(network.depth, widths, width_ratios, x.shape[1])
    values, errors, order = _refine(network, x, names, ratios, rtol)
    missed = {name: error for name, error in errors.items() if not error <= rtol}
    if missed:
        worst = max(missed, key=lambda name: missed[name])
        warnings.warn(
            f"rtol = {rtol:g} is not met: the estimated relative error of {worst} is {missed[worst]:.1e} with the "
            + (f"finest rule tried, of order {order}" if order else "closed forms that stand for it"),
            RuntimeWarning,
            stacklevel=2,
        )
    return _dataset(network, values, errors, ratios, {"rtol": rtol, "order": order, "converged": not missed})


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


def _refine(network: MLP, x: np.ndarray, names: tuple[str, ...], ratios: np.ndarray, rtol: float) -> tuple:
    """Values, their estimated relative errors and the order used, from rules as fine as `rtol` asks."""
    plan = Plan(table.closure(names), ratios, np.arange(len(x))[None])
    if network.activation.four_point_error is not None:
        values = _solve(network, x, plan, 0)
        known = network.activation.four_point_error
        errors = {name: known * (_cancelled(name, values) if network.orthogonal else 1.0) for name in names}
        return {name: values[name] for name in names}, errors, 0
    coarse, finer = two_point_rules(network, x, rtol)
    rungs = multipoint.rungs(len(x))
    while True:
        order = rungs[0]
        fine = _solve(finer, x, plan, order[1])
        errors = _errors(_solve(coarse, x, plan, order[0]), fine)
        errors = {name: errors[name] for name in names}
        worst = max(errors.values())
        if worst <= rtol:
            break
        rungs = finer_rungs(rungs, worst, rtol)
        if not rungs:
            break
    return {name: fine[name] for name in names}, errors, order[1]


def _solve(network: MLP, x: np.ndarray, plan: Plan, order: int) -> dict[str, np.ndarray]:
    """Arrays [L, m, ...] of the plan's tensors between all inputs."""
    (found,) = states(network, x, plan, order)
    return {name: np.stack([state[name] for state in found]) for name in plan.names}


def _natural(name: str, values: dict[str, np.ndarray]) -> np.ndarray:
    """A tensor's order of magnitude at every layer, [L], from the largest K and the largest Theta."""
    k, theta = (np.max(abs(values[kernel]), axis=(1, 2)) for kernel in ("K", "Theta"))
    p, q = table.NEEDS[name].size
    return np.divide(theta**q, k**-p, where=k > 0, out=np.zeros_like(k)) if p < 0 else k**p * theta**q


def _cancelled(name: str, values: dict[str, np.ndarray]) -> float:
    """How many times smaller than its terms orthogonal weights leave a tensor, at the worst of its layers."""
    if name not in table.REDUCED:
        return 1.0
    size, natural = np.max(abs(values[name]), axis=(1, 2, 3, 4)), _natural(name, values)
    # Every layer adds the rounding of its moments of four factors, each a sum of thousands of terms.
    zero = 10 * ROUNDING * natural * np.arange(1, len(size) + 1)
    left = np.divide(natural, size, where=size > zero, out=np.ones_like(size))
    return max(1.0, float(np.max(left)))


def _errors(coarse: dict, fine: dict) -> dict[str, float]:
    """Largest difference over the largest entry, of every tensor and the worst of its layers."""
    result = {}
    for name, value in fine.items():
        axes = tuple(range(1, value.ndim))
        difference, size = (np.max(abs(y), axis=axes) for y in (value - coarse[name], value))
        difference = np.where(difference <= ROUNDING * _natural(name, fine), 0.0, difference)
        relative = np.divide(difference, size, where=size > 0, out=np.zeros_like(size))
        result[name] = max(ROUNDING, float(np.max(np.where(np.isfinite(value).all(axis=axes), relative, np.inf))))
    return result


def _dataset(network: MLP, values: dict, errors: dict, ratios: np.ndarray, attributes: dict) -> xr.Dataset:
    m = values[next(iter(values))].shape[1]
    variables = {}
    for name, value in values.items():
        dims = ("layer", *(f"a{i}" for i in range(1, value.ndim)))
        tensor = TENSORS[name]
        about = {"long_name": tensor.meaning, "description": _place(name), "units": "1"}
        about |= {"subscripts": tensor.subscripts, "relative_error": errors[name]}
        variables[name] = (dims, value, about)
    coords = {"layer": np.arange(1, network.depth + 1)} | {f"a{i}": np.arange(m) for i in range(1, 5)}
    used = {d for dims, *_ in variables.values() for d in dims}
    about = {"title": "kernels at infinite width and the coefficients of 1/n"}
    about |= {"activation": network.activation.name, "depth": network.depth, **network.scales._asdict()}
    about |= {"width_ratios": [float(r) for r in ratios[1:]], **attributes}
    if network.orthogonal:
        about |= {"orthogonal": sorted(network.orthogonal)}
    return xr.Dataset(variables, {c: v for c, v in coords.items() if c in used}, about)


def _place(name: str) -> str:
    """Where a variable stands in the expansion, for sampled ones have the same names."""
    if name in ("K", "Theta"):
        return f"limit n -> infinity; the mean at width n is {name} + {name}1/n + order 1/n^2"
    return "coefficient of 1/n at leading order, n the width before the layer"
