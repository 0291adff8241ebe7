"""Group-convolutional networks over rotations of the sphere."""

import dataclasses
from typing import Any, ClassVar

from ntkfield import checks
from ntkfield.networks.fields import ActivationField
from ntkfield.networks.group_cnn import GroupCNN
from ntkfield.signals.samplings import SAMPLINGS

PRECISIONS = ("double", "single")


@dataclasses.dataclass(frozen=True)
class SphereCNN(GroupCNN):
    """:class:`~ntkfield.networks.GroupCNN` over all rotations, SO(3), with filters that reach over the whole group.

    Inputs are real signals on the sphere: samples [n, theta, phi, channels] on the ``sampling`` grid of s2fft at
    ``bandlimit``, or :class:`~ntkfield.signals.harmonics.Harmonics`.

    Attributes:
        group: "so3".
        depth: number of group convolutions, at least 1.
        activation: as for :class:`~ntkfield.networks.MLP`, like the four variances and rates.
        bandlimit: degrees l < ``bandlimit`` of the signals.
        quadrature: band-limit of the quadrature over rotations; None stands for ``bandlimit``. Its error falls
            spectrally for smooth activations; :meth:`~ntkfield.networks.Network.kernel_error` estimates it.
        sampling: grid of sampled signals, "gl", "dh" or "mw".
        head: number of activations and weight layers after the readout.
        precision: of the arithmetic at each rotation, "double" or "single"; sums over rotations and atoms are double
            either way. Kernels of single precision are off by some 1e-6 of the largest, which
            :meth:`~ntkfield.networks.Network.kernel_error` includes; activations with a series stay double.

    Raises:
        ValueError: naming the field, the value and what is accepted.
    """

    accepted: ClassVar[str] = "so3"
    group: str
    depth: int
    activation: ActivationField
    weight_variance: float = 1.0
    bias_variance: float = 0.0
    weight_rate: float | None = None
    bias_rate: float | None = None
    bandlimit: int | None = None
    quadrature: int | None = None
    sampling: str = "gl"
    head: int = 0
    precision: str = "double"

    @classmethod
    def takes(cls, group: Any) -> bool:
        return isinstance(group, str) and group == "so3"

    def _settled(self) -> dict[str, Any]:
        if self.bandlimit is None:
            raise checks.refuse("bandlimit", None, "a whole number, 1 or above, for group so3")
        bandlimit = checks.whole("bandlimit", self.bandlimit, 1)
        quadrature = bandlimit if self.quadrature is None else checks.whole("quadrature", self.quadrature, 1)
        if self.sampling not in SAMPLINGS:
            raise checks.refuse("sampling", self.sampling, f"one of {', '.join(SAMPLINGS)}")
        if self.precision not in PRECISIONS:
            raise checks.refuse("precision", self.precision, f"one of {', '.join(PRECISIONS)}")
        return {"bandlimit": bandlimit, "quadrature": quadrature}
