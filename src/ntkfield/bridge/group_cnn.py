"""Group-convolutional networks as layers of neural-tangents."""

from typing import Any

from ntkfield.bridge._neural_tangents import stax
from ntkfield.bridge.networks import parts
from ntkfield.bridge.planar import GlobalLifting, PlanarConv, PlanarLifting
from ntkfield.bridge.so3 import SO3Conv, SO3Pool, SphereLifting
from ntkfield.bridge.steps import Dense, GroupConv, GroupLifting, GroupPool
from ntkfield.groups.finite import point_group
from ntkfield.networks import GroupCNN, stax_layer


@stax_layer.register
def layers(network: GroupCNN, width: int) -> tuple:
    """See :meth:`ntkfield.networks.Network.to_stax`."""
    sigma, options = parts(network, width)
    lifting, convolution, pooling = _group_layers(network, width, options)
    convolutions = [layer for _ in range(network.depth - 1) for layer in (convolution, sigma)]
    widths = [width] * network.head + [1]
    head = [layer for out in widths for layer in (Dense(out, **options), sigma)][:-1]
    return stax.serial(lifting, sigma, *convolutions, pooling, *head)


def _group_layers(network: GroupCNN, width: int, options: dict[str, Any]) -> tuple[tuple, tuple, tuple]:
    """The lifting, a later convolution, and the pooling."""
    if network.kind == "so3":
        lift = SphereLifting(width, network.bandlimit, network.quadrature, network.sampling, **options)
        return lift, SO3Conv(width, network.quadrature, **options), SO3Pool(network.quadrature)
    if network.kind == "finite":
        lift = GroupLifting(network.group, width, network.support, **options)
        return lift, GroupConv(network.group, width, network.group_support, **options), GroupPool()
    if not network.is_local:
        lift = GlobalLifting(network.group, width, **options)
        return lift, GroupConv(point_group(network.group, 2, 2), width, **options), GroupPool()
    form = (network.group, width, network.filter_shape, network.padding)
    return PlanarLifting(*form, **options), PlanarConv(*form, **options), GroupPool()
