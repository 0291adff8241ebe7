"""Text from data in the report's captions: filters for their templates, which are reStructuredText."""

import re
from pathlib import Path
from typing import Any

from jinja2.filters import (
    FILTERS,
)  # of every environment made later, and so of the one that Snakemake makes for a report


def plain(value: Any) -> str:
    """A text on one line in which reStructuredText finds no markup, link or directive, whatever it holds."""
    return re.sub(r"([^\w ]|_)", r"\\\1", " ".join(str(value).split()))


def finding(path: str | Path) -> str:
    """What a figure shows, from the file beside it, as :func:`plain` text."""
    return plain(Path(path).read_text(encoding="utf-8"))


FILTERS.update(plain=plain, finding=finding)
