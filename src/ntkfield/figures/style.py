"""One look for all figures: colour-blind safe, legible at column width."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

COLOURS = sns.color_palette("colorblind")
HASHSALT = "ntkfield"  # of the names inside an SVG file, which would otherwise be random
DATES = {".pdf": {"CreationDate": None, "ModDate": None}, ".svg": {"Date": None}}
BLUE, ORANGE, GREEN, RED, GREY = COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[3], "0.45"


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with the house's fonts, ticks and line widths."""
    settings = {
        "figure.dpi": 150,
        "savefig.dpi": 200,
        "savefig.bbox": "tight",
        "font.size": 10,
        "axes.titlesize": 11,
        "axes.labelsize": 10,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "lines.linewidth": 1.8,
        "lines.markersize": 5,
        "svg.hashsalt": HASHSALT,
        "pdf.compression": 6,
    }
    with sns.axes_style("ticks"), plt.rc_context(settings):
        yield


def save(figure: Figure, *paths: str) -> None:
    """Write a figure under each path and close it; without dates, so that equal figures are equal files."""
    with plt.rc_context({"svg.hashsalt": HASHSALT}):
        for path in paths:
            figure.savefig(path, metadata=DATES.get(Path(path).suffix))
    plt.close(figure)


def note(sentence: str, path: str) -> None:
    """Write what a figure shows into a text file, for its caption."""
    Path(path).write_text(f"{sentence}\n", encoding="utf-8")
