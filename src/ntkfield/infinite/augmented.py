r"""Kernels of networks trained on every turned copy of their data.

Training a network on all copies :math:`\rho(g)f` of its data is gradient flow with the orbit average of its kernel,

.. math:: \Theta^{aug}(f, f') = \frac{1}{|G|}\sum_{g\in G} \Theta\big(f, \rho(g) f'\big),

if turning both inputs leaves the kernel alone, :math:`\Theta(\rho(g)f,\rho(g)f') = \Theta(f,f')`. Where it does not,
no such reduction exists, and the network and group are refused. Source: Gerken and Kessel, *Emergent Equivariance in
Deep Ensembles* (ICML 2024), theorem 1; arXiv 2406.06504, section 4.
"""

from typing import Any, NamedTuple, Protocol

import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.groups.finite import FiniteGroup
from ntkfield.networks.base import Kernels, Network, unknown
from ntkfield.networks.group_cnn import GroupCNN, family
from ntkfield.networks.mlp import MLP
from ntkfield.networks.routes import route


class Grid(NamedTuple):
    """How an MLP sees signals on the sphere, and the band-limit of the quadrature over rotations."""

    sampling: str
    quadrature: int | None


def augmented_kernel(
    network: Network,
    group: str | FiniteGroup,
    x1: Any,
    x2: Any = None,
    *,
    sampling: str = "gl",
    quadrature: int | None = None,
) -> Kernels:
    r"""Orbit average of a network's NNGP and NTK over a group: the kernels of training it on all turned copies.

    Args:
        network: an :class:`~ntkfield.networks.MLP`, or a :class:`~ntkfield.networks.GroupCNN` whose kernel does not
            change when the group turns both inputs.
        group: "c1", "c4" or "d4", which turn images; a :class:`~ntkfield.groups.finite.FiniteGroup`, which permutes
            points; or "so3", which rotates signals on the sphere. Capitals stand for small letters.
        x1: inputs. For an MLP: images [n1, height, width, channels] (c1, c4, d4), signals [n1, \|X\|, channels] or
            [n1, \|X\|] or images of \|X\| pixels (finite group), or samples [n1, theta, phi, channels] or
            :class:`~ntkfield.signals.harmonics.Harmonics` (so3); it reads them flattened, and signals on the sphere by
            their mean product over it. For a GroupCNN: what the network takes.
        x2: likewise; `x1` again if not given.
        sampling: so3 with an MLP: grid of samples, "gl", "dh" or "mw".
        quadrature: so3 with an MLP: band-limit of the quadrature over rotations; the signals' own if None.

    Returns:
        Kernels with arrays [n1, n2], exact but for the quadratures named here and in the network.

    Raises:
        ValueError: naming the field, the value and what is accepted.
    """
    return copies_kernel(
        network, group.lower() if isinstance(group, str) else group, x1, x2, Grid(sampling, quadrature)
    )


@route("infinite")
def copies_kernel(network: Network, group: Any, x1: Any, x2: Any, grid: Grid) -> Kernels:
    """The route for a network of one type, found as its kernel is."""
    raise unknown(network)


@route("infinite")
def mlp_copies_kernel(network: MLP, group: Any, x1: Any, x2: Any, grid: Grid) -> Kernels:
    """The route for an MLP under one family of groups, registered for the family's networks."""
    raise checks.refuse("group", group, "a group that acts on the inputs of an MLP")


@copies_kernel.register
def _mlp(network: MLP, group: Any, x1: Any, x2: Any, grid: Grid) -> Kernels:
    return mlp_copies_kernel.of(family(group))(network, group, x1, x2, grid)


def check_group(network: GroupCNN, group: Any) -> None:
    """Refuse a group that does not act on what the network reads."""
    if family(group) is not type(network):
        raise checks.refuse("group", group, f"a group that acts on the inputs of a network of group {network.group}")


class LeavesAlone(Protocol):
    """Whether permuting the points of both inputs [n, ...] leaves a network's kernel as it is."""

    def __call__(self, permutation: np.ndarray, shape: tuple[int, ...]) -> bool: ...


def turned_copies(
    network: GroupCNN, acting: FiniteGroup, a: np.ndarray, b: np.ndarray | None, leaves_alone: LeavesAlone
) -> Kernels:
    """A network's own kernel between `a` and every turned copy of `b` (`a` again if None), averaged over the copies.

    Args:
        network: any network.
        acting: permutations of the points of the inputs, all axes but the first and the last.
        a: inputs [n1, ..., channels].
        b: inputs [n2, ..., channels].
        leaves_alone: says of each permutation whether the average is the kernel of training on all copies.
    """
    points = int(np.prod(a.shape[1:-1]))
    if acting.points != points:
        raise checks.refuse("group", acting, f"a group that permutes the {points} points of x1")
    for permutation in acting.permutations:
        if not leaves_alone(permutation, a.shape):
            raise checks.refuse(
                "group",
                acting,
                f"a group that leaves the kernel alone when it turns both inputs: {permutation[:8]}... of "
                "the points does not, so that training on all copies is not training with an averaged kernel",
            )
    right = a if b is None else b
    copies = acting.orbit(right.reshape(len(right), points, -1)).reshape(-1, *right.shape[1:])
    means = (np.asarray(k).reshape(len(a), len(right), acting.order).mean(axis=2) for k in network.kernel(a, copies))
    kernels = Kernels(*means)
    return symmetric(kernels) if b is None else Kernels(*(jnp.asarray(k) for k in kernels))


def symmetric(kernels: Kernels) -> Kernels:
    """Kernels of inputs with themselves, rid of the order of the two."""
    return Kernels(*(jnp.asarray(0.5 * (k + k.T)) for k in kernels))
