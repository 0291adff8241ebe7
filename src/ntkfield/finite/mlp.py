"""The wiring of fully connected networks: one position for each input, nothing tied but channels."""

from typing import Any

from ntkfield import checks
from ntkfield.finite.wiring import Wiring, products, wiring
from ntkfield.networks.mlp import MLP


@wiring.register
def mlp(network: MLP, inputs: Any) -> Wiring:
    """See :mod:`ntkfield.finite.wiring`; inputs [n, d]."""
    x = checks.array("inputs", inputs, "m, d")
    depth = network.depth
    return Wiring(products(x[:, None, :, None]), (1,) * depth, (None,) * (depth - 1), 0, {}, ())
