"""Progress of long work: a bar on a terminal, a line every tenth, and every minute, in a log."""

import logging
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
SILENCE = 60.0  # seconds after which a log hears of work that moves, a tenth or not
logger = logging.getLogger("ntkfield")


def track(items: Sequence[Item], label: str) -> Iterator[Item]:
    """Iterate over `items`, showing how far it is and about how long it still takes.

    Args:
        items: what to go through.
        label: what is being computed, in a few words.
    """
    total, shown = len(items), 0
    start = told = time.monotonic()
    # disable=None hides the bar where there is no terminal; delay keeps short work silent.
    for done, item in enumerate(tqdm(items, desc=label, disable=None, delay=2, leave=False)):
        tenth, now = 10 * done // total, time.monotonic()
        if tenth > shown or (done and now - told > SILENCE):
            shown, told = tenth, now
            logger.info("%s: %d %%, %s left", label, 100 * done // total, duration((now - start) * (total / done - 1)))
        yield item


def duration(seconds: float) -> str:
    """A time in its unit, s, min or h, as short as an estimate deserves."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 99.5 * 60 else f"{seconds / 3600:.1f} h"
