"""Networks of finite width for training, and their empirical NTK."""

import functools
import operator
from collections.abc import Callable

import jax
import jax.numpy as jnp

from ntkfield.bridge.networks import to_stax
from ntkfield.dynamics.ensembles import FiniteNetwork, Parameters
from ntkfield.groups.finite import FiniteGroup
from ntkfield.networks.base import Network


@functools.lru_cache(maxsize=64)
def finite_network(network: Network, width: int, shape: tuple[int, ...]) -> FiniteNetwork:
    """A network of finite width, with one output.

    Args:
        network: an :class:`~ntkfield.networks.MLP` or :class:`~ntkfield.networks.GroupCNN`.
        width: channels of every hidden layer.
        shape: of one input, as in (8, 8, 1) for images of one channel.

    Raises:
        ImportError: if neural-tangents is not installed.
        ValueError: naming the field, the value and what is accepted.
    """
    init_fn, apply_fn, _ = to_stax(network, width)
    return FiniteNetwork(lambda key: init_fn(key, (1, *shape))[1], apply_fn, width)


def mirrored(network: FiniteNetwork, copies: int = 1) -> FiniteNetwork:
    """Copies of one network that train side by side, each a pair: as drawn, and with the readout's sign turned.

    What is odd in the start's outputs cancels in the mean of a pair, which leaves a mean over pairs a smaller error.

    Args:
        network: whose parameters are a list of layers, the readout last, as those of an MLP.
        copies: how many pairs, of equal parameters: for as many targets.

    Returns:
        A network with the outputs [n, 2 copies], a pair's two side by side.
    """

    def init(key: jax.Array) -> Parameters:
        *hidden, readout = network.init(key)
        pair = [[*hidden, readout], [*hidden, jax.tree.map(jnp.negative, readout)]]
        return jax.tree.map(lambda *leaves: jnp.stack(leaves * copies), *pair)

    def apply(p: Parameters, x: jax.Array) -> jax.Array:
        return jax.vmap(network.apply, (0, None))(p, x)[..., 0].T

    return FiniteNetwork(init, apply, network.width)


def averaged(network: FiniteNetwork, group: FiniteGroup) -> FiniteNetwork:
    r"""An MLP whose output is the mean over all copies of an input: signals [n, points, channels] under the group.

    Args:
        network: the MLP, of points times channels inputs.
        group: of permutations of the points.
    """

    def apply(p: Parameters, x: jax.Array) -> jax.Array:
        copies = jnp.moveaxis(x[:, group.permutations], 1, 0)  # [order, n, points, channels]
        return network.apply(p, copies.reshape(-1, x[0].size)).reshape(group.order, len(x), -1).mean(axis=0)

    return FiniteNetwork(network.init, apply, network.width)


def empirical_ntk(apply: Callable[[Parameters, jax.Array], jax.Array], p: Parameters, x: jax.Array) -> jax.Array:
    r"""The NTK of one network, :math:`\nabla_\theta f(x)\cdot\nabla_\theta f(x')`, summed over outputs [n, n]."""
    jacobian = jax.jacrev(lambda q: apply(q, x))(p)
    flat = [leaf.reshape(len(x), -1) for leaf in jax.tree.leaves(jacobian)]
    return functools.reduce(operator.add, (leaf @ leaf.T for leaf in flat))
