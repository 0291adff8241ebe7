"""Group-convolutional networks over shifts, turns and reflections of images."""

import dataclasses
from typing import Any, ClassVar

from ntkfield import checks
from ntkfield.groups.finite import PLANAR_GROUPS
from ntkfield.groups.windows import PADDINGS
from ntkfield.networks.base import Network
from ntkfield.networks.fields import ActivationField
from ntkfield.networks.group_cnn import GroupCNN


@dataclasses.dataclass(frozen=True)
class PlanarCNN(GroupCNN):
    """:class:`~ntkfield.networks.GroupCNN` over a point group of the plane; with a ``filter_shape`` also
    over the shifts of the image.

    Inputs are images [n, height, width, channels]. Under "c1" with local filters it is the plain convolutional network
    with global average pooling.

    Attributes:
        group: one of :data:`~ntkfield.groups.finite.PLANAR_GROUPS`: "c1", the identity; "c4", quarter turns; "d4",
            quarter turns and reflections.
        depth: number of group convolutions, at least 1.
        activation: as for :class:`~ntkfield.networks.MLP`, like the four variances and rates.
        filter_shape: rows and columns that a filter reaches over, one number for a square (3 if None); or "global", a
            filter over the whole image.
        padding: with local filters: "SAME" (if None; zeros, counted in the mean over a filter), "VALID" or "CIRCULAR".
        head: number of activations and weight layers after the readout.

    Raises:
        ValueError: naming the field, the value and what is accepted.
    """

    accepted: ClassVar[str] = ", ".join(PLANAR_GROUPS)
    axes: ClassVar[str] = "n, height, width, channels"
    group: str
    depth: int
    activation: ActivationField
    weight_variance: float = 1.0
    bias_variance: float = 0.0
    weight_rate: float | None = None
    bias_rate: float | None = None
    filter_shape: int | tuple[int, int] | str | None = None
    padding: str | None = None
    head: int = 0

    @classmethod
    def takes(cls, group: Any) -> bool:
        return isinstance(group, str) and group in PLANAR_GROUPS

    @property
    def is_local(self) -> bool:
        return isinstance(self.filter_shape, tuple)

    @property
    def plain(self) -> Network:
        return dataclasses.replace(self, group="c1", head=0) if self.is_local else super().plain

    def _settled(self) -> dict[str, Any]:
        shape = 3 if self.filter_shape is None else self.filter_shape
        if isinstance(shape, str):
            if shape != "global":
                raise checks.refuse("filter_shape", shape, "one or two whole numbers, 1 or above, or global")
            if self.padding is not None:
                raise checks.refuse("padding", self.padding, "no padding for a global filter")
            return {"filter_shape": shape, "padding": None}
        sides = tuple(shape) if isinstance(shape, tuple | list) else (shape, shape)
        if len(sides) != 2:
            raise checks.refuse("filter_shape", shape, "one or two whole numbers, 1 or above, or global")
        sides = tuple(checks.whole("filter_shape", side, 1) for side in sides)
        padding = "SAME" if self.padding is None else self.padding
        if padding not in PADDINGS:
            raise checks.refuse("padding", padding, f"one of {', '.join(PADDINGS)}")
        group = PLANAR_GROUPS[self.group]
        if group.needs_squares and sides[0] != sides[1]:
            raise checks.refuse("filter_shape", sides, f"a square filter, which {self.group} maps to itself")
        if not group.keeps_centre(sides, padding):
            raise checks.refuse(
                "filter_shape",
                sides,
                f"an odd number of rows and columns with {padding} padding, or {self.group} does not keep the "
                "filter's centre on its pixel",
            )
        return {"filter_shape": sides, "padding": padding}
