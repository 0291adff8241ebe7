r"""Kernels of SO(3)-invariant networks by the orbit identity.

With filters that reach over the whole group, every layer's kernel on SO(3) x SO(3) is a function of the relative
rotation alone, and the group part of every convolution is the identity on it:

.. math:: \Theta(f, f') = \int_{SO(3)} \Theta^{MLP}\big(\langle f,f\rangle, c(R), \langle f',f'\rangle\big)\,dR,
   \qquad c(R) = \langle f, \rho(R) f'\rangle = \frac1{4\pi C}\sum_{lmn}\overline{f_{lm}}\, D^l_{mn}(R)\, f'_{ln},

a function of one rotation, O(L³) numbers a pair, instead of one of two. A convolution whose filter reaches only part S
of the group does the same, for :math:`K(g, g') = k(gg'^{-1})` is its own mean over S, :math:`K(gh, g'h) =
k(gh h^{-1}g'^{-1})`: ``group_support`` matters behind a lifting filter of local support alone, for which see
:mod:`ntkfield.infinite.caps`. The correlation :math:`c` is real, so half of
its coefficients suffice. Source: arXiv 2406.06504, theorem 4.1 and section 5, reduced by the identity.
"""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.activations import Activation
from ntkfield.checks import Array
from ntkfield.infinite import atoms, augmented, caps, correlations, errors, layers, pairs, two_index
from ntkfield.infinite.buckets import bucket, pad, padded
from ntkfield.infinite.errors import Rule, Turn
from ntkfield.networks.base import Kernels, Scales, infinite_kernel
from ntkfield.networks.mlp import MLP
from ntkfield.networks.so3 import SphereCNN
from ntkfield.progress import track
from ntkfield.signals.harmonics import Harmonics, grid

# Of the estimate of errors: steps up in the order, and Euler angles of the turn, which are no multiples of a grid's.
RULES: tuple[tuple[int, Turn], ...] = ((1, (0.7, 1.1, 2.3)), (1, (2.9, 0.6, 4.1)), (2, (1.7, 2.2, 0.4)))


@infinite_kernel.register
def kernel(network: SphereCNN, x1: Any, x2: Any = None, turn: Turn | None = None) -> Kernels:
    """NNGP and NTK between real signals on the sphere; see :class:`ntkfield.networks.SphereCNN` for their form."""
    a = as_harmonics(network, "x1", x1)
    b = None if x2 is None else as_harmonics(network, "x2", x2)
    return pairs.matrices(functools.partial(pair_kernels, network, turn=turn), a, b, network)


@errors.kernel_by_rule.register
def _turned(network: SphereCNN, turn: Turn | None, x1: Any, x2: Any = None) -> Kernels:
    return kernel(network, x1, x2, turn)


@errors.other_rules.register
def _other_rules(network: SphereCNN) -> list[Rule]:
    assert network.quadrature is not None  # settled
    finer = ((network.quadrature + step, turn) for step, turn in RULES)
    return [(dataclasses.replace(network, quadrature=order, precision="double"), turn) for order, turn in finer]


@augmented.copies_kernel.register
def copies_kernel(network: SphereCNN, group: Any, x1: Any, x2: Any, grid: augmented.Grid) -> Kernels:
    """The network's own: it is invariant already, and every copy has the same kernel."""
    augmented.check_group(network, group)
    return kernel(network, x1, x2)


@augmented.mlp_copies_kernel.register(SphereCNN)
def mlp_copies_kernel(network: MLP, group: Any, x1: Any, x2: Any, grid: augmented.Grid) -> Kernels:
    """See :func:`ntkfield.infinite.augmented.augmented_kernel`."""
    a = _read("x1", x1, grid.sampling)
    b = None if x2 is None else _read("x2", x2, grid.sampling)
    limit = a.bandlimit if grid.quadrature is None else checks.whole("quadrature", grid.quadrature, 1)
    return pairs.matrices(functools.partial(orbit_pairs, network, limit), a, b)


@atoms.atom_pairs.register
def _atom_pairs(
    network: SphereCNN, a: Harmonics, b: Harmonics, i: np.ndarray, j: np.ndarray, sampling: str, turn: Turn | None
) -> Kernels:
    if network.head:
        raise checks.refuse("network", network, atoms.ACCEPTED)
    return pair_kernels(network, a, b, i, j, turn)


@atoms.atom_variances.register
def _atom_variances(network: SphereCNN, signals: Harmonics, sampling: str) -> Array:
    return signals.mean_squares


def _read(field: str, x: Any, sampling: str) -> Harmonics:
    return x if isinstance(x, Harmonics) else Harmonics.from_grid(checks.array(field, x, "n, theta, phi, c"), sampling)


def pair_kernels(
    network: SphereCNN, a: Harmonics, b: Harmonics, i: np.ndarray, j: np.ndarray, turn: Turn | None = None
) -> Kernels:
    """Kernels of the pairs (a[i], b[j]) only, after pooling and readout, without the head.

    Args:
        network: which one.
        a: signals [n1, L, 2L-1, c].
        b: signals [n2, L, 2L-1, c].
        i: indices into `a` [pairs].
        j: indices into `b` [pairs].
        turn: of `b`, as a witness of the quadrature's error; None for none.

    Returns:
        Kernels as arrays [pairs]: NumPy's, unless JAX traces the signals.
    """
    b = b if turn is None else b.rotate(*turn)
    if network.is_local:
        return _cap_pairs(network, a, b, i, j)
    plain, quadrature = network.plain, network.quadrature
    assert isinstance(plain, MLP)
    assert quadrature is not None  # settled
    return orbit_pairs(plain, quadrature, a, b, i, j, network.precision == "single")


def _cap_pairs(network: SphereCNN, a: Harmonics, b: Harmonics, i: np.ndarray, j: np.ndarray) -> Kernels:
    """Kernels [pairs] of a network whose lifting filter reaches a cap."""
    assert network.quadrature is not None  # settled
    assert network.support is not None
    _check_shapes(a, b)
    rule, single = caps.Rule(a.bandlimit, network.quadrature, network.support), network.precision == "single"

    def squares(f: Harmonics) -> np.ndarray:
        waves = caps.cap_squares(rule.bandlimit, rule.cap, jnp.asarray(f.coefficients))
        return np.asarray(caps.variances(rule, waves))

    layers.check_series(network.depth, network.activation, network.scales, squares, a, b)
    form = (network.depth, network.activation, network.scales, rule)
    if network.depth > 1 and network.group_support is None:
        return caps.relative_kernels(*form, single, a, b, i, j)
    return two_index.kernels(*form, network.group_support, single, a, b, i, j)


def orbit_pairs(
    plain: MLP, quadrature: int, a: Harmonics, b: Harmonics, i: np.ndarray, j: np.ndarray, single: bool = False
) -> Kernels:
    """Means over rotations of an MLP's kernels of the pairs (a[i], b[j]), as arrays [pairs].

    Args:
        plain: the MLP, which reads signals by their mean product over sphere and channels.
        quadrature: band-limit of the quadrature over rotations.
        a: signals [n1, L, 2L-1, c].
        b: signals [n2, L, 2L-1, c].
        i: indices into `a` [pairs].
        j: indices into `b` [pairs].
        single: whether to compute at each rotation in single precision.
    """
    _check_shapes(a, b)
    layers.check_series(plain.depth - 1, plain.activation, plain.scales, lambda f: f.mean_squares, a, b)
    number = np.complex64 if single else np.complex128
    route = correlations.route(a.bandlimit, quadrature)
    left, right = (_rows(route, jnp.asarray(padded(f.coefficients), number)) for f in (a, b))
    chunk = min(max(8, pairs.at_once(len(route.weights))), bucket(len(i)))
    static = (plain.depth, plain.activation, route)
    variances, parts = (a.mean_squares, b.mean_squares), []
    for start in track(range(0, len(i), chunk), f"SO(3) kernels of {len(i)} pairs"):
        rows, columns = (pad(k[start : start + chunk], chunk) for k in (i, j))
        # What fills a chunk up is a pair too: variances that did not fit its correlation would give forces of NaN.
        own = variances[0][rows], variances[1][columns]
        parts.append(_pairs(*static, plain.scales, left, right, rows, columns, *own))
    return pairs.joined(parts, len(i))


def _check_shapes(a: Harmonics, b: Harmonics) -> None:
    """Refuse signals of different band-limits or channels."""
    if a.coefficients.shape[1:] != b.coefficients.shape[1:]:
        raise checks.refuse("x2 of shape", b.coefficients.shape, f"signals shaped as x1, {a.coefficients.shape}")


@functools.partial(jax.jit, static_argnums=0)
def _rows(route: correlations.Route, coefficients: jax.Array) -> tuple[jax.Array, ...]:
    return route.rows(coefficients)


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _pairs(
    depth: int,
    activation: Activation,
    route: correlations.Route,
    scales: Scales,
    left: tuple[jax.Array, ...],
    right: tuple[jax.Array, ...],
    i: jax.Array,
    j: jax.Array,
    q11: jax.Array,
    q22: jax.Array,
) -> Kernels:
    c = route.at_nodes(tuple(f[i] for f in left), tuple(f[j] for f in right))
    scales = jax.tree.map(lambda scale: jnp.asarray(scale, c.dtype), scales)
    q11, q22 = (q[:, None].astype(c.dtype) for q in (q11, q22))
    kernels = layers.recursion(depth, activation, scales, q11, c, q22)
    return Kernels(*(jnp.sum(k * route.weights, axis=1) for k in kernels))  # weights are double, and so are the sums


def as_harmonics(network: SphereCNN, field: str, x: Any) -> Harmonics:
    """Signals given as harmonics or as samples on the network's grid, as harmonics of the network's band-limit."""
    if isinstance(x, Harmonics):
        if x.bandlimit != network.bandlimit:
            raise checks.refuse(f"{field}.bandlimit", x.bandlimit, f"the network's, {network.bandlimit}")
        return x
    samples = checks.array(field, x, "n, theta, phi, c")
    assert network.bandlimit is not None  # settled
    expected = grid(network.bandlimit, network.sampling).shape
    if samples.shape[1:3] != expected:
        raise checks.refuse(
            f"{field} of shape",
            samples.shape,
            f"[n, {expected[0]}, {expected[1]}, c], the {network.sampling} grid of band-limit {network.bandlimit}",
        )
    return Harmonics.from_grid(samples, network.sampling)
