"""What is computed in one way for networks of every type."""

from typing import Any

from ntkfield.infinite import errors
from ntkfield.networks.base import Kernels, Network, infinite_kernel_error


@infinite_kernel_error.register
def kernel_error(network: Network, x1: Any, x2: Any = None) -> Kernels:
    """Estimated absolute errors of a network's kernel; see :meth:`ntkfield.networks.Network.kernel_error`."""
    return errors.estimate(network, lambda other, turn: errors.kernel_by_rule(other, turn, x1, x2))
