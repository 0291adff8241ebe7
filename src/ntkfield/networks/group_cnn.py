"""Group-convolutional networks over rotations of the sphere, planar point groups and any finite group."""

import dataclasses
from typing import Any

import numpy as np

from ntkfield import checks
from ntkfield.activations import Activation
from ntkfield.groups.finite import PLANAR_GROUPS, FiniteGroup
from ntkfield.groups.windows import PADDINGS
from ntkfield.networks.base import Network, settle
from ntkfield.networks.mlp import MLP
from ntkfield.signals.harmonics import SAMPLINGS

_OWN_FIELDS = {
    "so3": ("bandlimit", "quadrature", "sampling"),
    "planar": ("filter_shape", "padding"),
    "finite": ("support", "group_support"),
}


@dataclasses.dataclass(frozen=True)
class GroupCNN(Network):
    r"""Group-convolutional network: ``depth`` convolutions, each with the activation; mean over the group; readout.

    The first convolution lifts a signal to the group, the others act on the group; then the mean over the group and
    one linear readout, so that it has depth + 1 weight layers; a ``head`` adds that many activations and weight layers.

    - ``group="so3"``: filters reach over the whole group. Inputs are real signals on the sphere: samples
      [n, theta, phi, channels] on the ``sampling`` grid of s2fft at ``bandlimit``, or
      :class:`~ntkfield.signals.harmonics.Harmonics`.
    - ``group="c1"``, ``"c4"`` or ``"d4"``: images [n, height, width, channels] under the identity, quarter turns, or
      quarter turns and reflections. With a ``filter_shape`` the group holds the shifts of the image too, and "c1" is
      the plain convolutional network with global average pooling.
    - a :class:`~ntkfield.groups.finite.FiniteGroup` of permutations of a set X: signals [n, \|X\|, channels].

    Attributes:
        group: as above; a name in capitals, "SO3" or "C4", stands for the one in small letters.
        depth: number of group convolutions, at least 1.
        activation: as for :class:`MLP`.
        weight_variance: as for :class:`MLP`.
        bias_variance: as for :class:`MLP`.
        weight_rate: as for :class:`MLP`.
        bias_rate: as for :class:`MLP`.
        bandlimit: so3: degrees l < ``bandlimit`` of the signals.
        quadrature: so3: band-limit of the quadrature over rotations; None stands for ``bandlimit``. Its error falls
            spectrally for smooth activations; :meth:`Network.kernel_error` estimates it.
        sampling: so3: grid of sampled signals, "gl", "dh" or "mw".
        filter_shape: images: rows and columns that a filter reaches over, one number for a square (3 if None); or
            "global", a filter over the whole image.
        padding: images with local filters: "SAME" (if None; zeros, counted in the mean over a filter), "VALID" or
            "CIRCULAR".
        support: finite group: the points of X that the lifting filter reaches; None for all.
        group_support: finite group: the elements (rows of its permutations) that the other filters reach; None for
            all. Where the lifting filter reaches all of X it does not change the kernel.
        head: number of activations and weight layers after the readout.

    Raises:
        ValueError: naming the field, the value and what is accepted.
    """

    group: str | FiniteGroup
    depth: int
    activation: Activation
    weight_variance: float = 1.0
    bias_variance: float = 0.0
    weight_rate: float | None = None
    bias_rate: float | None = None
    bandlimit: int | None = None
    quadrature: int | None = None
    sampling: str = "gl"
    filter_shape: int | tuple[int, int] | str | None = None
    padding: str | None = None
    support: tuple[int, ...] | None = None
    group_support: tuple[int, ...] | None = None
    head: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.group, str):
            object.__setattr__(self, "group", self.group.lower())
        kind = self.kind
        settle(self)
        for field in (name for names in _OWN_FIELDS.values() for name in names):
            if field not in _OWN_FIELDS[kind] and getattr(self, field) != type(self).__dict__[field]:
                raise checks.refuse(field, getattr(self, field), f"no {field} for group {self.group}")
        settled = {"so3": _settled_so3, "planar": _settled_planar, "finite": _settled_finite}[kind](self)
        for field, value in (settled | {"head": checks.whole("head", self.head, 0)}).items():
            object.__setattr__(self, field, value)

    @property
    def kind(self) -> str:
        """Which family the group belongs to: "so3", "planar" or "finite"."""
        if isinstance(self.group, FiniteGroup):
            return "finite"
        if self.group == "so3":
            return "so3"
        if isinstance(self.group, str) and self.group in PLANAR_GROUPS:
            return "planar"
        raise checks.refuse("group", self.group, f"one of so3, {', '.join(PLANAR_GROUPS)}, or a FiniteGroup")

    @property
    def is_local(self) -> bool:
        """Whether the lifting filter reaches over only part of the input."""
        return self.support is not None if self.kind == "finite" else isinstance(self.filter_shape, tuple)

    @property
    def plain(self) -> Network:
        """The network without the group and without the head, whose kernel's orbit average is this one's."""
        if self.kind == "planar" and self.is_local:
            return dataclasses.replace(self, group="c1", head=0)
        if self.is_local:
            raise checks.refuse("support", self.support, "all points of X, for a plain network to exist")
        shared = {field.name: getattr(self, field.name) for field in dataclasses.fields(MLP)}
        return MLP(**shared | {"depth": self.depth + 1})

    def refined(self) -> "GroupCNN":
        finer: dict[str, Any] = {"activation": self.activation.refined()}
        if self.quadrature is not None:
            finer["quadrature"] = self.quadrature + 2
        return dataclasses.replace(self, **finer)


def _settled_so3(network: GroupCNN) -> dict[str, Any]:
    if network.bandlimit is None:
        raise checks.refuse("bandlimit", None, "a whole number, 1 or above, for group so3")
    bandlimit = checks.whole("bandlimit", network.bandlimit, 1)
    quadrature = bandlimit if network.quadrature is None else checks.whole("quadrature", network.quadrature, 1)
    if network.sampling not in SAMPLINGS:
        raise checks.refuse("sampling", network.sampling, f"one of {', '.join(SAMPLINGS)}")
    return {"bandlimit": bandlimit, "quadrature": quadrature}


def _settled_planar(network: GroupCNN) -> dict[str, Any]:
    shape = 3 if network.filter_shape is None else network.filter_shape
    if isinstance(shape, str):
        if shape != "global":
            raise checks.refuse("filter_shape", shape, "one or two whole numbers, 1 or above, or global")
        if network.padding is not None:
            raise checks.refuse("padding", network.padding, "no padding for a global filter")
        return {"filter_shape": shape, "padding": None}
    sides = tuple(shape) if isinstance(shape, tuple | list) else (shape, shape)
    if len(sides) != 2:
        raise checks.refuse("filter_shape", shape, "one or two whole numbers, 1 or above, or global")
    sides = tuple(checks.whole("filter_shape", side, 1) for side in sides)
    padding = "SAME" if network.padding is None else network.padding
    if padding not in PADDINGS:
        raise checks.refuse("padding", padding, f"one of {', '.join(PADDINGS)}")
    if network.group != "c1":
        if sides[0] != sides[1]:
            raise checks.refuse("filter_shape", sides, f"a square filter, which {network.group} maps to itself")
        if padding != "VALID" and sides[0] % 2 == 0:
            raise checks.refuse(
                "filter_shape",
                sides,
                f"an odd number of rows and columns with {padding} padding, or {network.group} does not keep the "
                "filter's centre on its pixel",
            )
    return {"filter_shape": sides, "padding": padding}


def _settled_finite(network: GroupCNN) -> dict[str, Any]:
    sizes = {"support": network.group.points, "group_support": network.group.order}
    return {field: _subset(field, getattr(network, field), size) for field, size in sizes.items()}


def _subset(field: str, value: Any, size: int) -> tuple[int, ...] | None:
    """Distinct indices below `size`, in order; None if that is all of them."""
    if value is None:
        return None
    indices = np.asarray(value)
    if indices.ndim != 1 or indices.dtype.kind not in "iu" or not len(indices):
        raise checks.refuse(field, value, "a list of at least one whole number")
    if indices.min() < 0 or indices.max() >= size or len(np.unique(indices)) != len(indices):
        raise checks.refuse(field, value, f"different numbers from 0 to {size - 1}")
    return None if len(indices) == size else tuple(int(k) for k in np.sort(indices))
