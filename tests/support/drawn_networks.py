"""What two samplers of networks must agree in: features of their draws, compared by the Kolmogorov-Smirnov test."""

import jax.numpy as jnp
import numpy as np
from scipy.stats import ks_2samp

from ntkfield.activations import activation
from ntkfield.networks import Scales
from ntkfield.sampling.draws import Draw, Setting


def draws(sampler, name: str, x: np.ndarray, widths, count: int, seed: int, orthogonal=()) -> Draw:
    """Networks drawn by a module of ntkfield.sampling, with the given weight layers orthogonal."""
    setting = Setting(activation(name), widths, frozenset(orthogonal))
    noise = np.random.default_rng(seed).normal(size=(count, sampler.noise_size(setting, *x.shape)))
    return sampler.draw(setting, Scales(1.6, 0.1, 1.3, 0.7), jnp.asarray(x), noise)


def p_values(a: Draw, b: Draw) -> dict[str, float]:
    """Of the hypothesis that a feature has one distribution in both, by the feature's name.

    Rounded, for a network whose units are all dead has one value, which both compute to rounding only.
    """
    features = {
        "kernel": lambda d: d.kernel[:, 0, -1],
        "ntk": lambda d: d.ntk[:, 0, 0, 0, 0],
        "ntk between inputs": lambda d: d.ntk[:, 1, 1, 0, -1],
        "ntk between channels": lambda d: d.ntk[:, 0, 1, 0, -1],
        "output": lambda d: d.outputs[:, 0, 0],
        "two outputs": lambda d: d.outputs[:, 0, 0] ** 2 + d.outputs[:, 1, 0] ** 2,
        "output with ntk": lambda d: d.outputs[:, 0, 0] * d.outputs[:, 1, 1] * d.ntk[:, 0, 1, 0, 1],
        "ntk with kernel": lambda d: d.ntk[:, 0, 0, 1, 1] - 2 * d.kernel[:, 1, 1],
    }
    return {label: ks_2samp(*(np.round(feature(d), 9) for d in (a, b))).pvalue for label, feature in features.items()}
