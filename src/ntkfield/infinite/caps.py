r"""Kernels of SO(3)-invariant networks whose lifting filter reaches a polar cap.

White noise on the cap :math:`C = \{n: \beta(n)\le\beta_{max}\}` lifts signals to

.. math:: K_1(g, g') = \frac{1}{|C|}\int_C \langle f(gn)\,f'(g'n)\rangle_c\,dn
   = \sum_{ll'mm'p} P^{ll'}_{mm'}\, D^l_{mp}(g)\, \overline{D^{l'}_{m'p}(g')}\, N^p_{ll'}, \qquad
   P^{ll'}_{mm'} = \langle\overline{f_{lm}}\,f'_{l'm'}\rangle_c,\quad
   N^p_{ll'} = \langle\overline{Y_{lp}}\,Y_{l'p}\rangle_C,

angle brackets being means over channels and over the cap. It is no function of :math:`gg'^{-1}`, but rotations about
the pole map the cap to itself, so that :math:`K(gR_z, g'R_z) = K(g, g')`: five angles, not six. With the identity the
means over filters and over the group become

- where the other filters reach the whole group, behind the first activation :math:`\kappa` a function of one rotation,

  .. math:: K_2(r) = \int_{SO(3)} \kappa(K_1)(rh, h)\,dh,

  on which every later convolution is the identity, as in :mod:`ntkfield.infinite.so3`: depth costs nothing more. The
  angles are those of :math:`r = R(\alpha,\beta,\gamma)` and of the pole's image :math:`(\theta,\phi)` under h,

  .. math:: K_1 = \sum e^{-im\alpha} d^l_{mk}(\beta)\, e^{-ik\psi}\, W^\theta_{lk,l'm'}\, e^{im'\phi} P^{ll'}_{mm'},
     \quad \psi = \gamma + \phi, \quad W^\theta_{lk,l'm'} = \sum_p d^l_{kp}(\theta)\, N^p_{ll'}\, d^{l'}_{m'p}(\theta);

- otherwise, and at depth 1, the recursion on pairs of rotations (:mod:`ntkfield.infinite.two_index`).

Both are sums of one form, and exact but for the quadratures over the five angles. Worked out here.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield.activations import Activation
from ntkfield.groups.so3 import Cap, rotation_grid
from ntkfield.infinite import layers, pairs
from ntkfield.infinite.buckets import pad, padded, power
from ntkfield.networks.base import Kernels, Scales
from ntkfield.progress import track
from ntkfield.signals.harmonics import Harmonics
from ntkfield.signals.wigner import small_wigner

# Left to itself, XLA fuses each step of a sum over waves into the next and repeats it for every element of the next.
barrier = jax.lax.optimization_barrier


@dataclasses.dataclass(frozen=True)
class Rule:
    """A lifting filter's cap and the quadrature: Q nodes in each polar angle, A = 2Q - 1 in each other.

    Attributes:
        bandlimit: degrees l < L of the signals.
        quadrature: Q.
        cap: polar angle in radians.
    """

    bandlimit: int
    quadrature: int
    cap: float

    @property
    def size(self) -> int:
        """Numbers in an array over the five angles."""
        return self.quadrature**2 * (2 * self.quadrature - 1) ** 3

    @property
    def weights(self) -> np.ndarray:
        """Of a direction at each polar angle [Q]; their sum times A is one."""
        return rotation_grid(self.bandlimit, self.quadrature).weights * (2 * self.quadrature - 1)


@functools.lru_cache(maxsize=8)
def overlaps(bandlimit: int, cap: float) -> np.ndarray:
    """N over l, l' and p = 1 - L, ..., L - 1: mean products of harmonics on the cap."""
    nodes = Cap.of(bandlimit, cap)
    zonal = small_wigner(bandlimit, nodes.beta)[..., bandlimit - 1]
    zonal = zonal * np.sqrt((2 * np.arange(bandlimit) + 1) / (4 * np.pi))[:, None, None]
    return np.einsum("b,lbp,kbp->lkp", nodes.weights, zonal, zonal)


@functools.lru_cache(maxsize=8)
def separate_table(rule: Rule) -> np.ndarray:
    """What multiplies P for two rotations, the third angle of one in place of both: [Q, L, 2L-1, L, 2L-1]."""
    wigner = small_wigner(rule.bandlimit, rotation_grid(rule.bandlimit, rule.quadrature).beta)
    return np.einsum("lcp,ctmp->tlpcm", overlaps(rule.bandlimit, rule.cap), wigner)


@functools.lru_cache(maxsize=8)
def relative_table(rule: Rule) -> np.ndarray:
    """W over theta, l, k, l', m' [Q, L, 2L-1, L, 2L-1]."""
    wigner = small_wigner(rule.bandlimit, rotation_grid(rule.bandlimit, rule.quadrature).beta)
    between = overlaps(rule.bandlimit, rule.cap)
    return np.einsum("ltkp,lcp,ctmp->tlkcm", wigner, between, wigner, optimize=True)


def products(left: jax.Array, right: jax.Array) -> jax.Array:
    """P [pairs, L, L, L, 2L-1] over l, m >= 0, l', m' of coefficients [pairs, L, 2L-1, c]."""
    half = left[:, :, left.shape[1] - 1 :].conj()
    return barrier(jnp.einsum("xlmc,xkqc->xlmkq", half, right) / left.shape[-1])


def lifted(rule: Rule, table: np.ndarray, product: jax.Array) -> jax.Array:
    """K1 at all nodes, real [pairs, Q, Q, A, A, A] over beta, theta, alpha, the angle of k, phi."""
    real = product.real.dtype
    wigner = rotation_grid(rule.bandlimit, rule.quadrature).wigner.astype(real)
    inner = barrier(jnp.einsum("tlkcn,xlmcn->xtlmkn", table.astype(real), product))
    outer = barrier(jnp.einsum("lbmk,xtlmkn->xbtmkn", wigner, inner))
    return waves(rule.bandlimit, rule.quadrature, outer)


def waves(bandlimit: int, quadrature: int, spectrum: jax.Array) -> jax.Array:
    r"""The real sum of :math:`e^{-im\alpha} e^{-ik\gamma} e^{im'\phi}` times a spectrum [..., m, k, m'], m >= 0.

    Args:
        bandlimit: L, with m < L and 2L - 1 orders k and m'.
        quadrature: Q, with A nodes in each angle.
        spectrum: complex, its half for m < 0 following from reality.

    Returns:
        Array [..., A, A, A].
    """
    grid, complex_ = rotation_grid(bandlimit, quadrature), spectrum.dtype
    phase = grid.phase_gamma.astype(complex_)
    spectrum = barrier(jnp.einsum("...kn,nf->...kf", spectrum, phase.conj()))
    spectrum = barrier(jnp.einsum("...kf,kg->...gf", spectrum, phase))
    parts = jnp.concatenate([spectrum.real, spectrum.imag], axis=-3)
    return barrier(jnp.einsum("...mgf,ma->...agf", parts, grid.phase_alpha.astype(parts.dtype)))


def at_directions(bandlimit: int, quadrature: int, u: jax.Array) -> jax.Array:
    r"""Samples [n, Q, A, c] of :math:`\sum_{lm} u_{lm} D^l_{m0}`, a real function of the pole's image.

    Args:
        bandlimit: L.
        quadrature: Q.
        u: coefficients of order m >= 0 [n, L, L, c].
    """
    grid = rotation_grid(bandlimit, quadrature)
    rings = jnp.einsum("lbm,nlmc->nbmc", grid.wigner[..., bandlimit - 1], u)
    parts = jnp.concatenate([rings.real, rings.imag], axis=2)
    return jnp.einsum("nbmc,ma->nbac", parts, grid.phase_alpha)


@functools.partial(jax.jit, static_argnums=(0, 1))
def cap_squares(bandlimit: int, cap: float, coefficients: jax.Array) -> jax.Array:
    r"""Waves [n, 2L-1, 2L-1] of :math:`K_1(g, g)`, a function of the pole's image, of signals [n, L, 2L-1, c].

    Squares have degrees l < 2L - 1; a mean over the cap multiplies each by that of its Legendre polynomial.
    """
    limit = 2 * bandlimit - 1
    factors = np.sqrt((2 * np.arange(bandlimit) + 1) / (4 * np.pi))[:, None, None]
    samples = at_directions(bandlimit, limit, coefficients[:, :, bandlimit - 1 :].conj() * factors)
    grid, nodes = rotation_grid(limit, limit), Cap.of(limit, cap)
    legendre = np.polynomial.legendre.legvander(np.cos(nodes.beta), limit - 1).T @ nodes.weights
    zonal = grid.wigner[..., limit - 1] * (grid.weights * len(grid.angles))[:, None]
    zonal = zonal * (legendre * (2 * np.arange(limit) + 1))[:, None, None]
    rings = jnp.einsum("nba,ma->nbm", jnp.mean(samples**2, axis=-1), grid.phase_gamma[limit - 1 :].conj())
    return jnp.einsum("lbm,nbm->nlm", zonal, rings)


@functools.partial(jax.jit, static_argnums=0)
def variances(rule: Rule, squares: jax.Array) -> jax.Array:
    """K1(g, g) at directions [n, Q, A]; where it vanishes, rounding would make it negative."""
    limit = 2 * rule.bandlimit - 1
    return jnp.maximum(at_directions(limit, rule.quadrature, squares[..., None])[..., 0], 0.0)


def turned_variances(rule: Rule, squares: jax.Array) -> jax.Array:
    """K1(rh, rh) [n, Q, Q, A, A] over beta, theta, alpha, psi."""
    limit = 2 * rule.bandlimit - 1
    grid = rotation_grid(limit, rule.quadrature)
    tilted = small_wigner(limit, grid.beta)[..., limit - 1]  # [l, theta, k]
    spectrum = barrier(jnp.einsum("lbmk,ltk,nlm->nbtmk", grid.wigner, tilted, squares, optimize=True))
    spectrum = barrier(jnp.einsum("nbtmk,kg->nbtmg", spectrum, grid.phase_gamma))
    parts = jnp.concatenate([spectrum.real, spectrum.imag], axis=3)
    return jnp.maximum(barrier(jnp.einsum("nbtmg,ma->nbtag", parts, grid.phase_alpha)), 0.0)


def relative_kernels(
    depth: int,
    activation: Activation,
    scales: Scales,
    rule: Rule,
    single: bool,
    a: Harmonics,
    b: Harmonics,
    i: np.ndarray,
    j: np.ndarray,
) -> Kernels:
    """Kernels [pairs] of the pairs (a[i], b[j]) after pooling and readout, filters over the whole group but the first.

    Args:
        depth: number of convolutions.
        activation: after each.
        scales: variances and rates.
        rule: cap and quadrature.
        single: whether to compute at each pair of rotations in single precision.
        a: signals [n1, L, 2L-1, c].
        b: signals [n2, L, 2L-1, c].
        i: indices into `a` [pairs].
        j: indices into `b` [pairs].
    """
    signals = [jnp.asarray(padded(f.coefficients)) for f in (a, b)]
    squares = [cap_squares(rule.bandlimit, rule.cap, f) for f in signals]
    chunk, parts = min(pairs.at_once(rule.size), power(len(i))), []
    for start in track(range(0, len(i), chunk), f"SO(3) kernels of {len(i)} pairs on caps"):
        rows, columns = (pad(k[start : start + chunk], chunk) for k in (i, j))
        parts.append(_relative(depth, activation, rule, single, scales, *signals, *squares, rows, columns))
    return pairs.joined(parts, len(i))


@functools.partial(jax.jit, static_argnums=(0, 1, 2, 3))
def _relative(
    depth: int,
    activation: Activation,
    rule: Rule,
    single: bool,
    scales: Scales,
    left: jax.Array,
    right: jax.Array,
    squares1: jax.Array,
    squares2: jax.Array,
    i: jax.Array,
    j: jax.Array,
) -> Kernels:
    product = products(left[i], right[j])
    q12 = lifted(rule, relative_table(rule), product.astype(np.complex64) if single else product)
    q11 = turned_variances(rule, squares1[i])[..., None].astype(q12.dtype)
    own = [variances(rule, q) for q in (squares1[i], squares2[j])]
    q22 = own[1][:, None, :, None, None, :].astype(q12.dtype)
    narrow = jax.tree.map(lambda scale: jnp.asarray(scale, q12.dtype), scales)
    lifted_pair = layers.activate(layers.dense(layers.inputs(q11, q12, q22), narrow), activation)
    weights, grid = rule.weights, rotation_grid(rule.bandlimit, rule.quadrature)

    def over_h(k: jax.Array) -> jax.Array:
        summed = barrier(jnp.einsum("xbtagf,t->xbagf", k, weights))  # weights are double, and so are the sums
        count = len(grid.angles)
        gamma, phi = np.indices((count, count))
        return summed[..., (gamma + phi) % count, phi].sum(axis=-1)

    def at_identity(q: jax.Array) -> jax.Array:
        q = scales.kernel(q)
        return jnp.einsum("xbf,b->x", activation.two_point(q, q, q), weights)[:, None, None, None]

    sides = [at_identity(q) for q in own]
    pair = layers.Pair(sides[0], over_h(lifted_pair.q12), sides[1], over_h(lifted_pair.ntk))
    for _ in range(depth - 1):
        pair = layers.activate(layers.dense(pair, scales), activation)
    nngp, ntk = (jnp.einsum("xbag,b->x", k, grid.weights) for k in (pair.q12, pair.ntk))
    return Kernels(scales.kernel(nngp), scales.ntk(nngp, ntk))
