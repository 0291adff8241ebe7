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
    hidden = [layer for _ in range(network.depth - 1) for layer in (Dense(width, **options), sigma)]
    return stax.serial(*hidden, Dense(1, **options))
