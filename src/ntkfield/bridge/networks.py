"""What the layers of every network are made of."""

from collections.abc import Callable
from typing import Any

from ntkfield import checks
from ntkfield.activations import Activation
from ntkfield.bridge._neural_tangents import stax
from ntkfield.bridge.steps import Dense
from ntkfield.networks.base import Network, stax_layer
from ntkfield.networks.group_cnn import GroupCNN


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
    return stax_layer(network, width)


def parts(network: Network, width: int) -> tuple[tuple, dict[str, Any]]:
    """The network's activation as a layer, and the arguments that its layers of weights share.

    Raises:
        ValueError: for a width that is not a whole number, 1 or above.
    """
    checks.whole("width", width, 1)
    scales = network.scales
    options = {
        "W_std": scales.weight_variance**0.5,
        "b_std": scales.bias_variance**0.5,
        "rates": (scales.weight_rate, scales.bias_rate),
    }
    return activation_layer(network.activation), options


def stacked(network: GroupCNN, width: int, make: Callable[[dict[str, Any]], tuple[tuple, tuple, tuple]]) -> tuple:
    """A group-convolutional network as one layer.

    Args:
        network: of any family.
        width: channels of every hidden layer.
        make: the lifting, a later convolution and the pooling, from the arguments that layers of weights share.
    """
    sigma, options = parts(network, width)
    lifting, convolution, pooling = make(options)
    convolutions = [layer for _ in range(network.depth - 1) for layer in (convolution, sigma)]
    widths = [width] * network.head + [1]
    head = [layer for out in widths for layer in (Dense(out, **options), sigma)][:-1]
    return stax.serial(lifting, sigma, *convolutions, pooling, *head)
