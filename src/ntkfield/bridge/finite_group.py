"""Networks over finite groups as layers of neural-tangents."""

from ntkfield.bridge.networks import stacked
from ntkfield.bridge.steps import GroupConv, GroupLifting, GroupPool
from ntkfield.networks.base import stax_layer
from ntkfield.networks.finite_group import FiniteGroupCNN


@stax_layer.register
def layers(network: FiniteGroupCNN, width: int) -> tuple:
    """See :meth:`ntkfield.networks.Network.to_stax`."""
    lift, step = ((network.group, width, reach) for reach in (network.support, network.group_support))
    return stacked(network, width, lambda o: (GroupLifting(*lift, **o), GroupConv(*step, **o), GroupPool()))
