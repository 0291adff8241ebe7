# Which ensembles the sine study needs, in which parts, and what each has to do. No rules here.
from math import comb

TOGETHER = 64 * 20  # arrays over four inputs: so many tensors, for so many points of the grid


def sine_trained():
    return [f"<results>/sine/trained/{width}/{part}.zarr.zip" for width in SINE["widths"] for part in parts(SINE)]


def sine_train_work(wildcards):
    """Steps of all networks of a part on all points, times the weights."""
    width, problem = int(wildcards.width), SINE["problem"]
    networks, steps = SINE["part_size"], max(problem["times"]) / problem["step"]
    weights = width * (1 + (SINE["network"]["depth"] - 2) * width)
    derivatives = len(problem["train_points"]) * weights
    recorded = networks * len(problem["times"]) * problem["grid"]
    held = min(networks, 32) * derivatives  # of those trained at once
    return Work(f"sine_train {width}", networks * steps * derivatives, recorded, held)


def sine_theory_work(wildcards):
    """Sets of four inputs, each an integral; a kink leaves the kernels alone."""
    points, grid = len(SINE["problem"]["train_points"]), SINE["problem"]["grid"]
    # every four training points, every three with one of the grid, and with the pairs of training points once more
    sets = 2 * comb(points, 4) + (grid + points) * comb(points, 3) + comb(points, 2) ** 2 + 1
    return Work("sine_theory", sets, len(SINE["problem"]["times"]) * grid, points**4 * TOGETHER)


WORK["sine_train"] = sine_train_work
WORK["sine_theory"] = sine_theory_work
