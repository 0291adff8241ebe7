r"""Layers on signals on the sphere and on SO(3), in the full two-index form, polar-cap filters included.

A feature map is sampled on a product grid of SO(3), [n, alpha, beta, gamma, channels] with 2Q - 1, Q (Gauss-Legendre)
and 2Q - 1 nodes, which holds functions of degrees l < Q exactly. A filter is Gaussian white noise on the cap
:math:`\beta\le\beta_{max}`, at the nodes of a quadrature :math:`(h_k, \omega_k)`, :math:`\sum_k\omega_k = 1`, that
is exact for products of such functions, so that with
:math:`f(g) = \sum_{lmn}\hat f^l_{mn}\overline{D^l_{mn}(g)}`

.. math:: z(g) = \sum_k \sqrt{\omega_k}\,\kappa_k f(gh_k)
     = \sum_{lmp} \overline{D^l_{mp}(g)} \sum_n \hat f^l_{mn}\hat\kappa^l_{pn}, \qquad
   \hat\kappa^l_{pn} = \sum_k\sqrt{\omega_k}\,\kappa_k\overline{D^l_{pn}(h_k)},

   \bar K_{g,g'} = \frac{1}{|S|}\int_S K_{gh,g'h}\,dh = \sum \overline{D^l_{mp}(g)} D^{l'}_{m'p}(g')
     \sum_n M^{ll'}_{pn}\hat K^{ll'}_{mn,m'n}, \qquad M^{ll'}_{pn} = \langle d^l_{pn}d^{l'}_{pn}\rangle_S,

M being :math:`\delta_{ll'}/(2l+1)` for a filter over the whole group. Kernel and network are exactly those of each
other; a convolution forgets degrees :math:`l\ge Q` that the activation makes, the only error of equivariance.
Source: arXiv 2406.06504, section 5; the cap is worked out here.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import sph_harm_y

from ntkfield import checks
from ntkfield.bridge._neural_tangents import Kernel
from ntkfield.bridge.networks import stacked
from ntkfield.bridge.steps import Layer, full_layer
from ntkfield.bridge.weights import Weights, input_shape
from ntkfield.groups.so3 import Cap, rotation_grid
from ntkfield.networks.base import stax_layer
from ntkfield.networks.so3 import SphereCNN
from ntkfield.signals.harmonics import Harmonics, grid
from ntkfield.signals.wigner import small_wigner


@stax_layer.register
def layers(network: SphereCNN, width: int) -> tuple:
    """See :meth:`ntkfield.networks.Network.to_stax`."""
    nodes = network.quadrature
    support, group_support = (np.pi if cap is None else cap for cap in (network.support, network.group_support))
    lift, step = (width, network.bandlimit, nodes, network.sampling, support), (width, nodes, group_support)
    return stacked(network, width, lambda o: (SphereLifting(*lift, **o), SO3Conv(*step, **o), SO3Pool(nodes)))


class Transform(NamedTuple):
    """Factors of the Wigner transform on the grid of band-limit Q: see :func:`transform`."""

    wigner: np.ndarray  # d^l_mn(beta) [Q, Q, 2Q-1, 2Q-1] over l, beta, m, n
    phase: np.ndarray  # e^{im alpha} [2Q-1, 2Q-1] over m, alpha
    weights: np.ndarray  # weight of a rotation at each beta [Q]


@functools.lru_cache(maxsize=8)
def transform(quadrature: int) -> Transform:
    """The Wigner transform between samples and degrees l < Q, exact both ways."""
    nodes = rotation_grid(quadrature, quadrature)
    orders = np.arange(1 - quadrature, quadrature)
    return Transform(small_wigner(quadrature, nodes.beta), np.exp(1j * np.outer(orders, nodes.angles)), nodes.weights)


@full_layer
def SphereLifting(
    out_chan: int,
    bandlimit: int,
    quadrature: int | None = None,
    sampling: str = "gl",
    max_beta: float = np.pi,
    W_std: float = 1.0,
    b_std: float | None = None,
    parameterization: str = "ntk",
    rates: tuple[float, float] | None = None,
) -> Layer:
    r"""Lifting of signals on the sphere to SO(3): :math:`z(g) = |S|^{-1/2}\int_S \kappa(x) f(gx)\,dx`.

    Args:
        out_chan: number of output channels.
        bandlimit: degrees l < L of the signals.
        quadrature: Q of the grid on SO(3), at least L; L if None.
        sampling: grid of the signals, "gl", "dh" or "mw".
        max_beta: the filter reaches over polar angles up to this one, in radians; the whole sphere at pi.
        W_std: standard deviation of the weights.
        b_std: standard deviation of the biases; None for no bias.
        parameterization: "ntk" or "standard".
        rates: rates of weights and biases, in place of those of the parametrization.

    Returns:
        ``(init_fn, apply_fn, kernel_fn)`` from [n, theta, phi, channels] to [n, 2Q-1, Q, 2Q-1, out_chan].
    """
    weights = Weights.of(W_std, b_std, parameterization, rates)
    points = grid(bandlimit, sampling).shape
    quadrature = bandlimit if quadrature is None else checks.whole("quadrature", quadrature, bandlimit)
    cap, outer = Cap.of(bandlimit, max_beta), slice(quadrature - bandlimit, quadrature + bandlimit - 1)
    phi = 2 * np.pi * np.arange(2 * bandlimit - 1) / (2 * bandlimit - 1)
    degree, order = np.arange(bandlimit)[:, None], np.arange(1 - bandlimit, bandlimit)
    zonal = np.nan_to_num(sph_harm_y(degree, order, cap.beta[:, None, None], 0.0).real)  # [beta, l, m]
    zonal *= np.abs(order) <= degree
    harmonics = jnp.asarray(zonal[:, None] * np.exp(1j * np.outer(phi, order))[None, :, None, :])
    root = np.sqrt(np.repeat(cap.weights, len(phi)) * len(cap.beta))  # square root of steps times weight
    steps = len(root)
    identity = np.eye(points[0] * points[1]).reshape(-1, *points, 1)
    analysis = jnp.asarray(np.moveaxis(Harmonics.from_grid(identity, sampling).coefficients[..., 0], 0, -1))
    moments = np.einsum("b,blm,bkm->lkm", cap.weights, zonal, zonal)
    table = transform(quadrature)
    # The l of the signal and its orders, within those of the grid.
    wigner, phase = table.wigner[:bandlimit, :, outer, outer], table.phase[outer]

    def init_fn(rng: jax.Array, shape: Sequence[int]) -> tuple:
        check(shape)
        side = 2 * quadrature - 1
        return (shape[0], side, quadrature, side, out_chan), weights.init(rng, steps, shape[-1], out_chan)

    def apply_fn(params: tuple, x: jax.Array) -> jax.Array:
        w, b = weights.scaled(params)
        f = jnp.einsum("lnq,xqc->xlnc", analysis, x.reshape(len(x), -1, x.shape[-1]))
        kappa = jnp.einsum("klm,kco->lmco", harmonics.reshape(steps, *harmonics.shape[2:]), root[:, None, None] * w)
        return synthesis(wigner, phase, jnp.einsum("xlnc,lmco->xlnmo", f, kappa)) + b

    def kernel_fn(k: Kernel) -> Kernel:
        check(input_shape(k))

        def mean(mat: jax.Array, batch: int) -> jax.Array:
            lead = mat.shape[:batch]
            mat = jnp.swapaxes(mat.reshape(-1, *(side for side in points for _ in "12")), 2, 3)
            mat = mat.reshape(len(mat), len(identity), len(identity))
            spectrum = jnp.einsum("lnq,xqr,kpr->xlnkp", analysis, mat, analysis.conj(), optimize=True)
            spectrum = spectrum[..., None] * moments[:, None, :, None, :]
            return double_synthesis(wigner, phase, spectrum).reshape(*lead, *_zipped(quadrature))

        return weights.kernel(k, steps, mean).replace(channel_axis=4)

    def check(shape: Sequence[int]) -> None:
        if len(shape) != 4 or tuple(shape[1:3]) != points:
            raise checks.refuse("inputs of shape", tuple(shape), f"[n, {points[0]}, {points[1]}, channels]")

    return init_fn, apply_fn, kernel_fn


@full_layer
def SO3Conv(
    out_chan: int,
    quadrature: int,
    max_beta: float = np.pi,
    W_std: float = 1.0,
    b_std: float | None = None,
    parameterization: str = "ntk",
    rates: tuple[float, float] | None = None,
) -> Layer:
    r"""Convolution on SO(3): :math:`z(g) = |S|^{-1/2}\int_S \kappa(h) f(gh)\,dh`.

    Args:
        out_chan: number of output channels.
        quadrature: Q of the grid; degrees l < Q are kept.
        max_beta: the filter reaches over rotations whose second Euler angle is at most this one, in radians.
        W_std: standard deviation of the weights.
        b_std: standard deviation of the biases; None for no bias.
        parameterization: "ntk" or "standard".
        rates: rates of weights and biases, in place of those of the parametrization.

    Returns:
        ``(init_fn, apply_fn, kernel_fn)`` from [n, 2Q-1, Q, 2Q-1, channels] to [n, 2Q-1, Q, 2Q-1, out_chan].
    """
    weights = Weights.of(W_std, b_std, parameterization, rates)
    cap, table = Cap.of(checks.whole("quadrature", quadrature, 1), max_beta), transform(quadrature)
    wigner, phase, side = table.wigner, table.phase, 2 * quadrature - 1
    at_cap = small_wigner(quadrature, cap.beta)  # [l, beta, p, n]
    moments = np.einsum("b,lbpn,kbpn->lkpn", cap.weights, at_cap, at_cap)
    root = np.sqrt(cap.weights * quadrature)[:, None, None, None, None]  # of steps times weight, over beta
    steps = quadrature * side**2
    forward = (2 * np.arange(quadrature) + 1)[:, None, None, None] * table.weights[:, None, None] * wigner

    def init_fn(rng: jax.Array, shape: Sequence[int]) -> tuple:
        _check(quadrature, shape)
        return (*shape[:-1], out_chan), weights.init(rng, steps, shape[-1], out_chan)

    def apply_fn(params: tuple, x: jax.Array) -> jax.Array:
        w, b = weights.scaled(params)
        f = jnp.einsum("ma,ng,xabgc->xmbnc", phase.conj(), phase.conj(), x, optimize=True)
        f = jnp.einsum("lbmn,xmbnc->xlmnc", forward, f)
        w = w.reshape(quadrature, side, side, *w.shape[1:]) * root
        kappa = jnp.einsum("pa,ng,bagco->pbnco", phase, phase, w, optimize=True)
        kappa = jnp.einsum("lbpn,pbnco->lpnco", at_cap, kappa)
        return synthesis(wigner, phase, jnp.einsum("xlmnc,lpnco->xlmpo", f, kappa)) + b

    def kernel_fn(k: Kernel) -> Kernel:
        _check(quadrature, input_shape(k))

        def mean(mat: jax.Array, batch: int) -> jax.Array:
            flat = mat.reshape(-1, *_zipped(quadrature))
            spectrum = jnp.einsum("ng,nG,xaAbcgG->xaAbcn", phase.conj(), phase, flat, optimize=True)
            spectrum = jnp.einsum("ma,qA,xaAbcn->xmqbcn", phase.conj(), phase, spectrum, optimize=True)
            spectrum = jnp.einsum("lbmn,kcqn,xmqbcn->xlmkqn", forward, forward, spectrum, optimize=True)
            spectrum = jnp.einsum("lkpn,xlmkqn->xlmkqp", moments, spectrum)
            return double_synthesis(wigner, phase, spectrum).reshape(mat.shape)

        return weights.kernel(k, steps, mean)

    return init_fn, apply_fn, kernel_fn


@full_layer
def SO3Pool(quadrature: int) -> Layer:
    """Mean over SO(3), by the quadrature of the grid of band-limit Q; from [n, 2Q-1, Q, 2Q-1, c] to [n, c]."""
    weights = jnp.asarray(transform(quadrature).weights)

    def init_fn(rng: jax.Array, shape: Sequence[int]) -> tuple:
        _check(quadrature, shape)
        return (shape[0], shape[-1]), ()

    def kernel_fn(k: Kernel) -> Kernel:
        _check(quadrature, input_shape(k))

        def pool(mat: jax.Array | None) -> jax.Array | None:
            return mat if mat is None or not mat.ndim else jnp.einsum("...aAbcgG,b,c->...", mat, weights, weights)

        return k.replace(**{name: pool(getattr(k, name)) for name in ("nngp", "ntk", "cov1", "cov2")}, channel_axis=1)

    return init_fn, lambda params, x: jnp.einsum("xabgc,b->xc", x, weights), kernel_fn


def synthesis(wigner: np.ndarray, phase: np.ndarray, f: jax.Array) -> jax.Array:
    r"""Samples [n, alpha, beta, gamma, c] of :math:`\sum f^l_{mp}\overline{D^l_{mp}}`, f [n, l, m, p, c]."""
    f = jnp.einsum("lbmp,xlmpo->xbmpo", wigner, f)
    return jnp.einsum("ma,pg,xbmpo->xabgo", phase, phase, f, optimize=True).real


def double_synthesis(wigner: np.ndarray, phase: np.ndarray, f: jax.Array) -> jax.Array:
    r"""Samples of :math:`\sum f\,\overline{D^l_{mp}(g)}D^{l'}_{m'p}(g')` on pairs of nodes.

    Args:
        wigner: of the nodes [l, beta, m, p].
        phase: of the nodes [m, alpha].
        f: coefficients [n, l, m, l', m', p].

    Returns:
        Real array [n, alpha, alpha', beta, beta', gamma, gamma'].
    """
    f = jnp.einsum("lbmp,kcqp,xlmkqp->xbcmqp", wigner, wigner, f, optimize=True)
    f = jnp.einsum("ma,qA,xbcmqp->xaAbcp", phase, phase.conj(), f, optimize=True)
    return jnp.einsum("pg,pG,xaAbcp->xaAbcgG", phase, phase.conj(), f, optimize=True).real


def _zipped(quadrature: int) -> tuple[int, ...]:
    side = 2 * quadrature - 1
    return side, side, quadrature, quadrature, side, side


def _check(quadrature: int, shape: Sequence[int]) -> None:
    side = 2 * quadrature - 1
    if len(shape) != 5 or tuple(shape[1:4]) != (side, quadrature, side):
        raise checks.refuse("inputs of shape", tuple(shape), f"[n, {side}, {quadrature}, {side}, channels]")
