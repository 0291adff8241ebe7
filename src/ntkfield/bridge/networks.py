"""Networks as layers of neural-tangents."""

from typing import Any

from ntkfield import checks
from ntkfield.activations import Activation
from ntkfield.bridge._neural_tangents import stax
from ntkfield.bridge.planar import GlobalLifting, PlanarConv, PlanarLifting
from ntkfield.bridge.so3 import SO3Conv, SO3Pool, SphereLifting
from ntkfield.bridge.steps import Dense, GroupConv, GroupLifting, GroupPool
from ntkfield.groups.finite import point_group
from ntkfield.networks import MLP, GroupCNN, Network


def activation_layer(activation: Activation) -> tuple:
    """An activation as a layer of neural-tangents, with the package's own two-point functions."""

    def function(x: Any) -> Any:
        return activation(x)

    function.__name__ = activation.name
    return stax.Elementwise(
        function,
        lambda q12, q11, q22: activation.two_point(q11, q12, q22),
        lambda q12, q11, q22: activation.two_point_derivative(q11, q12, q22),
    )


def to_stax(network: Network, width: int) -> tuple:
    """``(init_fn, apply_fn, kernel_fn)`` of a network; see :meth:`ntkfield.networks.Network.to_stax`."""
    checks.whole("width", width, 1)
    scales = network.scales
    options = {
        "W_std": scales.weight_variance**0.5,
        "b_std": scales.bias_variance**0.5,
        "rates": (scales.weight_rate, scales.bias_rate),
    }
    sigma = activation_layer(network.activation)
    if isinstance(network, MLP):
        hidden = [layer for _ in range(network.depth - 1) for layer in (Dense(width, **options), sigma)]
        return stax.serial(*hidden, Dense(1, **options))
    if not isinstance(network, GroupCNN):
        raise checks.refuse("network", type(network).__name__, "an ntkfield network, nf.MLP or nf.GroupCNN")
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
