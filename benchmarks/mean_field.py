"""What the mean-field limit costs: growth with training inputs, steps in time and sites, at depth 2 and deeper.

    python benchmarks/mean_field.py [--depth 3] [--inputs 2 4 8] [--sites 12 14] [--times 1 2]
    python benchmarks/mean_field.py --examples

Each row is one `nf.mean_field` with four scrambles, or on a grid where inputs have one dimension and depth is 2, after
one that compiles. Nearly all of it is, with one hidden layer, the activation at every site and input, and in deeper
networks products of sites with directions, whose number grows with inputs and time.
Seconds are those of the processor; on a busy machine set OPENBLAS_NUM_THREADS=1, or threads that wait count.
"""

import argparse
import dataclasses
import itertools
import time
from typing import Any

import numpy as np

import ntkfield as nf

Row = tuple[float, dict, float]


def seconds(network: nf.MLP, training: int, dimension: int, sites: int, end: float) -> Row:
    """Processor time of one call, what it says of itself, and the kernel's largest error by its largest entry."""
    rng = np.random.default_rng(training)
    return timed(network, rng.normal(size=(training, dimension)), rng.normal(size=training), None, sites, end, 1e-3)


def timed(network: nf.MLP, x: Any, y: Any, queries: Any, sites: int, end: float, rtol: float) -> Row:
    """The same for inputs, targets and queries of one's own."""
    start = time.process_time()
    found = nf.mean_field(network, x, y, 1.0, [0.5 * end, end], queries, sites=sites, rtol=rtol)
    elapsed = time.process_time() - start
    return elapsed, found.attrs, float(found["ntk_error"].max() / abs(found["ntk"]).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--inputs", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--dimension", type=int, default=2)
    parser.add_argument("--sites", type=int, nargs="+", default=[12, 13], help="their logarithms to base 2")
    parser.add_argument("--times", type=float, nargs="+", default=[1.0, 2.0], help="ends of training")
    parser.add_argument("--examples", action="store_true", help="those of docs/mean_field.md alone")
    arguments = parser.parse_args()
    network = nf.MLP(depth=arguments.depth, activation="tanh", weight_variance=1.2, bias_variance=0.3)
    seconds(network, 2, arguments.dimension, 2**6, 0.5)
    print("inputs   sites  end  seconds  steps  directions           error  rule")
    if arguments.examples:
        line, plane = np.array([[-1.3], [-0.5], [0.4], [1.2]]), np.array([[1.0, 0.3], [-0.4, 0.9]])
        shallow = dataclasses.replace(network, depth=2)
        for rtol in (1e-3, 1e-5):
            show(4, 4.0, timed(shallow, line, np.sin(1.5 * line[:, 0]), [[0.8]], 2**12, 4.0, rtol))
        deep = dataclasses.replace(network, depth=3)
        for power in (12, 14, 16):
            show(2, 4.0, timed(deep, plane, [1.0, -0.5], [[0.2, -1.1]], 2**power, 4.0, 1e-3))
        return
    for training, power, end in itertools.product(arguments.inputs, arguments.sites, arguments.times):
        try:
            show(training, end, seconds(network, training, arguments.dimension, 2**power, end))
        except ValueError as refused:
            print(f"{training:6d} {2**power:7d} {end:4g}  {refused}", flush=True)


def show(training: int, end: float, row: Row) -> None:
    """Print a row of the table."""
    elapsed, about, error = row
    steps, directions = round(end / about["step"]), str(about.get("directions", ""))
    text = f"{training:6d} {about['sites']:7d} {end:4g} {elapsed:8.1f} {steps:6d}  {directions:20s} {error:5.0e}"
    print(text, about["rule"], sep="  ", flush=True)


if __name__ == "__main__":
    main()
