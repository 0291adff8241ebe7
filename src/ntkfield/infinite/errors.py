r"""How far an infinite-width kernel may be off: what other rules for the same kernel make of it.

Two things are not exact. An activation without a closed form has a series, whose error is its change under a finer
one times the activation's :attr:`~ntkfield.activations.Activation.caution`. And a network on SO(3) is a mean over
rotations, taken by a quadrature. Its kernel :math:`\theta` does not change when one of two signals is turned, but the
quadrature then meets other rotations of the pair and makes another error, which averages to zero over all turns. So
the kernel :math:`k_0` is compared with rules that differ from its own in order and in turn,

.. math:: |k_0 - \theta| \le 2\max_r |k_0 - k_r| \quad\text{unless}\quad
   |k_r - \theta| > \tfrac12 |k_0 - \theta|\ \text{for every rule}\ r,

which is where the factor comes from. One finer rule alone does not do: its error can be as large as that of
:math:`k_0` and cancel it in the difference. Three independent errors seldom do so together: in 2 entries of 10,000,
between atoms of small molecules at orders 6 to 10, depths 1 to 3, relu, gelu and erf. There the estimate is 2.2 times
the error in the median and 5 times at the ninth decile. Rounding, some 1e-13 of the largest kernel, comes on top.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from ntkfield.networks.base import Kernels, Network, infinite_kernel
from ntkfield.networks.routes import route

SAFETY = 2.0
Turn = tuple[float, float, float]
"""Euler angles zyz in radians by which the second signal of every pair is turned, which changes only rounding and the
quadrature's error."""
Rule = tuple[Network, Turn | None]
"""A network whose kernel is the same but for the error of its approximations, and how its second signals are turned."""


@route("infinite")
def other_rules(network: Network) -> list[Rule]:
    """Rules whose quadratures differ from the network's own; none where it takes no quadrature."""
    return []


@route("infinite")
def kernel_by_rule(network: Network, turn: Turn | None, x1: Any, x2: Any = None) -> Kernels:
    """The kernel of `network`, the second signals turned if it has signals to turn."""
    return infinite_kernel(network, x1, x2)


def estimate(network: Network, kernels: Callable[[Network, Turn | None], Any], value: Any = None) -> Any:
    """Estimated absolute errors of anything that small errors of a network's kernels change linearly.

    Args:
        network: whose approximations are judged.
        kernels: arrays, or a tree of them, made with a given network and turn of the second signals.
        value: what `kernels` gives for the network itself, where it is known already.

    Returns:
        The same tree.
    """
    value, finer = kernels(network, None) if value is None else value, network.refined()
    judged = [(network.activation.caution, [(finer, None)] if finer != network else []), (SAFETY, other_rules(network))]
    parts = [jax.tree.map(lambda k: 0.0 * k, value)]
    for factor, rules in judged:
        changes = [jax.tree.map(lambda x, y, c=factor: c * abs(x - y), kernels(*rule), value) for rule in rules]
        parts += [jax.tree.map(lambda *change: np.max(change, axis=0), *changes)] if changes else []
    return jax.tree.map(lambda *part: sum(part), *parts)
