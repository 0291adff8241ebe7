"""How the cost of SO(3) kernels grows with band-limit, quadrature, depth, channels and molecules, with exponents.

    python benchmarks/so3_growth.py growth.png [--processor-time]

Seconds a pair of atoms on one device, the signals of :mod:`so3_pairs`, relu; and seconds for the Gram matrix of
molecules of QM9's size. Exponents are slopes of lines through the last three points. Where the machine is not quiet,
`--processor-time` counts processor in place of wall seconds, on CPUs alone.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable

import jax
import matplotlib.pyplot as plt
import numpy as np
from so3_pairs import signals
from timing import median_seconds

import ntkfield as nf
from ntkfield.figures.style import COLOURS, house_style, save
from ntkfield.infinite import so3
from ntkfield.signals.harmonics import Harmonics

BASE = {"band-limit": 6, "quadrature": 8, "depth": 2, "channels": 10}
VALUES = {
    "band-limit": [2, 3, 4, 6, 8, 12, 16],
    "quadrature": [4, 6, 8, 12, 16],
    "depth": [1, 2, 4, 8, 16],
    "channels": [3, 10, 30, 100, 300],
}
ATOMS = 18  # of a molecule, of which the pairs of one element are about half
MOLECULES = [5, 10, 20, 40]
PRECISIONS = ("double", "single")


def clock(run: Callable[[], object], processor: bool) -> float:
    """Median seconds of fifteen runs after one that compiles."""
    return median_seconds(run, 15, time.process_time if processor else time.perf_counter)


def seconds_a_pair(values: dict[str, int], precision: str, processor: bool) -> float:
    """Of atoms, for networks and signals of these sizes."""
    f = widened(signals(values["band-limit"], 64), values["channels"])
    network = nf.GroupCNN(
        "so3",
        values["depth"],
        "relu",
        bandlimit=values["band-limit"],
        quadrature=values["quadrature"],
        precision=precision,
    )
    pairs = 2048 if values["quadrature"] <= 8 else 512
    i, j = np.random.default_rng(1).integers(0, 64, (2, pairs))
    return clock(lambda: so3.pair_kernels(network, f, f, i, j), processor) / pairs


def widened(f: Harmonics, channels: int) -> Harmonics:
    """The signals with as many channels, repeated in turn."""
    return Harmonics(f.coefficients[..., np.arange(channels) % f.n_channels])


def seconds_for(molecules: int, precision: str, processor: bool) -> float:
    """A Gram matrix of all atoms' pairs."""
    f = signals(BASE["band-limit"], ATOMS * molecules // 2)
    network = nf.GroupCNN(
        "so3", BASE["depth"], "relu", bandlimit=f.bandlimit, quadrature=BASE["quadrature"], precision=precision
    )
    i, j = np.triu_indices(len(f))
    return clock(lambda: so3.pair_kernels(network, f, f, i, j), processor)


def measured(processor: bool) -> dict[str, tuple[list[int], dict[str, list[float]]]]:
    """Seconds by what grows, its values, and the precision."""
    found = {}
    for name, values in VALUES.items():
        found[name] = values, {p: [seconds_a_pair(BASE | {name: v}, p, processor) for v in values] for p in PRECISIONS}
        report(name, *found[name])
    found["molecules"] = MOLECULES, {p: [seconds_for(n, p, processor) for n in MOLECULES] for p in PRECISIONS}
    report("molecules", *found["molecules"])
    return found


def report(name: str, values: list[int], seconds: dict[str, list[float]]) -> None:
    for precision, times in seconds.items():
        numbers = ", ".join(f"{value}: {second:.3g}" for value, second in zip(values, times, strict=True))
        print(f"{name}, {precision}: {numbers} s; exponent {exponent(values, times):.1f}", flush=True)


def exponent(values: list[int], times: list[float]) -> float:
    return float(np.polyfit(np.log(values[-3:]), np.log(times[-3:]), 1)[0])


def draw(found: dict[str, tuple[list[int], dict[str, list[float]]]], path: str) -> None:
    """A panel for what grows, logarithmic in both directions; those of pairs share their scale."""
    with house_style():
        figure, axes = plt.subplots(1, len(found), figsize=(12.5, 3.4), layout="constrained")
        for axis in axes[1:-1]:
            axis.sharey(axes[0])
            axis.tick_params(labelleft=False)
        for axis, (name, (values, seconds)) in zip(axes, found.items(), strict=True):
            for colour, marker, (precision, times) in zip(COLOURS, "os", seconds.items(), strict=False):
                label = f"{precision}, exponent {exponent(values, times):.1f}"
                unit = 1 if name == "molecules" else 1e-6
                axis.loglog(values, np.array(times) / unit, marker=marker, color=colour, label=label)
            axis.set_xlabel(name)
            axis.set_xticks(values, map(str, values))
            axis.xaxis.minorticks_off()
            axis.grid(axis="y", alpha=0.3)
            axis.legend(loc="upper left", fontsize=8)
        axes[0].set_ylabel("microseconds a pair of atoms")
        axes[-1].set_ylabel("seconds for their Gram matrix")
        axes[0].set_ylim(top=2 * axes[0].get_ylim()[1])  # room for the legends
        device = jax.devices()[0]
        device = f"{os.cpu_count()} processor cores" if device.platform == "cpu" else f"one {device.device_kind}"
        figure.suptitle(f"Kernels of SO(3)-invariant networks on {device}")
        save(figure, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("figure")
    parser.add_argument("--processor-time", action="store_true")
    arguments = parser.parse_args()
    if arguments.processor_time and jax.devices()[0].platform != "cpu":
        sys.exit("--processor-time is refused: it tells nothing about a GPU")
    draw(measured(arguments.processor_time), arguments.figure)
