"""Fully connected networks."""

import dataclasses

from ntkfield.networks.base import Network, settle
from ntkfield.networks.fields import ActivationField


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
    activation: ActivationField
    weight_variance: float = 1.0
    bias_variance: float = 0.0
    weight_rate: float | None = None
    bias_rate: float | None = None

    def __post_init__(self) -> None:
        settle(self)

    @property
    def plain(self) -> "MLP":
        """Itself, for there is no group to leave out."""
        return self
