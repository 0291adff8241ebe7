"""Kernels of group-convolutional networks: each family of groups by its own route."""

from typing import Any

from ntkfield.infinite import finite_group, planar, so3
from ntkfield.networks import GroupCNN, Kernels, infinite_kernel

_ROUTES = {"so3": so3.kernel, "planar": planar.kernel, "finite": finite_group.kernel}


@infinite_kernel.register
def kernel(network: GroupCNN, x1: Any, x2: Any = None) -> Kernels:
    """NNGP and NTK; see :class:`ntkfield.networks.GroupCNN` for the form of the inputs."""
    return _ROUTES[network.kind](network, x1, x2)
