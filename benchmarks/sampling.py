"""Networks per second: sampled kernels without weights against neural-tangents' empirical kernel.

    python benchmarks/sampling.py [--repeats 3]

Depth 4, four inputs, gelu. The baseline draws the weights and evaluates the empirical NTK of two output channels with
neural-tangents, jitted and vmapped over networks, in the faster of its implementations that run on this JAX. Ours
draws the same quantities (NTK of two channels, NNGP kernel, outputs), random numbers included, and forms all estimates.
"""

import argparse
import statistics
import time

import jax
import numpy as np

import ntkfield as nf
from ntkfield.bridge._neural_tangents import neural_tangents as nt
from ntkfield.bridge._neural_tangents import stax

INPUTS = np.random.default_rng(0).normal(size=(4, 4))
DEPTH = 4


def baseline(width: int, count: int, implementation) -> float:
    """Seconds per network."""
    layers = [part for _ in range(DEPTH - 1) for part in (stax.Dense(width, W_std=2**0.5), stax.Gelu())]
    init, apply, _ = stax.serial(*layers, stax.Dense(2, W_std=2**0.5))
    kernel = nt.empirical_ntk_fn(apply, trace_axes=(), vmap_axes=0, implementation=implementation)

    def one(key):
        _, parameters = init(key, INPUTS.shape)
        return kernel(INPUTS, None, parameters)

    run = jax.jit(jax.vmap(one))
    return timed(lambda seed: run(jax.random.split(jax.random.key(seed), count))) / count


def ours(width: int, count: int) -> float:
    network = nf.MLP(DEPTH, "gelu", 2.0)
    names = ["K", "Theta", "V", "D", "F", "A", "B"]

    def run(seed: int):
        return nf.sample_statistics(network, INPUTS, width, count, seed, names, progress=False).load()

    return timed(run) / count


def timed(function, repeats: int = 3) -> float:
    jax.block_until_ready(function(0))
    times = []
    for seed in range(1, repeats + 1):
        start = time.perf_counter()
        jax.block_until_ready(function(seed))
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--widths", type=int, nargs="*", default=[128, 512])
    arguments = parser.parse_args()
    kinds = nt.NtkImplementation.JACOBIAN_CONTRACTION, nt.NtkImplementation.NTK_VECTOR_PRODUCTS
    for width in arguments.widths:
        rates = {kind.name: 1 / baseline(width, 2**15 // width, kind) for kind in kinds}
        mine = 1 / ours(width, 2**20 // width)
        best = max(rates.values())
        for name, rate in rates.items():
            print(f"width {width}: neural-tangents {name}: {rate:.0f} networks/s")
        print(f"width {width}: ntkfield: {mine:.0f} networks/s, {mine / best:.1f} times the faster of the two")
