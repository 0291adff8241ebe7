"""Fully connected networks."""

import dataclasses
from typing import ClassVar

from ntkfield import checks
from ntkfield.networks.base import Network, settle
from ntkfield.networks.fields import ActivationField

ENSEMBLES = ("gaussian", "orthogonal")


@dataclasses.dataclass(frozen=True)
class MLP(Network):
    r"""Fully connected network: ``depth`` weight layers and the activation between them.

    Inputs are arrays [n, d].

    A layer's weights are independent Gaussian, :math:`W_{ij} \sim N(0, C_W/n)` with n the width before it, or
    (semi-)orthogonal, :math:`W = \sqrt{C_W \max(n, n')/n}\,Q` with Q a Haar-distributed matrix [n', n] of orthonormal
    rows or columns, whose entries have the same variance. Kernels at infinite width are the same; how a network of
    finite width differs from them is not (:mod:`ntkfield.finite.layer`). Training moves orthogonal weights freely.

    Attributes:
        depth: number of weight layers L, at least 1.
        activation: name, mapping, :class:`~ntkfield.activations.Activation` or elementwise JAX function.
        weight_variance: :math:`C_W > 0`.
        bias_variance: :math:`C_b \ge 0`.
        weight_rate: :math:`\lambda_W \ge 0`; None stands for :math:`C_W`.
        bias_rate: :math:`\lambda_b \ge 0`; None stands for :math:`C_b`.
        weights: "gaussian" or "orthogonal", of the layers between hidden ones.
        first_weights: likewise of the first layer, the only one of a network of depth 1.
        readout_weights: likewise of the last layer; None stands for `weights`.

    Raises:
        ValueError: naming the field, the value and what is accepted.
    """

    axes: ClassVar[str] = "n, d"
    depth: int
    activation: ActivationField
    weight_variance: float = 1.0
    bias_variance: float = 0.0
    weight_rate: float | None = None
    bias_rate: float | None = None
    weights: str = "gaussian"
    first_weights: str = "gaussian"
    readout_weights: str | None = None

    def __post_init__(self) -> None:
        settle(self)
        if self.readout_weights is None:
            object.__setattr__(self, "readout_weights", self.weights)
        for field in ("weights", "first_weights", "readout_weights"):
            if getattr(self, field) not in ENSEMBLES:
                raise checks.refuse(field, getattr(self, field), f"one of {', '.join(ENSEMBLES)}")

    @property
    def orthogonal(self) -> frozenset[int]:
        """The weight layers, of 1 to L, whose weights are orthogonal."""
        kinds = [self.first_weights, *[self.weights] * (self.depth - 2), self.readout_weights][: self.depth]
        return frozenset(layer for layer, kind in enumerate(kinds, 1) if kind == "orthogonal")

    @property
    def plain(self) -> "MLP":
        """Itself, for there is no group to leave out."""
        return self
