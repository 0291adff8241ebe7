"""What the mean-field limit costs: growth with training inputs, steps in time and sites, at depth 2 and deeper.

    python benchmarks/mean_field.py [--depth 3] [--inputs 2 4 8] [--sites 12 14] [--times 1 2]

Each row is one `nf.mean_field` with four scrambles, or on a grid where inputs have one dimension and depth is 2, after
one that compiles. Nearly all of it is, with one hidden layer, the activation at every site and input, and in deeper
networks products of sites with directions, whose number grows with inputs and time.
On a busy machine OPENBLAS_NUM_THREADS=1 is faster than threads that wait for each other.
"""

import argparse
import itertools
import time

import numpy as np

import ntkfield as nf


def seconds(network: nf.MLP, training: int, dimension: int, sites: int, end: float) -> tuple[float, dict, float]:
    """Time of one call, what it says of itself, and the largest error of the kernel, relative to its largest entry."""
    rng = np.random.default_rng(training)
    x, y = rng.normal(size=(training, dimension)), rng.normal(size=training)
    start = time.perf_counter()
    found = nf.mean_field(network, x, y, 1.0, [0.5 * end, end], sites=sites)
    elapsed = time.perf_counter() - start
    return elapsed, found.attrs, float(found["ntk_error"].max() / abs(found["ntk"]).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--inputs", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--dimension", type=int, default=2)
    parser.add_argument("--sites", type=int, nargs="+", default=[12, 13], help="their logarithms to base 2")
    parser.add_argument("--times", type=float, nargs="+", default=[1.0, 2.0], help="ends of training")
    arguments = parser.parse_args()
    network = nf.MLP(depth=arguments.depth, activation="tanh", weight_variance=1.2, bias_variance=0.3)
    seconds(network, 2, arguments.dimension, 2**6, 0.5)
    print("inputs   sites  end  seconds  steps  directions           error  rule")
    for training, power, end in itertools.product(arguments.inputs, arguments.sites, arguments.times):
        elapsed, about, error = seconds(network, training, arguments.dimension, 2**power, end)
        steps, directions = round(end / about["step"]), str(about.get("directions", ""))
        row = f"{training:6d} {about['sites']:7d} {end:4g} {elapsed:8.1f} {steps:6d}  {directions:20s} {error:5.0e}"
        print(row, about["rule"], sep="  ", flush=True)


if __name__ == "__main__":
    main()
