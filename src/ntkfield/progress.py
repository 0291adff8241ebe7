"""Progress of long work: a bar on a terminal, a line every tenth in a log."""

import logging
from collections.abc import Iterator, Sequence
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
logger = logging.getLogger("ntkfield")


def track(items: Sequence[Item], label: str) -> Iterator[Item]:
    """Iterate over `items`, showing how far it is.

    Args:
        items: what to go through.
        label: what is being computed, in a few words.
    """
    total, shown = len(items), 0
    # disable=None hides the bar where there is no terminal; delay keeps short work silent.
    for done, item in enumerate(tqdm(items, desc=label, disable=None, delay=2, leave=False)):
        tenth = 10 * done // total
        if tenth > shown:
            shown = tenth
            logger.info("%s: %d %%", label, 10 * tenth)
        yield item
