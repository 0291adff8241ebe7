"""Networks of finite width for training, and their empirical NTK."""

import functools
import operator
from collections.abc import Callable

import jax

from ntkfield.bridge.networks import to_stax
from ntkfield.dynamics.ensembles import FiniteNetwork, Parameters
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


def empirical_ntk(apply: Callable[[Parameters, jax.Array], jax.Array], p: Parameters, x: jax.Array) -> jax.Array:
    r"""The NTK of one network, :math:`\nabla_\theta f(x)\cdot\nabla_\theta f(x')`, summed over outputs [n, n]."""
    jacobian = jax.jacrev(lambda q: apply(q, x))(p)
    flat = [leaf.reshape(len(x), -1) for leaf in jax.tree.leaves(jacobian)]
    return functools.reduce(operator.add, (leaf @ leaf.T for leaf in flat))
