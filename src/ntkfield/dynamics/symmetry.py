r"""Three ways to learn what does not change under a finite group, and their mean predictions to order 1/n.

An equivariant network; an MLP whose output is averaged over all copies of an input; an MLP trained on all copies. At
infinite width the three are one (:mod:`ntkfield.dynamics.augmentation`). With a lifting filter that reaches all points
the first two share every tensor of order 1/n but K1 and Theta1, so that their means differ by Theta1 alone.
"""

import dataclasses
import warnings
from typing import Any

import numpy as np
import xarray as xr

from ntkfield import checks
from ntkfield.dynamics.augmentation import turned_copies
from ntkfield.dynamics.predict import predict
from ntkfield.networks.finite_group import FiniteGroupCNN

KINDS = ("equivariant", "averaged", "copies")
"""Ways to learn what does not change under a group, of which the last two have the weights of an MLP."""


def mean_series(
    network: FiniteGroupCNN, x: Any, y: Any, queries: Any, t: Any, rate: float = 1.0, rtol: float = 1e-4
) -> xr.Dataset:
    r"""Mean predictions to order 1/n of networks that learn by symmetry in three ways.

    ``equivariant`` is `network`; ``averaged`` the MLP of one layer more whose output, the mean over all copies of an
    input, is trained; ``copies`` the same MLP trained on all copies, each weighed by 1 / \|G\| in the loss. At infinite
    width they are one. The spread and drift of the third one's NTK have parts that leave the invariant functions.

    Args:
        network: over a finite group, of a smooth activation, with a lifting filter that reaches all points, no head.
        x: signals [N, points, channels].
        y: targets [N].
        queries: signals [m, points, channels].
        t: time, or 1-d array of times.
        rate: learning rate.
        rtol: as for :func:`~ntkfield.dynamics.predict.predict`.

    Returns:
        ``mean_0``, ``mean_1`` and ``mean_1_error`` over kind, time, query: the limit, the coefficient of 1/n, n the
        channels of every hidden layer, and its error.

    Raises:
        ValueError: naming the field, the value and what is accepted.
    """
    if not isinstance(network, FiniteGroupCNN) or network.head:
        raise checks.refuse("network", repr(network), "an nf.GroupCNN of a finite group, without a head")
    group, plain = network.group, network.plain
    alone = dataclasses.replace(network, group_support=(group.identity,))
    flat = [np.reshape(part, (len(part), -1)) for part in (turned_copies(group, x), queries)]
    cases = (
        (network, x, y, queries, rate),
        (alone, x, y, queries, rate),
        (plain, flat[0], np.tile(y, group.order), flat[1], rate / group.order),
    )
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # of a width that stands for all
        found = [
            predict(net, a, b, c, t, rate=speed, width=1, errors=True, rtol=rtol)[["mean_0", "mean_1", "mean_1_error"]]
            for net, a, b, c, speed in cases
        ]
    return xr.concat(found, "kind", combine_attrs="drop").assign_coords(kind=list(KINDS))
