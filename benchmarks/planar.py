"""Planar kernels side by side: plain, C4, D4 and the same from neural-tangents, in seconds a pair.

Run as ``python benchmarks/planar.py``. The promise it measures: a 32 x 32 x 3 pair under C4 with two 3 x 3 convolutions
costs no more than four plain pairs. Medians on the clock, and of the processor, all threads together, the networks in
turn; memory is the peak of the whole process.
"""

import resource
import time

import jax
import numpy as np

import ntkfield as nf


def seconds(functions, repeats=9):
    """Medians of each function, in turn with the others: on the clock, and of the processor."""
    times = {name: [] for name in functions}
    for function in functions.values():
        function()  # compiles
    for _ in range(repeats):
        for name, function in functions.items():
            start = time.perf_counter(), time.process_time()
            function()
            times[name].append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return {name: np.median(each, axis=0) for name, each in times.items()}


def main():
    x1, x2 = np.random.default_rng(0).normal(size=(2, 1, 32, 32, 3))
    for activation in ("relu", "erf"):
        networks = {group: nf.GroupCNN(group, 2, activation) for group in ("c1", "c4", "d4")}
        row = seconds({group: lambda network=network: network.kernel(x1, x2) for group, network in networks.items()})
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        try:
            from ntkfield.bridge._neural_tangents import stax
        except ImportError:
            stax = None
        if stax is not None:
            sigma = {"relu": stax.Relu, "erf": stax.Erf}[activation]()
            convolutions = [stax.Conv(1, (3, 3), padding="SAME"), sigma] * 2
            kernel_fn = stax.serial(*convolutions, stax.GlobalAvgPool(), stax.Dense(1))[2]
            both = jax.jit(lambda a, b, kernel_fn=kernel_fn: kernel_fn(a, b, ("nngp", "ntk")))
            row |= seconds({"neural-tangents c1": lambda both=both: jax.block_until_ready(both(x1, x2))})
        text = ", ".join(f"{name} {wall:.3f} ({cpu:.3f})" for name, (wall, cpu) in row.items())
        ratio = "{:.2f} ({:.2f})".format(*(row["c4"] / row["c1"]))
        print(
            f"{activation}, seconds on the clock (of the processor): {text}; c4 / c1 = {ratio}; "
            f"peak before neural-tangents {peak:.2f} GiB"
        )


if __name__ == "__main__":
    main()
