"""What group-convolutional networks of all families of groups share, and how one is made."""

import dataclasses
from typing import Any, ClassVar, Self, cast

from ntkfield import checks
from ntkfield.networks.base import Network, Scales, settle
from ntkfield.networks.mlp import MLP


class GroupCNN(Network):
    r"""Group-convolutional network: ``depth`` convolutions, each with the activation; mean over the group; readout.

    The first convolution lifts a signal to the group, the others act on the group; then the mean over the group and
    one linear readout, so that it has depth + 1 weight layers; a ``head`` adds that many activations and weight layers.

    ``GroupCNN(group, depth, activation, ...)`` is the network of the family that the group belongs to, each a class
    with fields of its own:

    - ``group="so3"``: :class:`~ntkfield.networks.SphereCNN`, for signals on the sphere;
    - ``group="c1"``, ``"c4"`` or ``"d4"``: :class:`~ntkfield.networks.PlanarCNN`, for images;
    - a :class:`~ntkfield.groups.finite.FiniteGroup`: :class:`~ntkfield.networks.FiniteGroupCNN`, for signals on the set
      whose points it permutes.

    A new family is a subclass in a module of its own, which says what groups it :meth:`takes`.

    Raises:
        ValueError: naming the field, the value and what is accepted.
    """

    accepted: ClassVar[str] = "no group"
    """The family's groups in words."""
    group: Any
    depth: int
    head: int

    def __new__(cls, group: Any = None, *arguments: Any, **fields: Any) -> Self:
        kind = cast("type[Self]", family(group)) if cls is GroupCNN else cls
        own, every = (
            {field.name for each in kinds for field in dataclasses.fields(each)}
            for kinds in ((kind,), GroupCNN.__subclasses__())
        )
        for name in fields:
            if name in every - own:
                raise checks.refuse(name, fields[name], f"no {name} for group {group}")
        return object.__new__(kind)

    def __post_init__(self) -> None:
        if isinstance(self.group, str):
            object.__setattr__(self, "group", self.group.lower())
        if not self.takes(self.group):
            raise checks.refuse("group", self.group, f"{self.accepted}, for a {type(self).__name__}")
        settle(self)
        for field, value in (self._settled() | {"head": checks.whole("head", self.head, 0)}).items():
            object.__setattr__(self, field, value)

    @classmethod
    def takes(cls, group: Any) -> bool:
        """Whether a group belongs to the family."""
        return False

    def _settled(self) -> dict[str, Any]:
        """The family's own fields, checked."""
        return {}

    @property
    def is_local(self) -> bool:
        """Whether the lifting filter reaches over only part of the input."""
        return False

    @property
    def weight_layers(self) -> int:
        """The convolutions, the readout and the head."""
        return self.depth + 1 + self.head

    @property
    def plain(self) -> Network:
        """The network without the group and without the head, whose kernel's orbit average is this one's."""
        shared: dict[str, Any] = {name: getattr(self, name) for name in ("activation", *Scales._fields)}
        shared["depth"] = self.depth + 1
        return MLP(**shared)


def family(group: Any) -> type[GroupCNN]:
    """The family of networks that a group belongs to.

    Raises:
        ValueError: for a group of no family.
    """
    name = group.lower() if isinstance(group, str) else group
    kinds = GroupCNN.__subclasses__()
    for kind in kinds:
        if kind.takes(name):
            return kind
    raise checks.refuse("group", group, f"one of {', '.join(kind.accepted for kind in kinds)}")
