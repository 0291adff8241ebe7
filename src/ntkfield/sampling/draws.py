"""What one sampled network tells: the quantities whose means and covariances are the statistics."""

import math
from typing import NamedTuple

import jax
import numpy as np

from ntkfield.activations import Activation
from ntkfield.networks.base import Scales
from ntkfield.networks.finite_group import FiniteGroupCNN

CHANNELS = 2  # two output channels show every pattern of equal and different channels


class Setting(NamedTuple):
    """What a compiled sampler is specialised to.

    Attributes:
        activation: between the layers.
        widths: hidden widths before the output layer.
        orthogonal: weight layers, of 1 to L, whose weights are orthogonal; all others are Gaussian.
        group: the network over a finite group, whose inputs are then what its lifting filter reaches (:meth:`lifted`);
            None for an MLP.
    """

    activation: Activation
    widths: tuple[int, ...]
    orthogonal: frozenset[int] = frozenset()
    group: FiniteGroupCNN | None = None

    def lifted(self, x: np.ndarray) -> np.ndarray:
        r"""What the first layer reads at each position, inputs [m, d]; of signals [m \|G\|, \|S\| channels]."""
        if self.group is None:
            return x
        acting = self.group.group.permutations[:, self.group.reached]
        return x[:, acting].reshape(len(x) * len(acting), -1)

    def fans(self, d: int) -> tuple[int, ...]:
        """How many numbers each neuron of each layer reads, of inputs of d numbers: its weights."""
        if self.group is None:
            return d, *self.widths
        *hidden, last = self.widths
        return d, *(n * len(self.group.steps) for n in hidden), last

    def read(self, values: jax.Array, layer: int) -> jax.Array:
        """What a layer above the first, counted from 0, reads of the `values` of the one below, [rows, n]."""
        if self.group is None:
            return values
        at = values.reshape(-1, self.group.group.order, values.shape[1])  # by input and element
        if layer == len(self.widths):
            return at.mean(axis=1)
        return at[:, self.group.group.products[:, self.group.steps]].reshape(len(values), -1)


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
