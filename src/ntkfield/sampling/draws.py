"""What one sampled network tells: the quantities whose means and covariances are the statistics."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax
import numpy as np

from ntkfield import checks
from ntkfield.activations import Activation
from ntkfield.networks.base import Network, Scales
from ntkfield.networks.routes import route

CHANNELS = 2  # two output channels show every pattern of equal and different channels


@dataclass(frozen=True)
class Setting:
    """What a compiled sampler is specialised to; as it stands, a fully connected network.

    Attributes:
        activation: between the layers.
        widths: hidden widths before the output layer.
        orthogonal: weight layers, of 1 to L, whose weights are orthogonal; all others are Gaussian.
        formed: whether the weights have to be formed.
    """

    activation: Activation
    widths: tuple[int, ...] = ()
    orthogonal: frozenset[int] = frozenset()
    formed: ClassVar[bool] = False

    @property
    def about(self) -> dict[str, Any]:
        """What a result says of the network beside its activation, depth, scales and widths."""
        return {"orthogonal": sorted(self.orthogonal)} if self.orthogonal else {}

    def fans(self, d: int) -> tuple[int, ...]:
        """How many numbers each neuron of each layer reads, of inputs of d numbers: its weights."""
        return d, *self.widths

    def read(self, values: jax.Array, layer: int) -> jax.Array:
        """What a layer above the first, counted from 0, reads of the `values` of the one below, [rows, n]."""
        return values


@route("sampling")
def sampled(network: Network, inputs: Any) -> tuple[np.ndarray, Setting]:
    """The route to what a network's first layer reads of `inputs`, which it checks, [rows, d]; and to its setting.

    The setting lacks the widths. Rows are inputs, or the positions of each input in turn.
    """
    raise checks.refuse("network", type(network).__name__, "an nf.MLP, or an nf.GroupCNN of a finite group")


class Draw(NamedTuple):
    r"""One network's quantities at its output layer, with c = 2 channels and m inputs.

    Attributes:
        kernel: :math:`C_b + C_W\,\sigma\cdot\sigma/n` over the last hidden layer, the covariance of the preactivations
            given the layers before: the mean over the last weights is exact, [m, m].
        ntk: :math:`\hat\Theta_{ij}(x_a, x_b)`, [c, c, m, m].
        outputs: :math:`z_i(x_a)` without the output bias, [c, m].
        kernel_control: zero on average, to be taken off `kernel` in a mean over networks, [m, m]; or None.
        ntk_control: likewise off the mean over i of :math:`\hat\Theta_{ii}`, [m, m]; or None.
        second: :math:`d\hat\Theta` of outputs 0, 1, 2 with their inputs, [c, m, c, m, c, m]; or None.
        third: :math:`dd_I\hat\Theta` with channels (i, i, j, j), i != j, [c, m, m, m, m]; or None.
        crossed: :math:`dd_{II}\hat\Theta` of outputs 1, 2, 3, 4, [c, m, c, m, c, m, c, m]; or None.
    """

    kernel: jax.Array
    ntk: jax.Array
    outputs: jax.Array
    kernel_control: jax.Array | None = None
    ntk_control: jax.Array | None = None
    second: jax.Array | None = None
    third: jax.Array | None = None
    crossed: jax.Array | None = None


class Supply:
    """A row of random numbers, handed out in turn."""

    def __init__(self, row: jax.Array) -> None:
        self._row, self._start = row, 0

    def take(self, *shape: int) -> jax.Array:
        """The next numbers, in an array of `shape`."""
        stop = self._start + math.prod(shape)
        taken = self._row[self._start : stop].reshape(shape)
        self._start = stop
        return taken


def kernel_of(scales: Scales, values: jax.Array) -> jax.Array:
    """Covariance of the next preactivations given the last hidden layer's `values` [m, n]."""
    return scales.kernel(values @ values.T / values.shape[1])


def share(scales: Scales, values: jax.Array) -> jax.Array:
    """What the NTK gains at the layer that reads `values` [m, n]."""
    return scales.ntk(values @ values.T / values.shape[1])
