r"""What every network has: variances, rates, and a kernel that the floor above computes.

The words and defaults are those of the NTK parametrization: unit-normal parameters scaled by
``weight_variance`` :math:`C_W` and ``bias_variance`` :math:`C_b`; the rates :math:`\lambda_W, \lambda_b` weigh each
parameter's share of the NTK and default to the variances. ``weight_rate=1, bias_rate=0`` is the convention of the
diagram literature (arXiv 2508.11522).
"""

import dataclasses
from typing import Any, ClassVar, NamedTuple, Self

from ntkfield import checks
from ntkfield.activations import activation
from ntkfield.checks import Array
from ntkfield.networks.fields import ActivationField
from ntkfield.networks.routes import route


class Kernels(NamedTuple):
    """Infinite-width kernels of one network between two sets of inputs, arrays [n1, n2]."""

    nngp: Array
    ntk: Array


class Scales(NamedTuple):
    r"""Variances and rates :math:`C_W, C_b, \lambda_W, \lambda_b`: what a compiled kernel takes as numbers."""

    weight_variance: float
    bias_variance: float
    weight_rate: float
    bias_rate: float

    def kernel(self, product: Any) -> Any:
        r"""Covariance :math:`C_b + C_W \langle\sigma\sigma\rangle` of a weight layer's outputs.

        Args:
            product: mean products of its inputs, or their expectation.
        """
        return self.bias_variance + self.weight_variance * product

    def ntk(self, product: Any, through: Any = 0.0) -> Any:
        r"""NTK :math:`\lambda_b+\lambda_W\langle\sigma\sigma\rangle+C_W\Theta\langle\sigma'\sigma'\rangle` of them.

        Args:
            product: mean products of its inputs, or their expectation.
            through: the NTK of its inputs: of the layer before, times the expectation of the slopes' product.
        """
        return self.bias_rate + self.weight_rate * product + self.weight_variance * through


class Network:
    """What every network offers; each is a frozen dataclass that has at least these fields."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    depth: int
    activation: ActivationField
    axes: ClassVar[str] = ""
    """Those of its inputs, as :func:`ntkfield.checks.array` takes them; empty where they are no plain array."""

    @property
    def weight_layers(self) -> int:
        """How many layers of weights it has."""
        return self.depth

    @property
    def scales(self) -> Scales:
        """The network's variances and rates."""
        return Scales(*(getattr(self, field) for field in Scales._fields))

    def kernel(self, x1: Any, x2: Any = None) -> Kernels:
        """NNGP and NTK at infinite width between inputs `x1` and `x2` (`x1` again if not given).

        Args:
            x1: inputs, in the form that the network's class describes.
            x2: likewise.

        Returns:
            Kernels with arrays [n1, n2].

        Raises:
            ValueError: naming the field, the value and what is accepted.
        """
        return infinite_kernel(self, x1, x2)

    def refined(self) -> Self:
        """The same network with a finer rule for its activation's expectations; itself where they are exact."""
        return dataclasses.replace(self, activation=self.activation.refined())

    def kernel_error(self, x1: Any, x2: Any = None) -> Kernels:
        """Estimated absolute errors of :meth:`kernel`, elementwise; zero where it is exact but for rounding.

        An activation without a closed form adds the kernel's change under :meth:`refined` times the activation's
        :attr:`~ntkfield.activations.Activation.caution`; a quadrature over rotations adds twice the largest change
        under three other rules (:mod:`ntkfield.infinite.errors` says why). It is an estimate and no bound: between
        atoms of molecules it held for all but 2 entries of 10,000.

        The cost is that of the kernel itself, of 1.5 more for such an activation, and for group "so3" of some 5 more:
        6 at ``quadrature`` 6, 4 at 12.
        """
        return infinite_kernel_error(self, x1, x2)

    def to_stax(self, width: int) -> tuple:
        """The same network at finite width, with one output, as a layer of neural-tangents.

        Args:
            width: number of channels of every hidden layer.

        Returns:
            ``(init_fn, apply_fn, kernel_fn)``; ``apply_fn(params, x)`` gives [n, 1], and ``kernel_fn(x1, x2)`` computes
            :meth:`kernel` by the full two-index recursion. For group "so3" its inputs are samples on the network's
            grid, and it agrees with :meth:`kernel` to the error of a band-limited hidden layer.

        Raises:
            ImportError: if neural-tangents is not installed.
            ValueError: naming the field, the value and what is accepted.
        """
        return stax_layer(self, width)


@route("infinite")
def infinite_kernel(network: Network, x1: Any, x2: Any = None) -> Kernels:
    """The route that computes `network`'s kernel."""
    raise unknown(network)


@route("infinite")
def infinite_kernel_error(network: Network, x1: Any, x2: Any = None) -> Kernels:
    """The estimate of the error of `network`'s kernel."""
    raise unknown(network)


@route("bridge")
def stax_layer(network: Network, width: int) -> tuple:
    """The route to `network` as a layer of neural-tangents."""
    raise unknown(network)


def unknown(network: object) -> ValueError:
    """The error to raise for what is no network, or one that a route does not know."""
    return checks.refuse("network", type(network).__name__, "an ntkfield network, nf.MLP or nf.GroupCNN")


def settle(network: Any) -> None:
    """Check the fields that all networks share and replace None and names by what they stand for."""
    settled = {
        "depth": checks.whole("depth", network.depth, 1),
        "activation": activation(network.activation),
        "weight_variance": checks.positive("weight_variance", network.weight_variance),
        "bias_variance": checks.non_negative("bias_variance", network.bias_variance),
    }
    for rate, variance in (("weight_rate", "weight_variance"), ("bias_rate", "bias_variance")):
        given = getattr(network, rate)
        settled[rate] = settled[variance] if given is None else checks.non_negative(rate, given)
    for field, value in settled.items():
        object.__setattr__(network, field, value)
