r"""Kernels of networks trained on every turned copy of their data.

Training a network on all copies :math:`\rho(g)f` of its data is gradient flow with the orbit average of its kernel,

.. math:: \Theta^{aug}(f, f') = \frac{1}{|G|}\sum_{g\in G} \Theta\big(f, \rho(g) f'\big),

if turning both inputs leaves the kernel alone, :math:`\Theta(\rho(g)f,\rho(g)f') = \Theta(f,f')`. Where it does not,
no such reduction exists, and the network and group are refused. Source: Gerken and Kessel, *Emergent Equivariance in
Deep Ensembles* (ICML 2024), theorem 1; arXiv 2406.06504, section 4.
"""

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.groups.finite import PLANAR_GROUPS, FiniteGroup, point_group
from ntkfield.groups.windows import windows
from ntkfield.infinite import finite_group, pairs, planar, so3
from ntkfield.networks import MLP, GroupCNN, Kernels, Network
from ntkfield.signals.harmonics import Harmonics


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
    if isinstance(group, str):
        group = group.lower()
    if isinstance(network, MLP):
        route = _mlp_so3 if group == "so3" else _mlp_finite
        return route(network, group, x1, x2, sampling, quadrature)
    if not isinstance(network, GroupCNN):
        raise checks.refuse("network", type(network).__name__, "an ntkfield network, nf.MLP or nf.GroupCNN")
    if network.kind == "so3" or group == "so3":
        if network.group != group:
            raise checks.refuse(
                "group", group, f"a group that acts on the inputs of a network of group {network.group}"
            )
        return network.kernel(x1, x2)  # invariant already: every copy has the same kernel
    return _turned_copies(network, group, x1, x2)


def _mlp_so3(network: MLP, group: str, x1: Any, x2: Any, sampling: str, quadrature: int | None) -> Kernels:
    a, b = (None if x is None else _harmonics(f, x, sampling) for f, x in (("x1", x1), ("x2", x2)))
    limit = a.bandlimit if quadrature is None else checks.whole("quadrature", quadrature, 1)
    return pairs.matrices(functools.partial(so3.orbit_pairs, network, limit), a, b)


def _harmonics(field: str, x: Any, sampling: str) -> Harmonics:
    return x if isinstance(x, Harmonics) else Harmonics.from_grid(checks.array(field, x, "n, theta, phi, c"), sampling)


def _mlp_finite(
    network: MLP, group: str | FiniteGroup, x1: Any, x2: Any, sampling: str, quadrature: int | None
) -> Kernels:
    ranks = {"n, height, width, channels": 4}
    if isinstance(group, FiniteGroup):
        ranks = {"n, points": 2, "n, points, channels": 3} | ranks
    a, b = (None if x is None else _array(field, x, ranks) for field, x in (("x1", x1), ("x2", x2)))
    acting = _acting(group, a.shape)
    if b is not None and a.shape[1:] != b.shape[1:]:
        raise checks.refuse("x2 of shape", b.shape, f"inputs shaped as x1, {a.shape}")
    points = int(np.prod(a.shape[1:3])) if a.ndim == 4 else a.shape[1]
    if points != acting.points:
        raise checks.refuse("x1 of shape", a.shape, f"{acting.points} points, which {acting.name} permutes")
    a, b = (None if x is None else x.reshape(len(x), points, -1) for x in (a, b))
    kernels = finite_group.mlp_average(network, acting, a, a if b is None else b)
    return _symmetric(kernels) if b is None else Kernels(*(jnp.asarray(k) for k in kernels))


def _array(field: str, x: Any, ranks: dict[str, int]) -> np.ndarray:
    axes = next((axes for axes, rank in ranks.items() if np.ndim(x) == rank), None)
    if axes is None:
        raise checks.refuse(f"{field} of shape", np.shape(x), f"an array {' or '.join(f'[{axes}]' for axes in ranks)}")
    return checks.array(field, x, axes)


def _acting(group: str | FiniteGroup, shape: tuple[int, ...]) -> FiniteGroup:
    """The permutations of the points of inputs [n, ...] of a shape."""
    if isinstance(group, FiniteGroup):
        return group
    if not isinstance(group, str) or group not in PLANAR_GROUPS:
        raise checks.refuse("group", group, f"one of so3, {', '.join(PLANAR_GROUPS)}, or a FiniteGroup")
    return point_group(group, *shape[1:3])


def _turned_copies(network: GroupCNN, group: str | FiniteGroup, x1: Any, x2: Any) -> Kernels:
    """The network's own kernel between `x1` and every turned copy of `x2`."""
    if network.kind == "finite":
        a, b = (None if x is None else finite_group.signals(network.group, f, x) for f, x in (("x1", x1), ("x2", x2)))
        if not isinstance(group, FiniteGroup) or group.points != network.group.points:
            raise checks.refuse("group", group, f"a FiniteGroup on the network's {network.group.points} points")
    else:
        a, b = (None if x is None else planar.images(network, f, x) for f, x in (("x1", x1), ("x2", x2)))
    acting = _acting(group, a.shape)
    points = int(np.prod(a.shape[1:-1]))
    if acting.points != points:
        raise checks.refuse("group", acting, f"a group that permutes the {points} points of x1")
    for permutation in acting.permutations:
        if not _leaves_alone(network, permutation, a.shape):
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
    return _symmetric(kernels) if b is None else Kernels(*(jnp.asarray(k) for k in kernels))


def _leaves_alone(network: GroupCNN, permutation: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether permuting the points of both inputs leaves the kernel as it is."""
    if network.kind == "finite":
        return permutation in network.group or (not network.is_local and network.group.normalised_by(permutation))
    own = point_group(network.group, *shape[1:3])
    if not network.is_local:
        return own.normalised_by(permutation)
    return permutation in own or (own.normalised_by(permutation) and _keeps_windows(network, permutation, *shape[1:3]))


def _keeps_windows(network: GroupCNN, permutation: np.ndarray, height: int, width: int) -> bool:
    """Whether a permutation of the pixels takes filter windows to filter windows, their pixels alike, at every layer.

    That is: for each pixel p and step s, the pixel reached from p goes to the pixel reached from where p goes, by a
    step that depends on s alone.
    """
    for _ in range(network.depth):
        reached, (height, width) = windows(network.filter_shape, network.padding, height, width)
        moved = np.append(permutation, -1)[reached]  # the point -1 is the padding, which stays where it is
        if network.padding == "VALID":
            found = {tuple(np.sort(row)): p for p, row in enumerate(reached)}
            permutation = np.array([found.get(tuple(np.sort(row)), -1) for row in moved])
            if (permutation < 0).any():
                return False
        there = reached[permutation]
        if not np.array_equal(moved[:, np.lexsort(moved)], there[:, np.lexsort(there)]):
            return False
    return True


def _symmetric(kernels: Kernels) -> Kernels:
    return Kernels(*(jnp.asarray(0.5 * (k + k.T)) for k in kernels))
