"""The wiring of networks over a finite group: positions are its elements g, which a step h takes to gh."""

from typing import Any

import numpy as np

from ntkfield.finite.wiring import Wiring, pooled, products, tied, wiring
from ntkfield.groups.finite import FiniteGroup
from ntkfield.infinite.finite_group import signals
from ntkfield.networks.finite_group import FiniteGroupCNN
from ntkfield.networks.group_cnn import GroupCNN


@wiring.register
def finite_group(network: FiniteGroupCNN, inputs: Any) -> Wiring:
    r"""See :mod:`ntkfield.finite.wiring`; signals [n, \|X\|, channels]."""
    group = network.group
    return over_group(network, group, signals(group, "inputs", inputs), network.reached, network.steps)


def over_group(network: GroupCNN, group: FiniteGroup, x: np.ndarray, reached: np.ndarray, steps: np.ndarray) -> Wiring:
    """The wiring of a network over a finite group.

    Args:
        network: its depth and head.
        group: of permutations.
        x: signals [n, points, channels].
        reached: points that the lifting filter reaches.
        steps: elements that the other filters reach.
    """
    tie, pool = tied(group.products[:, steps], group.order), pooled(group.order)
    return Wiring(
        product=products(x[:, group.permutations[:, reached]]),
        positions=(group.order,) * network.depth + (1,) * (1 + network.head),
        means=(tie,) * (network.depth - 1) + (pool,) + (None,) * network.head,
        hidden=network.depth,
        labels={"element": np.arange(group.order)},
        symmetry=(_symmetry(group, reached, steps),) * network.depth,
    )


def _symmetry(group: FiniteGroup, reached: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Translations of positions, g to gk, by all k with kS = S and kTk^-1 = T, which leave every tensor as it is."""
    kept = [
        k
        for k in range(group.order)
        if np.array_equal(np.sort(group.permutations[k, reached]), reached)
        and np.array_equal(np.sort(group.products[group.products[k, steps], group.inverses[k]]), steps)
    ]
    return group.products[:, kept].T
