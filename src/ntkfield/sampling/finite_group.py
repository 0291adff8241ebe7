"""Group-convolutional networks over a finite group as samplers draw them."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import numpy as np

from ntkfield import checks
from ntkfield.infinite.finite_group import signals
from ntkfield.networks.finite_group import FiniteGroupCNN
from ntkfield.sampling.draws import Setting, sampled


@dataclass(frozen=True)
class GroupSetting(Setting):
    """A setting whose layers read the elements that their filters reach.

    Attributes:
        network: that is sampled.
    """

    formed: ClassVar[bool] = True
    network: FiniteGroupCNN = field(kw_only=True)

    @property
    def about(self) -> dict[str, Any]:
        return super().about | {"group": self.network.group.name}

    def fans(self, d: int) -> tuple[int, ...]:
        *hidden, last = self.widths
        return d, *(n * len(self.network.steps) for n in hidden), last

    def read(self, values: jax.Array, layer: int) -> jax.Array:
        group = self.network.group
        at = values.reshape(-1, group.order, values.shape[1])  # by input and element
        if layer == len(self.widths):
            return at.mean(axis=1)
        return at[:, group.products[:, self.network.steps]].reshape(len(values), -1)


@sampled.register
def finite_group(network: FiniteGroupCNN, inputs: Any) -> tuple[np.ndarray, Setting]:
    r"""See :func:`ntkfield.sampling.draws.sampled`; signals [m, \|X\|, channels], rows for all inputs and elements."""
    if network.head:
        raise checks.refuse("network.head", network.head, "0: networks that end in their readout")
    group, x = network.group, signals(network.group, "inputs", inputs)
    rows = x[:, group.permutations[:, network.reached]].reshape(len(x) * group.order, -1)
    return rows, GroupSetting(network.activation, network=network)
