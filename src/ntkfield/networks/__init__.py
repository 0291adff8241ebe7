"""What a network is: frozen, validated values that say nothing of how a kernel is computed."""

from ntkfield.networks.base import Kernels, Network, Scales, infinite_kernel, infinite_kernel_error, stax_layer
from ntkfield.networks.finite_group import FiniteGroupCNN
from ntkfield.networks.group_cnn import GroupCNN, family
from ntkfield.networks.mlp import MLP
from ntkfield.networks.planar import PlanarCNN
from ntkfield.networks.so3 import SphereCNN

__all__ = [
    "MLP",
    "FiniteGroupCNN",
    "GroupCNN",
    "Kernels",
    "Network",
    "PlanarCNN",
    "Scales",
    "SphereCNN",
    "family",
    "infinite_kernel",
    "infinite_kernel_error",
    "stax_layer",
]
