"""Group-convolutional networks over rotations of the sphere."""

import dataclasses
from typing import Any, ClassVar

import numpy as np

from ntkfield import checks
from ntkfield.networks.base import Network
from ntkfield.networks.fields import ActivationField
from ntkfield.networks.group_cnn import GroupCNN
from ntkfield.signals.samplings import SAMPLINGS

PRECISIONS = ("double", "single")


@dataclasses.dataclass(frozen=True)
class SphereCNN(GroupCNN):
    """:class:`~ntkfield.networks.GroupCNN` over all rotations, SO(3), with filters over the whole group or polar caps.

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
        support: polar angle in radians, above 0 and below pi, of the cap around the pole that the lifting filter
            reaches; None for the whole sphere.
        group_support: likewise of the other filters, which reach the rotations that take the pole into the cap (second
            Euler angle up to this one); None for the whole group. Where the lifting filter reaches the whole sphere it
            does not change the kernel (:mod:`ntkfield.infinite.so3` says why).
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
    support: float | None = None
    group_support: float | None = None
    head: int = 0
    precision: str = "double"

    @classmethod
    def takes(cls, group: Any) -> bool:
        return isinstance(group, str) and group == "so3"

    @property
    def is_local(self) -> bool:
        return self.support is not None

    @property
    def plain(self) -> Network:
        if self.is_local:
            raise checks.refuse("support", self.support, "None, the whole sphere, for a plain network to exist")
        return super().plain

    def _settled(self) -> dict[str, Any]:
        if self.bandlimit is None:
            raise checks.refuse("bandlimit", None, "a whole number, 1 or above, for group so3")
        bandlimit = checks.whole("bandlimit", self.bandlimit, 1)
        quadrature = bandlimit if self.quadrature is None else checks.whole("quadrature", self.quadrature, 1)
        if self.sampling not in SAMPLINGS:
            raise checks.refuse("sampling", self.sampling, f"one of {', '.join(SAMPLINGS)}")
        if self.precision not in PRECISIONS:
            raise checks.refuse("precision", self.precision, f"one of {', '.join(PRECISIONS)}")
        caps = {field: _angle(field, getattr(self, field)) for field in ("support", "group_support")}
        return {"bandlimit": bandlimit, "quadrature": quadrature, **caps}


def _angle(field: str, value: Any) -> float | None:
    """The polar angle of a cap that is neither empty nor everything; None for everything."""
    if value is None:
        return None
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not number or not 0 < value < np.pi:
        raise checks.refuse(field, value, "an angle in radians above 0 and below pi, or None for no limit")
    return float(value)
