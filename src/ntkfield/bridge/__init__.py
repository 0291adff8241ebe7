"""Layers of neural-tangents for groups, in the full two-index form; needs neural-tangents.

`neural_tangents` and `stax` are offered here because a bare ``import neural_tangents`` fails where this module has not
been imported before: it puts right what neural-tangents asks of its surroundings.
"""

from ntkfield.bridge._neural_tangents import neural_tangents, stax
from ntkfield.bridge.networks import activation_layer, to_stax
from ntkfield.bridge.planar import GlobalLifting, PlanarConv, PlanarLifting
from ntkfield.bridge.so3 import SO3Conv, SO3Pool, SphereLifting
from ntkfield.bridge.steps import Dense, GroupConv, GroupLifting, GroupPool

__all__ = [
    "Dense",
    "GlobalLifting",
    "GroupConv",
    "GroupLifting",
    "GroupPool",
    "PlanarConv",
    "PlanarLifting",
    "SO3Conv",
    "SO3Pool",
    "SphereLifting",
    "activation_layer",
    "neural_tangents",
    "stax",
    "to_stax",
]
