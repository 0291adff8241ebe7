r"""Weights and biases of a layer, in every parametrization, and what they make of a kernel.

A layer computes :math:`z = \frac{m}{\sqrt N}\sum W x + m_b b` over N inputs (channels times steps of a filter). With
rates :math:`\lambda_W, \lambda_b` the multipliers are :math:`m = \sqrt{\lambda_W}, m_b = \sqrt{\lambda_b}` and the
parameters start with variances :math:`C_W/\lambda_W, C_b/\lambda_b`, so that

.. math:: K' = C_b + C_W \bar K, \qquad \Theta' = \lambda_b + \lambda_W \bar K + C_W \bar\Theta,

bars being means over the steps of the filter. ``ntk`` of neural-tangents has the rates equal to the variances,
``standard`` has :math:`\lambda_W = N, \lambda_b = 1`. At the input there is no NTK: :math:`\bar\Theta = 0`.
"""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp

from ntkfield import checks
from ntkfield.bridge._neural_tangents import Kernel
from ntkfield.networks.base import Scales
from ntkfield.networks.haar import semi_orthogonal

PARAMETERIZATIONS = ("ntk", "standard")
Parameters = tuple[jax.Array, jax.Array | None]


def input_shape(k: Kernel) -> tuple[int, ...]:
    """The shape of the first inputs, which a kernel carries through all layers."""
    assert k.shape1 is not None
    return k.shape1


@dataclasses.dataclass(frozen=True)
class Weights:
    """Variances and rates; a ``weight_rate`` of None is the number of inputs (the standard parametrization).

    Weights are independent and Gaussian, or those of each step ``orthogonal``.
    """

    weight_variance: float
    bias_variance: float
    weight_rate: float | None
    bias_rate: float
    orthogonal: bool = False

    @classmethod
    def of(
        cls, W_std: float, b_std: float | None, parameterization: str, rates: tuple[float, float] | None = None
    ) -> "Weights":
        """From the arguments of a layer of neural-tangents; `rates` of weights and biases override the last.

        Raises:
            ValueError: naming the field, the value and what is accepted.
        """
        if parameterization not in PARAMETERIZATIONS:
            raise checks.refuse("parameterization", parameterization, f"one of {', '.join(PARAMETERIZATIONS)}")
        variance = checks.positive("W_std", W_std) ** 2
        bias = 0.0 if b_std is None else checks.non_negative("b_std", b_std) ** 2
        if rates is not None:
            of_weights, of_biases = (checks.non_negative("rates", rate) for rate in rates)
            return cls(variance, bias, of_weights, of_biases)
        if parameterization == "standard":
            return cls(variance, bias, None, 0.0 if b_std is None else 1.0)
        return cls(variance, bias, variance, bias)

    def init(self, rng: jax.Array, steps: int, channels: int, out_chan: int) -> Parameters:
        """Draw W [steps, channels, out_chan] and b [out_chan]; b is None where there is no bias."""
        weights, biases = jax.random.split(rng)
        w = jax.random.normal(weights, (steps, channels, out_chan))
        w = (semi_orthogonal(w) if self.orthogonal else w) * self._spread(steps * channels)
        if self.bias_variance == 0 and self.bias_rate == 0:
            return w, None
        b = jax.random.normal(biases, (out_chan,))
        return w, b * (self.bias_variance / self.bias_rate) ** 0.5 if self.bias_rate else b

    def scaled(self, params: Parameters) -> tuple[jax.Array, jax.Array]:
        """The weights and biases that multiply the inputs, from the parameters; b is 0 where there is none."""
        w, b = params
        inputs = w.shape[0] * w.shape[1]
        rate = inputs if self.weight_rate is None else self.weight_rate
        w = w * (rate / inputs) ** 0.5 if rate else jax.lax.stop_gradient(w) * (self.weight_variance / inputs) ** 0.5
        if b is None:
            return w, jnp.zeros(w.shape[-1])
        return w, b * self.bias_rate**0.5 if self.bias_rate else jax.lax.stop_gradient(b) * self.bias_variance**0.5

    def kernel(self, k: Kernel, steps: int, mean: Callable[[jax.Array, int], jax.Array]) -> Kernel:
        """The kernel after the layer.

        Args:
            k: kernel of its input, whose covariances are means over channels.
            steps: number of steps of its filter.
            mean: of a covariance and its number of batch axes, over the steps of the filter.
        """
        cw, cb, rate, bias_rate = self._scales(steps * input_shape(k)[k.channel_axis])
        batch = 1 if k.diagonal_batch else 2
        nngp, cov1 = mean(k.nngp, 2), mean(k.cov1, batch)
        cov2 = None if k.cov2 is None else cb + cw * mean(k.cov2, batch)
        ntk = k.ntk
        if ntk is not None:
            ntk = bias_rate + rate * nngp + cw * (mean(ntk, 2) if ntk.ndim else ntk)
        return k.replace(nngp=cb + cw * nngp, ntk=ntk, cov1=cb + cw * cov1, cov2=cov2, is_gaussian=True, is_input=False)

    def _scales(self, inputs: int) -> Scales:
        rate = inputs if self.weight_rate is None else self.weight_rate
        return Scales(self.weight_variance, self.bias_variance, rate, self.bias_rate)

    def _spread(self, inputs: int) -> float:
        rate = inputs if self.weight_rate is None else self.weight_rate
        return (self.weight_variance / rate) ** 0.5 if rate else 1.0
