"""What a job is expected to cost: its work, in units of its time, at the speed that a finished run showed.

A job's time is that of starting Python and compiling, plus its work; the numbers stand in measured.csv, which
`measure.py` writes. What rules ask for (workflow/rules/common.smk) and what `plan.py` sums both come from here.
"""

import csv
import functools
import math
from pathlib import Path
from typing import NamedTuple

MEASURED = Path(__file__).with_name("measured.csv")
REST = "everything else"  # the row of all jobs of no measured kind together

SPEED = 5e10  # n^3 of a solve with n samples in a second on one core: half of what it was measured to be
MATRICES = 2.2  # held at once by a solve, the kernel and its factor: its peak for 2,000 to 12,000 samples grows so
COPIES = 3  # of all other arrays

# What is asked for over what is expected: machines differ, and a job that is killed has cost more than one that waits.
MEMORY_MARGIN, LEAST_MB = 1.25, 2000
TIME_MARGIN, LEAST_MINUTES = 2.0, 10
UNMEASURED_MB, UNMEASURED_MINUTES = 4000, 240  # of a rule of which no job was measured yet


class Work(NamedTuple):
    """What one job has to do.

    Attributes:
        kind: the rule, and what tells its jobs' work apart.
        amount: units of its time.
        size: units of its output on disk.
        held: numbers in the arrays that it holds in memory.
        dense: whether these are dense matrices and the amount operations on them, whose speed is known.
    """

    kind: str
    amount: float
    size: float
    held: float
    dense: bool = False


class Cost(NamedTuple):
    """Seconds on one core, memory in MB, and bytes on disk: of one job."""

    seconds: float
    memory: float
    bytes: float


class Measured(NamedTuple):
    """What one job of a kind took, and its work."""

    cost: Cost
    work: Work


@functools.cache
def measured() -> dict[str, Measured]:
    """Every row of measured.csv by its kind."""
    with MEASURED.open(newline="") as file:
        return {row["kind"]: _measured(row) for row in csv.DictReader(file)}


def _measured(row: dict[str, str]) -> Measured:
    seconds, memory, size_on_disk, amount, size, held = (float(value) for value in list(row.values())[1:])
    return Measured(Cost(seconds, memory, size_on_disk), Work(row["kind"], amount, size, held))


@functools.lru_cache(maxsize=4096)
def expected(work: Work) -> Cost | None:
    """What one job with this work costs, scaled from the measured job most like it; None if none of its rule was."""
    known = {kind: each for kind, each in measured().items() if kind != REST}
    nearest = _nearest(work, known)
    if nearest is None:
        return None
    cost, like = nearest
    size_on_disk = cost.bytes * work.size / like.size
    if work.dense:  # of what was measured nearly all is starting and compiling
        return Cost(cost.seconds + work.amount / SPEED, cost.memory + MATRICES * 8e-6 * work.held, size_on_disk)
    start = min(each.cost.seconds for each in known.values())
    seconds = start + (cost.seconds - start) * work.amount / like.amount
    return Cost(seconds, cost.memory + COPIES * 8e-6 * max(work.held - like.held, 0.0), size_on_disk)


def _nearest(work: Work, known: dict[str, Measured]) -> Measured | None:
    """The measured kind to scale: the same one, or the one with most words in common and then the nearest amount."""
    words = work.kind.split()
    for length in range(len(words), 0, -1):
        alike = [each for kind, each in known.items() if kind.split()[:length] == words[:length]]
        if alike:
            return min(alike, key=lambda each: abs(math.log(each.work.amount / work.amount)))
    return None


def memory_to_ask(work: Work) -> int:
    """Memory that a job asks for at its first try, in MB: in steps, so that small changes change nothing."""
    cost = expected(work)
    return _in_steps(MEMORY_MARGIN * cost.memory, LEAST_MB) if cost else UNMEASURED_MB


def minutes_to_ask(work: Work, threads: int = 1) -> int:
    """Minutes that a job asks for at its first try, in steps; threads share what is done on dense matrices."""
    cost = expected(work)
    if cost is None:
        return UNMEASURED_MINUTES
    return _in_steps(TIME_MARGIN * cost.seconds / (threads if work.dense else 1) / 60, LEAST_MINUTES)


def _in_steps(amount: float, step: int) -> int:
    return step * max(1, math.ceil(amount / step))
