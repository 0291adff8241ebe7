"""What a network is: frozen, validated values that say nothing of how a kernel is computed."""

from ntkfield.networks.base import Kernels, Network, Scales, infinite_kernel, stax_layer
from ntkfield.networks.group_cnn import GroupCNN
from ntkfield.networks.mlp import MLP

__all__ = ["MLP", "GroupCNN", "Kernels", "Network", "Scales", "infinite_kernel", "stax_layer"]
