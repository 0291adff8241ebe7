"""Fully connected networks as samplers draw them."""

from typing import Any

import numpy as np

from ntkfield import checks
from ntkfield.networks.mlp import MLP
from ntkfield.sampling.draws import Setting, sampled


@sampled.register
def mlp(network: MLP, inputs: Any) -> tuple[np.ndarray, Setting]:
    """See :func:`ntkfield.sampling.draws.sampled`; inputs [m, d]."""
    if network.depth < 2:
        raise checks.refuse("network.depth", network.depth, "2 or above: a network with a hidden layer")
    return checks.array("inputs", inputs, network.axes), Setting(network.activation, orthogonal=network.orthogonal)
