"""What every benchmark shares: medians over repetitions, after a warm-up, in one process."""

import statistics
import time
from collections.abc import Callable


def median_seconds(run: Callable[[], object], repetitions: int = 5) -> float:
    """Median wall time of `run` after one call that is not counted (compilation)."""
    run()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
