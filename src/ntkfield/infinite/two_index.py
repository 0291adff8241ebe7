r"""The recursion on pairs of rotations, for SO(3) networks whose filters reach polar caps.

A cap is mapped to itself by rotations about the pole, so that :math:`K(gR_z, g'R_z) = K(g, g')` holds at every layer,
and one angle of :math:`g'` is nought: five angles, :math:`Q^2(2Q-1)^3` numbers. With

.. math:: K(g, g') = \sum \hat K^{ll'}_{mn,m'n}\, D^l_{mn}(g)\,\overline{D^{l'}_{m'n}(g')}, \qquad
   \frac1{|S|}\int_S K(gh, g'h)\,dh = \sum D^l_{mp}(g)\,\overline{D^{l'}_{m'p}(g')}
   \sum_n M^{ll'}_{pn} \hat K^{ll'}_{mn,m'n}, \quad M^{ll'}_{pn} = \langle d^l_{pn} d^{l'}_{pn}\rangle_S.

The activations are taken on the nodes of g and of g', and a convolution forgets degrees :math:`l\ge Q`: these are the
kernels of the layers of :mod:`ntkfield.bridge.so3`, to rounding, and on any inputs positive semi-definite.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.activations import Activation
from ntkfield.groups.so3 import Cap, rotation_grid
from ntkfield.infinite import layers, pairs
from ntkfield.infinite.buckets import pad, padded, power
from ntkfield.infinite.caps import Rule, barrier, lifted, products, separate_table, waves
from ntkfield.networks.base import Kernels, Scales
from ntkfield.progress import track
from ntkfield.signals.harmonics import Harmonics
from ntkfield.signals.wigner import small_wigner

MOST = 2**25
"""Numbers in an array over the five angles that a pair may take, 256 MiB."""


def check_size(rule: Rule) -> None:
    """Refuse a quadrature whose arrays no memory has room for."""
    if rule.size > MOST:
        fits = next(q for q in range(rule.quadrature, 0, -1) if q**2 * (2 * q - 1) ** 3 <= MOST)
        accepted = f"at most {fits} for a kernel on pairs of rotations, {MOST} numbers for two inputs"
        raise checks.refuse("quadrature", rule.quadrature, accepted)


def kernels(
    depth: int,
    activation: Activation,
    scales: Scales,
    rule: Rule,
    group_cap: float | None,
    single: bool,
    a: Harmonics,
    b: Harmonics,
    i: np.ndarray,
    j: np.ndarray,
) -> Kernels:
    """Kernels [pairs] of the pairs (a[i], b[j]) after pooling and readout.

    Args:
        depth: number of convolutions.
        activation: after each.
        scales: variances and rates.
        rule: cap of the lifting filter, and quadrature.
        group_cap: of the other filters; None for the whole group.
        single: whether to compute in single precision but for the last mean.
        a: signals [n1, L, 2L-1, c].
        b: signals [n2, L, 2L-1, c].
        i: indices into `a` [pairs].
        j: indices into `b` [pairs].
    """
    check_size(rule)
    static = (depth, activation, rule, np.pi if group_cap is None else group_cap, single)
    most = pairs.at_once(rule.size)
    signals = [jnp.asarray(padded(f.coefficients)) for f in (a, b)]
    own = [_own_variances(static, scales, f, min(most, power(len(f)))) for f in (signals[:1] if a is b else signals)]
    chunk, parts = min(most, power(len(i))), []
    for start in track(range(0, len(i), chunk), f"SO(3) kernels of {len(i)} pairs on pairs of rotations"):
        rows, columns = (pad(k[start : start + chunk], chunk) for k in (i, j))
        parts.append(_pairs(*static, scales, *signals, own[0], own[-1], rows, columns))
    return pairs.joined(parts, len(i))


def _own_variances(static: tuple, scales: Scales, f: jax.Array, chunk: int) -> jax.Array:
    """Variances [n, layers, Q, A] before each activation."""
    starts = range(0, len(f), chunk)
    index = [pad(np.arange(start, min(start + chunk, len(f))), chunk) for start in starts]
    return jnp.concatenate([_own(*static, scales, f, k) for k in index])[: len(f)]


@functools.partial(jax.jit, static_argnums=(0, 1, 2, 3, 4))
def _own(
    depth: int,
    activation: Activation,
    rule: Rule,
    group_cap: float,
    single: bool,
    scales: Scales,
    f: jax.Array,
    n: jax.Array,
) -> jax.Array:
    scales, k = _start(rule, single, scales, f[n], f[n])
    found = []
    for layer in range(depth):
        if layer:
            k = convolved(rule.quadrature, group_cap, k)
        k = scales.kernel(k)
        found.append(jnp.maximum(jnp.einsum("xbbaa->xba", k[:, :, :, :, 0]), 0.0))  # g = g'
        q11, q22 = _sides(found[-1], found[-1])
        k = activation.two_point(q11, k, q22) if layer < depth - 1 else k
    return jnp.stack(found, axis=1)


@functools.partial(jax.jit, static_argnums=(0, 1, 2, 3, 4))
def _pairs(
    depth: int,
    activation: Activation,
    rule: Rule,
    group_cap: float,
    single: bool,
    scales: Scales,
    left: jax.Array,
    right: jax.Array,
    own1: jax.Array,
    own2: jax.Array,
    i: jax.Array,
    j: jax.Array,
) -> Kernels:
    narrow, k = _start(rule, single, scales, left[i], right[j])
    theta = jnp.zeros_like(k)
    for layer in range(depth):
        if layer:
            k, theta = (convolved(rule.quadrature, group_cap, each) for each in (k, theta))
        k, theta = narrow.kernel(k), narrow.ntk(k, theta)
        q11, q22 = _sides(own1[i, layer], own2[j, layer])
        _, k, _, theta = layers.activate(layers.Pair(q11, k, q22, theta), activation)
    weights, grid = rule.weights, rotation_grid(rule.bandlimit, rule.quadrature)
    nngp, ntk = (jnp.einsum("xbtagf,b,t->x", each, grid.weights, weights, optimize=True) for each in (k, theta))
    return Kernels(scales.kernel(nngp), scales.ntk(nngp, ntk))


def _start(rule: Rule, single: bool, scales: Scales, f: jax.Array, g: jax.Array) -> tuple[Scales, jax.Array]:
    product = products(f, g)
    k = lifted(rule, separate_table(rule), product.astype(np.complex64) if single else product)
    return jax.tree.map(lambda scale: jnp.asarray(scale, k.dtype), scales), k


def _sides(q11: jax.Array, q22: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Variances [pairs, Q, A] along the axes of a kernel over beta, theta, alpha, gamma, phi."""
    return q11[:, :, None, :, None, None], q22[:, None, :, None, None, :]


@functools.lru_cache(maxsize=8)
def _moments(quadrature: int, cap: float) -> np.ndarray:
    """M over l, l', p, n [Q, Q, 2Q-1, 2Q-1]."""
    nodes = Cap.of(quadrature, cap)
    wigner = small_wigner(quadrature, nodes.beta)
    return np.einsum("b,lbpn,kbpn->lkpn", nodes.weights, wigner, wigner, optimize=True)


def convolved(quadrature: int, cap: float, k: jax.Array) -> jax.Array:
    """The mean over a cap's rotations of a kernel [pairs, Q, Q, A, A, A], for its part of degrees below Q."""
    grid, real = rotation_grid(quadrature, quadrature), k.dtype
    number, count = np.result_type(real, np.complex64), len(grid.angles)
    full = small_wigner(quadrature, grid.beta)
    forward = (2 * np.arange(quadrature) + 1)[:, None, None, None] * grid.weights[:, None, None] * full * count
    half, phase = slice(quadrature - 1, None), grid.phase_gamma
    # The weights of a node's three angles on one side; those of the other are two, for its third is nought.
    waves_m = phase[half].conj() / count
    parts = jnp.einsum("xbtagf,ma->xbtmgf", k, np.concatenate([waves_m.real, waves_m.imag]).astype(real))
    spectrum = barrier(jax.lax.complex(parts[:, :, :, :quadrature], parts[:, :, :, quadrature:]))
    spectrum = barrier(jnp.einsum("...gf,ng->...nf", spectrum, phase.conj().astype(number)))
    spectrum = barrier(jnp.einsum("...nf,qf->...nq", spectrum, phase.astype(number)))
    hat = barrier(jnp.einsum("lbmn,xbtmnq->xltmnq", forward[:, :, half].astype(real), spectrum))
    hat = barrier(jnp.einsum("ktqn,xltmnq->xlkmnq", forward.astype(real), hat))
    hat = barrier(jnp.einsum("lkpn,xlkmnq->xlkmpq", _moments(quadrature, cap).astype(real), hat))
    spectrum = barrier(jnp.einsum("ktqp,xlkmpq->xltmpq", full.astype(real), hat))
    spectrum = barrier(jnp.einsum("lbmp,xltmpq->xbtmpq", full[:, :, half].astype(real), spectrum))
    return waves(quadrature, quadrature, spectrum)
