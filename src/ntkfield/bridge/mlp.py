"""Fully connected networks as layers of neural-tangents."""

from ntkfield.bridge._neural_tangents import stax
from ntkfield.bridge.networks import parts
from ntkfield.bridge.steps import Dense
from ntkfield.networks.base import stax_layer
from ntkfield.networks.mlp import MLP


@stax_layer.register
def layers(network: MLP, width: int) -> tuple:
    """See :meth:`ntkfield.networks.Network.to_stax`."""
    sigma, options = parts(network, width)
    widths = [width] * (network.depth - 1) + [1]
    dense = [Dense(n, **options, orthogonal=number in network.orthogonal) for number, n in enumerate(widths, 1)]
    return stax.serial(*[layer for each in dense for layer in (each, sigma)][:-1])
