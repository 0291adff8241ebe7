"""Layers of neural-tangents for groups, in the full two-index form; needs neural-tangents."""

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
    "to_stax",
]
