r"""Training on all turned copies of the data, in place of an invariant network: exact predictions at infinite width.

Gradient flow on copies weighed by :math:`1/|G|` in the loss is that of the network's own kernel between the copies,
which does not know of the orbit average; that its mean prediction is the invariant network's is a theorem. Source:
Gerken and Kessel, *Emergent Equivariance in Deep Ensembles* (ICML 2024), theorem 1; arXiv 2406.06504, section 4.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.dynamics.gradient_flow import gradient_flow
from ntkfield.groups.finite import FiniteGroup, point_group
from ntkfield.networks.base import Network
from ntkfield.networks.mlp import MLP


def turned_copies(group: str | FiniteGroup, x: Any) -> np.ndarray:
    """All copies of inputs, [order · n, ...]: every input under the first element, then under the second, and so on.

    Args:
        group: one of :data:`~ntkfield.groups.finite.PLANAR_GROUPS` for images [n, height, width, channels]; or a group
            of permutations of the points of signals [n, points, ...].
        x: the inputs.
    """
    if isinstance(group, FiniteGroup):
        inputs, acting, points = np.asarray(x, np.float64), group, np.shape(x)[1]
    else:
        inputs = checks.array("x", x, "n, height, width, channels")
        acting, points = point_group(group, *inputs.shape[1:3]), int(np.prod(inputs.shape[1:3]))
    copies = np.swapaxes(acting.orbit(inputs.reshape(len(inputs), points, -1)), 0, 1)
    return copies.reshape(-1, *inputs.shape[1:])


def augmented_flow(
    network: Network, group: str | FiniteGroup, x: Any, y: Any, queries: Any, t: Any, rate: float = 1.0
) -> jax.Array:
    r"""Mean prediction of infinitely wide networks trained on every turned copy of the data.

    Args:
        network: any network; for an :class:`~ntkfield.networks.MLP` inputs are flattened after turning.
        group: as for :func:`turned_copies`.
        x: training inputs [n, ...].
        y: targets [n] or [n, outputs].
        queries: inputs of the prediction [m, ...].
        t: time, or 1-d array of times.
        rate: learning rate; the loss weighs each of the \|G\| copies of an input by 1 / \|G\|.

    Returns:
        Predictions as those of :func:`~ntkfield.dynamics.gradient_flow.gradient_flow`.
    """
    copies, asked = turned_copies(group, x), np.asarray(queries, np.float64)
    order = len(copies) // len(x)
    if isinstance(network, MLP):
        copies, asked = copies.reshape(len(copies), -1), asked.reshape(len(asked), -1)
    targets = jnp.concatenate([jnp.asarray(y)] * order)
    return gradient_flow(network.kernel(copies).ntk, network.kernel(asked, copies).ntk, targets, t, rate / order)
