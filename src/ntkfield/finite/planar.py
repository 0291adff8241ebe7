r"""The wiring of networks on images: positions are pairs of a pixel p and an element g of the point group.

A step s of a local filter, together with an element k, leads from (p, g) to :math:`(p + gs, gk)`: with "CIRCULAR"
padding shifts and point group are one finite group, with "SAME" steps that leave the image meet zeros, which count in
the mean over a filter, and with "VALID" every layer has fewer pixels.
"""

from typing import Any

import numpy as np

from ntkfield.finite.finite_group import over_group
from ntkfield.finite.wiring import Wiring, pooled, products, tied, wiring
from ntkfield.groups.finite import point_action, point_group
from ntkfield.groups.windows import windows
from ntkfield.infinite.planar import images
from ntkfield.networks.planar import PlanarCNN


@wiring.register
def planar(network: PlanarCNN, inputs: Any) -> Wiring:
    """See :mod:`ntkfield.finite.wiring`; images [n, height, width, channels]."""
    x = images(network, "inputs", inputs)
    n, height, width, channels = x.shape
    x = x.reshape(n, height * width, channels)
    if not network.is_local:
        group = point_group(network.group, height, width)
        return over_group(network, group, x, np.arange(group.points), np.arange(group.order))
    assert isinstance(network.filter_shape, tuple)  # settled, where filters are local
    assert network.padding is not None
    turned = point_action(network.group, *network.filter_shape)
    table = point_group(network.group, 2, 2).products
    order, sides = len(table), (height, width)
    reads = []  # of each convolution: the pixel below that each position's steps reach [pixels, elements, steps]
    for _ in range(network.depth):
        reached, sides = windows(network.filter_shape, network.padding, *sides)
        reads.append(reached[:, turned])
    positions = tuple(len(pixels) * order for pixels in reads)
    padded = np.concatenate([x, np.zeros((n, 1, channels))], axis=1)  # the pixel -1 is the padding
    lifted = padded[:, reads[0].reshape(positions[0], -1)]
    ties = (tied(_with_elements(pixels, table), below) for pixels, below in zip(reads[1:], positions, strict=False))
    pixel = np.repeat(np.arange(len(reads[0])), order)
    return Wiring(
        product=products(lifted),
        positions=positions + (1,) * (1 + network.head),
        means=(*ties, pooled(positions[-1])) + (None,) * network.head,
        hidden=network.depth,
        labels={"pixel": pixel, "element": np.tile(np.arange(order), len(reads[0]))},
        symmetry=tuple((np.arange(len(p))[:, None] * order + table.T[:, None, :]).reshape(order, -1) for p in reads),
    )


def _with_elements(pixels: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Positions that the steps of a group convolution reach, [pixels elements, steps elements]; -1 for the padding.

    Args:
        pixels: that a filter's steps reach [pixels, elements, steps].
        table: the point group's products.
    """
    order = len(table)
    found = np.where(pixels[..., None] < 0, -1, pixels[..., None] * order + table[None, :, None, :])
    return found.reshape(len(pixels) * order, -1)
