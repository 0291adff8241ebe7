"""SO(3) pair kernels: the orbit route against the full two-index recursion, side by side in one process.

    python benchmarks/so3_pairs.py

Random signals of 10 channels, every degree of equal power, scaled to unit mean square; two group convolutions.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from timing import median_seconds

import ntkfield as nf
from ntkfield.groups.so3 import rotation_grid
from ntkfield.infinite import layers, so3
from ntkfield.signals.harmonics import Harmonics

CHANNELS, DEPTH = 10, 2


def signals(bandlimit: int, n: int) -> Harmonics:
    rng = np.random.default_rng(0)
    half = rng.normal(size=(n, bandlimit, bandlimit, CHANNELS)) + 1j * rng.normal(
        size=(n, bandlimit, bandlimit, CHANNELS)
    )
    half[:, :, 0] = half[:, :, 0].real
    for l in range(bandlimit):
        half[:, l, l + 1 :] = 0
        half[:, l] /= np.sqrt(2 * l + 1)
    square = 2 * np.sum(np.abs(half) ** 2, axis=(1, 2)) - np.sum(np.abs(half[:, :, 0]) ** 2, axis=1)
    mean_square = square.mean(axis=-1) / (4 * np.pi)
    return Harmonics.from_nonnegative_orders(half / np.sqrt(mean_square)[:, None, None, None])


@functools.cache
def full_grid(bandlimit: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All rotations of the quadrature: Wigner matrices D[l,m,n] at each [coefficient, R], degrees, weights [R]."""
    grid = rotation_grid(bandlimit, bandlimit)
    full = np.zeros((bandlimit, len(grid.beta), 2 * bandlimit - 1, 2 * bandlimit - 1))
    full[:, :, bandlimit - 1 :] = grid.wigner
    sign = (-1.0) ** (np.arange(1, bandlimit)[:, None] - np.arange(1 - bandlimit, bandlimit)[None, :])
    full[:, :, : bandlimit - 1] = (grid.wigner[:, :, 1:] * sign)[:, :, ::-1, ::-1]
    rows = []
    for l in range(bandlimit):
        for m in range(-l, l + 1):
            for n in range(-l, l + 1):
                d = full[l, :, bandlimit - 1 + m, bandlimit - 1 + n]
                phase = np.exp(-1j * m * grid.angles)[None, :, None] * np.exp(-1j * n * grid.angles)[None, None, :]
                rows.append((d[:, None, None] * phase).ravel())
    weights = np.broadcast_to(grid.weights[:, None, None], (len(grid.beta), len(grid.angles), len(grid.angles)))
    return np.array(rows), np.array([l for l in range(bandlimit) for _ in range((2 * l + 1) ** 2)]), weights.ravel()


def full_route(bandlimit: int, f1: np.ndarray, f2: np.ndarray) -> tuple[jax.Array, jax.Array]:
    """The recursion on SO(3) x SO(3), convolutions in Fourier space; erf, no readout scale beyond one."""
    network = nf.GroupCNN("so3", DEPTH, "erf", bandlimit=bandlimit)
    d, degree, weights = full_grid(bandlimit)
    analysis = jnp.asarray((2 * degree + 1)[:, None] * d.conj() * weights)
    lifted = [rotated(bandlimit, f) for f in (f1, f2)]
    q12, q11, q22 = (
        jnp.einsum("rlmc,slmc->rs", a, b.conj()).real / (4 * np.pi * CHANNELS)
        for a, b in ((lifted[0], lifted[1]), (lifted[0], lifted[0]), (lifted[1], lifted[1]))
    )
    diagonal = [jnp.diag(q11)[:, None], jnp.diag(q22)[None, :]]
    pair = layers.dense(layers.inputs(diagonal[0], q12, diagonal[1]), network.scales)
    for layer in range(DEPTH):
        pair = layers.activate(pair, network.plain.activation)
        if layer + 1 < DEPTH:
            averaged = [convolve(bandlimit, k, analysis, jnp.asarray(d)) for k in (pair.q12, pair.ntk)]
            pair = layers.dense(layers.Pair(pair.q11, averaged[0], pair.q22, averaged[1]), network.scales)
    pooled = [jnp.asarray(weights) @ k @ jnp.asarray(weights) for k in (pair.q12, pair.ntk)]
    return pooled[0], pooled[0] + pooled[1]


def rotated(bandlimit: int, f: jax.Array) -> jax.Array:
    """Coefficients of f seen from every rotation [R, L, 2L-1, c]."""
    d, _, _ = full_grid(bandlimit)
    out = jnp.zeros((d.shape[1], *f.shape), dtype=complex)
    start = 0
    for l in range(bandlimit):
        size = 2 * l + 1
        matrix = jnp.asarray(d[start : start + size**2].reshape(size, size, -1))
        part = slice(bandlimit - 1 - l, bandlimit + l)
        out = out.at[:, l, part].set(jnp.einsum("mnr,mc->rnc", matrix.conj(), f[l, part]))
        start += size**2
    return out


def convolve(bandlimit: int, k: jax.Array, analysis: jax.Array, synthesis: jax.Array) -> jax.Array:
    """K'(g, g') = integral of K(gh, g'h) over h, by Wigner coefficients in both arguments."""
    transformed = analysis @ k @ analysis.conj().T
    total, start = jnp.zeros_like(transformed), 0
    for l in range(bandlimit):
        size = 2 * l + 1
        part = slice(start, start + size**2)
        block = transformed[part, part].reshape(size, size, size, size)
        kept = jnp.einsum("mpqp->mq", block) / size
        total = total.at[part, part].set(jnp.einsum("mq,np->mnqp", kept, jnp.eye(size)).reshape(size**2, size**2))
        start += size**2
    return (synthesis.T @ total @ synthesis.conj()).real


def orbit_rate(activation: str) -> str:
    """Pairs per second at the coarsest quadrature whose error is at most 1e-6 of the self-kernels."""
    f = signals(6, 200)
    i, j = np.random.default_rng(1).integers(0, 200, (2, 8192))

    def kernels(quadrature: int, i: np.ndarray, j: np.ndarray) -> nf.Kernels:
        network = nf.GroupCNN("so3", DEPTH, activation, bandlimit=6, quadrature=quadrature)
        return so3.pair_kernels(network, f, f, i, j)

    exact, own = kernels(16, i[:256], j[:256]), kernels(16, np.arange(200), np.arange(200))
    for quadrature in range(3, 13):
        found = kernels(quadrature, i[:256], j[:256])
        error = max(
            np.max(np.abs(k - e) / np.sqrt(s[i[:256]] * s[j[:256]])) for k, e, s in zip(found, exact, own, strict=True)
        )
        if error <= 1e-6:
            break
    rate = len(i) / median_seconds(functools.partial(kernels, quadrature, i, j))
    return f"{activation}: quadrature {quadrature}, largest error {error:.1e}, {rate:,.0f} pairs per second"


def against_full(bandlimit: int) -> str:
    """Seconds per pair of both routes, and the NTK that each gives."""
    f = signals(bandlimit, 64)
    network = nf.GroupCNN("so3", DEPTH, "erf", bandlimit=bandlimit)
    pairs = np.arange(1024) % 64, np.arange(1024) // 64
    fast = median_seconds(functools.partial(so3.pair_kernels, network, f, f, *pairs)) / 1024
    full = jax.jit(functools.partial(full_route, bandlimit))
    inputs = [jnp.asarray(f.coefficients[k]) for k in (0, 1)]
    slow = median_seconds(lambda: jax.block_until_ready(full(*inputs)))
    value = so3.pair_kernels(network, f, f, np.array([0]), np.array([1])).ntk[0]
    return (
        f"L = {bandlimit}: full {slow:.3g} s (NTK {full(*inputs)[1]:.10f}), "
        f"orbit {fast:.3g} s (NTK {value:.10f}), ratio {slow / fast:,.0f}"
    )


if __name__ == "__main__":
    print("orbit route, band-limit 6, 10 channels, two convolutions; errors relative to the signals' own kernels:")
    for name in ("erf", "gelu", "relu"):
        print(f"  {orbit_rate(name)}", flush=True)
    print("orbit route against the full two-index recursion, erf, quadrature at the band-limit, one pair:")
    for size in (3, 4, 5):
        print(f"  {against_full(size)}", flush=True)
