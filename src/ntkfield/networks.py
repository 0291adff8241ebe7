r"""What a network is: frozen, validated values that say nothing of how a kernel is computed.

The words and defaults are those of the NTK parametrization: unit-normal parameters scaled by
``weight_variance`` :math:`C_W` and ``bias_variance`` :math:`C_b`; the rates :math:`\lambda_W, \lambda_b` weigh each
parameter's share of the NTK and default to the variances. ``weight_rate=1, bias_rate=0`` is the convention of the
diagram literature (arXiv 2508.11522).
"""

import dataclasses
import functools
from typing import Any, NamedTuple

import jax

from ntkfield import checks
from ntkfield.activations import Activation, activation
from ntkfield.signals.harmonics import SAMPLINGS

PLANAR_GROUPS = ("c1", "c4", "d4")
GROUPS = ("so3", *PLANAR_GROUPS)


class Kernels(NamedTuple):
    """Infinite-width kernels of one network between two sets of inputs, arrays [n1, n2]."""

    nngp: jax.Array
    ntk: jax.Array


class Scales(NamedTuple):
    r"""Variances and rates :math:`C_W, C_b, \lambda_W, \lambda_b`: what a compiled kernel takes as numbers."""

    weight_variance: float
    bias_variance: float
    weight_rate: float
    bias_rate: float


class Network:
    """What every network offers."""

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

    def refined(self) -> "Network":
        """The same network with every approximation taken one step finer; itself where all is exact."""
        raise NotImplementedError

    def kernel_error(self, x1: Any, x2: Any = None) -> Kernels:
        """Estimated absolute errors of :meth:`kernel`, elementwise: its change under :meth:`refined`."""
        coarse, fine = self.kernel(x1, x2), self.refined().kernel(x1, x2)
        return Kernels(abs(fine.nngp - coarse.nngp), abs(fine.ntk - coarse.ntk))


@functools.singledispatch
def infinite_kernel(network: Network, x1: Any, x2: Any = None) -> Kernels:
    """The route that computes `network`'s kernel; each is registered by the module that holds it."""
    raise checks.refuse("network", type(network).__name__, "an ntkfield network, nf.MLP or nf.GroupCNN")


@dataclasses.dataclass(frozen=True)
class MLP(Network):
    r"""Fully connected network: ``depth`` weight layers and the activation between them.

    Inputs are arrays [n, d].

    Attributes:
        depth: number of weight layers L, at least 1.
        activation: name, mapping, :class:`~ntkfield.activations.Activation` or elementwise JAX function.
        weight_variance: :math:`C_W > 0`.
        bias_variance: :math:`C_b \ge 0`.
        weight_rate: :math:`\lambda_W \ge 0`; None stands for :math:`C_W`.
        bias_rate: :math:`\lambda_b \ge 0`; None stands for :math:`C_b`.

    Raises:
        ValueError: naming the field, the value and what is accepted.
    """

    depth: int
    activation: Activation
    weight_variance: float = 1.0
    bias_variance: float = 0.0
    weight_rate: float | None = None
    bias_rate: float | None = None

    def __post_init__(self) -> None:
        _settle(self)

    def refined(self) -> "MLP":
        return dataclasses.replace(self, activation=self.activation.refined())


@dataclasses.dataclass(frozen=True)
class GroupCNN(Network):
    r"""Group-convolutional network: ``depth`` convolutions, each with the activation; mean over the group; readout.

    The first convolution lifts a signal to the group, the others act on the group; then the mean over the group and
    one linear readout, so that it has depth + 1 weight layers. For ``group="so3"`` the filters reach over the whole
    group and the inputs are real signals on the sphere: samples [n, theta, phi, channels] on the ``sampling`` grid of
    s2fft at ``bandlimit``, or :class:`~ntkfield.signals.harmonics.Harmonics`.

    Attributes:
        group: "so3".
        depth: number of group convolutions, at least 1.
        activation: as for :class:`MLP`.
        weight_variance: as for :class:`MLP`.
        bias_variance: as for :class:`MLP`.
        weight_rate: as for :class:`MLP`.
        bias_rate: as for :class:`MLP`.
        bandlimit: degrees l < ``bandlimit`` of the signals.
        quadrature: band-limit of the quadrature over rotations; None stands for ``bandlimit``. Its error falls
            spectrally for smooth activations; :meth:`Network.kernel_error` estimates it.
        sampling: grid of sampled signals, "gl", "dh" or "mw".

    Raises:
        ValueError: naming the field, the value and what is accepted.
    """

    group: str
    depth: int
    activation: Activation
    weight_variance: float = 1.0
    bias_variance: float = 0.0
    weight_rate: float | None = None
    bias_rate: float | None = None
    bandlimit: int | None = None
    quadrature: int | None = None
    sampling: str = "gl"

    def __post_init__(self) -> None:
        if self.group != "so3":
            raise checks.refuse("group", self.group, "so3")
        _settle(self)
        if self.bandlimit is None:
            raise checks.refuse("bandlimit", None, "a whole number, 1 or above, for group so3")
        checks.whole("bandlimit", self.bandlimit, 1)
        quadrature = self.bandlimit if self.quadrature is None else self.quadrature
        object.__setattr__(self, "quadrature", checks.whole("quadrature", quadrature, 1))
        if self.sampling not in SAMPLINGS:
            raise checks.refuse("sampling", self.sampling, f"one of {', '.join(SAMPLINGS)}")

    @property
    def plain(self) -> MLP:
        """The network without the group, whose kernel's orbit average is this one's."""
        shared = {field.name: getattr(self, field.name) for field in dataclasses.fields(MLP)}
        return MLP(**shared | {"depth": self.depth + 1})

    def refined(self) -> "GroupCNN":
        finer = {"activation": self.activation.refined(), "quadrature": self.quadrature + 2}
        return dataclasses.replace(self, **finer)


def _settle(network: MLP | GroupCNN) -> None:
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
