"""The wiring of fully connected networks: one position for each input, nothing tied but channels."""

from typing import Any

from ntkfield import checks
from ntkfield.finite.wiring import Wiring, products, wiring
from ntkfield.networks.mlp import MLP


@wiring.register
def mlp(network: MLP, inputs: Any) -> Wiring:
    """See :mod:`ntkfield.finite.wiring`; inputs [n, d]."""
    x = checks.array("inputs", inputs, "m, d")
    return Wiring(
        product=products(x[:, None, :, None]),
        positions=(1,) * network.depth,
        means=(None,) * (network.depth - 1),
        hidden=0,
        labels={},
        symmetry=(),
        orthogonal=network.orthogonal,
    )
