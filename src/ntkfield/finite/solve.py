r"""The finite-width statistics of a network at order 1/n, as a labelled dataset."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from ntkfield import checks
from ntkfield.activations import differentiable
from ntkfield.finite import tensors as table
from ntkfield.finite.by_draws import by_draws
from ntkfield.finite.labels import dataset
from ntkfield.finite.layer import State
from ntkfield.finite.ratios import layer_ratios
from ntkfield.finite.recursion import ROUNDING, Plan, states, two_point_rules
from ntkfield.finite.room import check_arrays
from ntkfield.finite.wiring import Wiring, wiring
from ntkfield.gaussian.rungs import Rung, climb
from ntkfield.networks.base import Network


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
        network: an :class:`~ntkfield.networks.MLP`, or a :class:`~ntkfield.networks.GroupCNN` of a finite group, on
            images or, with `draws`, on the sphere; its rates default to its variances (NTK parametrization).
        inputs: array [m, d] for an MLP, signals [m, points, channels] for a finite group, images [m, height, width,
            channels], for the sphere what the network's kernel takes.
        tensors: names to return, among K Theta K1 Theta1 V D F A B P Q R S T U; None stands for all that exist, which
            for an activation with a kink leaves out R, S, T, U.
        rtol: largest error allowed, relative to the largest entry of a tensor at its layer. It is estimated by
            comparing two orders of every quadrature, the coarser of which must agree with the finer to `rtol`; the
            finer is returned. Where all moments are closed forms their known error stands instead.
        widths: hidden widths :math:`n_1, \dots, n_{L-1}`, in channels; only their ratios matter, and for an orthogonal
            first layer how the first compares with d.
        width_ratios: the ratios :math:`n_\ell/n_{\ell-1}`, :math:`\ell = 2, \dots, L-1`, instead of widths. All 1 if
            neither is given. An orthogonal first layer is then taken to be at least as wide as the inputs, d.
        draws: take the tensors as means over so many draws of one channel of each layer, a power of two, 32 or above,
            each with a standard error and without a quadrature over four inputs. K1, Theta1, V, D, F, A and B, which
            None for `tensors` then stands for, take :math:`8 (m|G|)^2` bytes a draw (:mod:`ntkfield.finite.draws`);
            P to U the arrays over four positions (:mod:`ntkfield.gaussian.drawn`). Not for orthogonal weights, and on
            the sphere without P to U.
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
        two-point functions. On the sphere a hidden layer keeps the degrees on SO(3) below the network's
        ``quadrature``, and the attribute ``left_out`` is the largest share of a layer's variance that they lack: the
        error that this adds is of its order, and a larger quadrature shows it.

    Raises:
        ValueError: naming the field, the value and what is accepted.

    Warns:
        RuntimeWarning: if `rtol` is not met by the finest rule tried, or if ``left_out`` is above 0.01.
    """
    rtol = checks.positive("rtol", rtol)
    if draws is not None:
        return by_draws(network, inputs, tensors, rtol, (widths, width_ratios), draws, seed)
    wires = wiring(network, inputs)
    x = np.asarray(inputs, np.float64)
    ratios = layer_ratios(len(wires.positions), widths, width_ratios, x.shape[-1])
    names = table.existing(differentiable(network.activation), tensors)
    plan = Plan(table.closure(names), ratios, np.arange(len(x))[None])
    check_arrays(plan, wires, len(x))
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
    if wires.orthogonal:
        about |= {"orthogonal": sorted(wires.orthogonal)}
    return dataset(network, values, errors, ratios, about, wires.hidden, wires)


def _refine(network: Network, x: np.ndarray, wires: Wiring, plan: Plan, names: tuple[str, ...], rtol: float) -> tuple:
    """States of all layers, estimated relative errors and the order used, from rules as fine as `rtol` asks."""
    if network.activation.four_point_error is not None:
        values, known = _solve(network, x, plan, 0), network.activation.four_point_error
        return values, {name: known * (_cancelled(name, values) if wires.orthogonal else 1.0) for name in names}, 0
    coarse, finer = two_point_rules(network, x, rtol)

    def tried(rung: Rung) -> tuple[tuple[list[State], dict[str, float]], float]:
        fine = _solve(finer, x, plan, rung[1])
        errors = _errors(_solve(coarse, x, plan, rung[0]), fine, names)
        return (fine, errors), max(errors.values())

    (_, order), (fine, errors), _ = climb(wires.rungs(len(x)), tried, rtol)
    return fine, errors, order


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
