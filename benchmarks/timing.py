"""What every benchmark shares: medians over repetitions, after a warm-up, in one process."""

import statistics
import time
from collections.abc import Callable


def median_seconds(
    run: Callable[[], object], repetitions: int = 5, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Median seconds of `run` by the clock, after one call that is not counted (compilation)."""
    run()
    times = []
    for _ in range(repetitions):
        start = clock()
        run()
        times.append(clock() - start)
    return statistics.median(times)
