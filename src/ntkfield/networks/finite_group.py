"""Group-convolutional networks over any finite group of permutations."""

import dataclasses
from typing import Any, ClassVar

import numpy as np

from ntkfield import checks
from ntkfield.groups.finite import FiniteGroup
from ntkfield.networks.base import Network
from ntkfield.networks.fields import ActivationField
from ntkfield.networks.group_cnn import GroupCNN


@dataclasses.dataclass(frozen=True)
class FiniteGroupCNN(GroupCNN):
    r""":class:`~ntkfield.networks.GroupCNN` over a finite group of permutations of the points of a set X.

    Inputs are signals [n, \|X\|, channels].

    Attributes:
        group: the :class:`~ntkfield.groups.finite.FiniteGroup`.
        depth: number of group convolutions, at least 1.
        activation: as for :class:`~ntkfield.networks.MLP`, like the four variances and rates.
        support: the points of X that the lifting filter reaches; None for all.
        group_support: the elements (rows of the group's permutations) that the other filters reach; None for all. Where
            the lifting filter reaches all of X it does not change the kernel.
        head: number of activations and weight layers after the readout.

    Raises:
        ValueError: naming the field, the value and what is accepted.
    """

    accepted: ClassVar[str] = "a FiniteGroup"
    axes: ClassVar[str] = "n, points, channels"
    group: FiniteGroup
    depth: int
    activation: ActivationField
    weight_variance: float = 1.0
    bias_variance: float = 0.0
    weight_rate: float | None = None
    bias_rate: float | None = None
    support: tuple[int, ...] | None = None
    group_support: tuple[int, ...] | None = None
    head: int = 0

    @classmethod
    def takes(cls, group: Any) -> bool:
        return isinstance(group, FiniteGroup)

    @property
    def is_local(self) -> bool:
        return self.support is not None

    @property
    def plain(self) -> Network:
        if self.is_local:
            raise checks.refuse("support", self.support, "all points of X, for a plain network to exist")
        return super().plain

    @property
    def reached(self) -> np.ndarray:
        """Indices of the points that the lifting filter reaches."""
        return np.arange(self.group.points) if self.support is None else np.array(self.support)

    @property
    def steps(self) -> np.ndarray:
        """Indices of the elements that the other filters reach."""
        return np.arange(self.group.order) if self.group_support is None else np.array(self.group_support)

    def _settled(self) -> dict[str, Any]:
        sizes = {"support": self.group.points, "group_support": self.group.order}
        return {field: _subset(field, getattr(self, field), size) for field, size in sizes.items()}


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
