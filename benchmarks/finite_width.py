"""The first-order system against adaptive cubature, and its growth with the number of inputs and with depth.

    python benchmarks/finite_width.py [--figure growth.png] [--repeats 3]

The baseline integrates every four-point moment of V, D, F, A and B for the four inputs of arXiv 2508.11522 at one
layer, each over its distinct inputs, by ``scipy.integrate.cubature`` at rtol 1e-3 (the published tool and tolerance);
the engine computes the same numbers, all at once. Errors are against the engine's own rule at three times the order.
"""

import argparse
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import cubature
from scipy.special import ndtr

import ntkfield as nf
from ntkfield.activations import activation
from ntkfield.gaussian.choices import layout

TYPES = ("0000", "0011", "1111")
INPUTS = np.array(
    [
        [0.6540248765053858, -1.3592788739383235, -0.3791179316445409, 0.34191025226280697],
        [-0.6786403121150224, -0.12161213502515096, 0.21716372787141658, -1.4709063616118982],
        [0.2684047246058049, 0.19352982216329817, -0.18546381464689993, -0.8116446646575691],
        [0.06801939825322936, -0.25387687345791304, -0.8409923450288397, -0.6282339955619969],
    ]
)
NETWORK = {"activation": "gelu", "weight_variance": 1.98305826, "weight_rate": 1.0, "bias_rate": 0.0}


def gelu(x: np.ndarray, order: int) -> np.ndarray:
    density = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    return x * ndtr(x) if order == 0 else ndtr(x) + x * density


def by_cubature(k: np.ndarray, choice: tuple[int, ...], orders: tuple[int, ...], rtol: float) -> float:
    """One moment, integrated over the whitened variables of its distinct inputs."""
    support = sorted(set(choice))
    root = np.linalg.cholesky(k[np.ix_(support, support)])

    def integrand(x: np.ndarray) -> np.ndarray:
        z = x @ root.T
        product = np.exp(-0.5 * np.sum(x**2, axis=1)) / (2 * np.pi) ** (len(support) / 2)
        for a, order in zip(choice, orders, strict=True):
            product = product * gelu(z[:, support.index(a)], order)
        return product

    limit = np.full(len(support), 7.0)
    rule = "gk21" if len(support) == 1 else "genz-malik"
    return float(cubature(integrand, -limit, limit, rule=rule, rtol=rtol, atol=0, max_subdivisions=20_000).estimate)


def median_time(function, repeats: int) -> float:
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def against_cubature(repeats: int, rtol: float) -> None:
    k = NETWORK["weight_variance"] * INPUTS @ INPUTS.T / 4
    sigma = activation("gelu")
    ours, exact = (sigma.four_point_moments(k, TYPES, order) for order in (18, 54))
    elapsed = median_time(lambda: sigma.four_point_moments(k, TYPES, 18), repeats)
    spent, worst, count = 0.0, 0.0, 0
    for type_ in TYPES:
        choices = layout(4, type_).choices
        size = float(jnp.max(abs(exact[type_])))
        for choice in map(tuple, choices.tolist()):
            start = time.perf_counter()
            value = by_cubature(k, choice, tuple(map(int, type_)), rtol)
            spent += time.perf_counter() - start
            worst = max(worst, abs(value - float(exact[type_][choice])) / size)
            count += 1
    error = max(float(jnp.max(abs(ours[t] - exact[t])) / jnp.max(abs(exact[t]))) for t in TYPES)
    print(f"{count} four-point moments of one layer, four inputs, gelu")
    print(f"  cubature at rtol {rtol:g}: {spent:8.2f} s, largest error {worst:.1e}")
    print(f"  engine, order 18:       {elapsed:8.4f} s, largest error {error:.1e}")
    print(f"  faster {spent / elapsed:.0f} times, error {worst / error:.0f} times smaller")


def whole_system(repeats: int) -> None:
    network = nf.MLP(4, **NETWORK)
    for label, names in (("K to B", ["K1", "Theta1", "V", "D", "F", "A", "B"]), ("K to U", None)):
        elapsed = median_time(lambda names=names: nf.finite_width(network, INPUTS, names).load(), repeats)
        print(f"finite_width, four inputs, depth 4, {label}, rtol 1e-6: {elapsed:.2f} s after compilation")


def growth(repeats: int, figure: str | None) -> None:
    names, rng = ["K1", "Theta1", "V", "D", "F", "A", "B"], np.random.default_rng(0)
    inputs, depths = (1, 2, 3, 4, 6, 8, 12), (2, 4, 8, 16, 30)
    by_inputs = []
    for m in inputs:
        x = rng.normal(size=(m, 6))
        by_inputs.append(median_time(lambda x=x: nf.finite_width(nf.MLP(4, **NETWORK), x, names).load(), 1))
        print(f"inputs {m:3d}, depth 4: {by_inputs[-1]:8.3f} s")
    by_depth = []
    for depth in depths:
        network = nf.MLP(depth, **NETWORK)
        by_depth.append(median_time(lambda n=network: nf.finite_width(n, INPUTS, names).load(), repeats))
        print(f"inputs   4, depth {depth}: {by_depth[-1]:8.3f} s")
    if figure:
        draw(figure, inputs, by_inputs, depths, by_depth)


def draw(path: str, inputs, by_inputs, depths, by_depth) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained", sharey=True)
    for axis, x, y, label in zip(axes, (inputs, depths), (by_inputs, by_depth), ("inputs", "depth"), strict=True):
        axis.loglog(x, y, "o-")
        axis.set(xlabel=label, xticks=x, xticklabels=x)
        axis.minorticks_off()
    axes[0].set(ylabel="seconds, K to B at rtol 1e-6", title="depth 4")
    axes[1].set(title="four inputs")
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rtol", type=float, default=1e-3)
    parser.add_argument("--figure", default=None, help="file for the figure of growth")
    parser.add_argument("--parts", nargs="*", default=["cubature", "system", "growth"])
    arguments = parser.parse_args()
    if "cubature" in arguments.parts:
        against_cubature(arguments.repeats, arguments.rtol)
    if "system" in arguments.parts:
        whole_system(arguments.repeats)
    if "growth" in arguments.parts:
        growth(arguments.repeats, arguments.figure)
