"""The recursions of the tensors run through a network's layers, for one list of inputs or many that share some."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

import jax
import numpy as np

from ntkfield.finite import tensors as table
from ntkfield.finite.differentials import advance
from ntkfield.finite.layer import State, initial
from ntkfield.finite.transport import Moments, Table
from ntkfield.finite.wiring import wiring
from ntkfield.gaussian.drawn import Draws
from ntkfield.gaussian.tower import Tower
from ntkfield.networks.base import Network
from ntkfield.tensors import TENSORS

MOST_REFINED = 7  # times that the two-point functions are refined
ROUNDING = 1e-13  # of a tensor's natural size: differences this small are not errors


Given = TypeVar("Given", bound=Network)


class Plan(NamedTuple):
    """What is carried through the layers.

    Attributes:
        names: tensors.
        ratios: each step's width over the width before it, [L - 1]; see :func:`ntkfield.finite.ratios.layer_ratios`.
        families: lists of inputs in rising order, [families, m], for which arrays are made.
    """

    names: tuple[str, ...]
    ratios: np.ndarray
    families: np.ndarray


def states(network: Network, x: np.ndarray, plan: Plan, order: int | Draws) -> Iterator[list[State]]:
    """Arrays [m, ...] of the carried tensors at each layer, family by family.

    Args:
        network: of a kind that has a wiring.
        x: inputs, in the form that the network's class describes.
        plan: what to carry.
        order: of the quadratures over four inputs, or draws in their place.

    Yields:
        For each family the arrays of each layer, over the family's inputs; where the layer's legs have positions, over
        those of each input in turn.
    """
    wires = wiring(network, x)
    product, pairs, fours = wires.product, [], []
    types = table.moments(plan.names)
    for layer, mean in enumerate(wires.means):
        kernel = network.scales.kernel(product)
        pairs.append(jax.tree.map(np.asarray, dict(network.activation.two_point_moments(kernel))))
        families, moves = wires.families(plan.families, layer), wires.moves(plan.families.shape[1], layer)
        if not types:
            fours.append(iter([{}] * len(families)))
        elif isinstance(order, Draws):
            fours.append(order.four_point_families(Tower(network.activation.derivative), kernel, types, families))
        else:
            fours.append(iter(network.activation.four_point_families(kernel, types, order, families, moves)))
        product = 0.5 * (pairs[-1][0, 0] + pairs[-1][0, 0].T)
        product = product if mean is None else mean(product, TENSORS["K"].pairs)
    reduced = reductions(wires.orthogonal, plan.ratios)
    for family in range(len(plan.families)):
        rows = [wires.families(plan.families[family][None], layer)[0] for layer in range(len(wires.means) + 1)]
        start = wires.product[np.ix_(rows[0], rows[0])]
        found = [initial(plan.names, network.scales, start, 1 in wires.orthogonal)]
        for own, ratio, rho, mean, pair, four in zip(
            rows[:-1], plan.ratios, reduced, wires.means, pairs, fours, strict=True
        ):
            moments = {type_: np.asarray(value) for type_, value in next(four).items()}
            known = {orders: value[np.ix_(own, own)] for orders, value in pair.items()}
            found.append(advance(Moments(known), moments, network.scales, ratio, found[-1], rho, mean))
        yield found


def reductions(orthogonal: frozenset[int], ratios: np.ndarray) -> np.ndarray:
    r"""What orthogonal weights take from the sources of V, F and B at every step, [L - 1].

    :math:`\rho = \min(1, n_\ell/n_{\ell+1})`; 1 at the readout, whose rows are orthonormal; 0 for Gaussian weights.
    """
    shares = np.append(np.minimum(1.0, 1 / ratios[1:]), np.ones(min(len(ratios), 1)))
    return np.where([layer in orthogonal for layer in range(2, len(ratios) + 2)], shares, 0.0)


def two_point_rules(network: Given, x: np.ndarray, rtol: float) -> tuple[Given, Given]:
    """The network and a finer one whose two-point functions agree to a thousandth of `rtol`, or the finest tried."""
    plan = Plan(("K", "Theta"), np.ones(len(wiring(network, x).means)), np.arange(len(x))[None])

    def kernels(net: Network) -> list[np.ndarray]:
        return [state["K"] for state in next(states(net, x, plan, 0))[:-1]]

    def tables(net: Network, at: list[np.ndarray]) -> list[Table]:
        return [jax.tree.map(np.asarray, dict(net.activation.two_point_moments(k))) for k in at]

    return agreeing(network, kernels, tables, rtol)


def agreeing(
    network: Given,
    kernels: Callable[[Network], list[np.ndarray]],
    tables: Callable[[Network, list[np.ndarray]], list[Table]],
    rtol: float,
) -> tuple[Given, Given]:
    """The network and a finer one, as :func:`two_point_rules` chooses them.

    They are refined by themselves, since they cost no quadrature over four inputs; the change from one to the other
    shows in the errors of the tensors.

    Args:
        network: to begin with.
        kernels: K of the layers, of a network.
        tables: two-point moments at these K, of a network.
        rtol: relative error.
    """
    coarse, fine = network, network.refined()
    if fine.activation == network.activation:
        return coarse, fine
    for _ in range(MOST_REFINED):
        at = kernels(fine)
        found = [(a[key], b[key]) for a, b in zip(tables(coarse, at), tables(fine, at), strict=True) for key in a]
        if all(np.max(abs(a - b)) <= max(1e-3 * rtol, ROUNDING) * np.max(abs(b)) for a, b in found):
            break
        coarse, fine = fine, fine.refined()
    return coarse, fine
