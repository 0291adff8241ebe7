"""One look for all figures: colour-blind safe, legible at column width."""

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

COLOURS = sns.color_palette("colorblind")
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
        "svg.hashsalt": "ntkfield",
        "pdf.compression": 6,
    }
    with sns.axes_style("ticks"), plt.rc_context(settings):
        yield


def save(figure: Figure, *paths: str) -> None:
    """Write a figure under each path and close it; without dates, so that equal figures are equal files."""
    for path in paths:
        metadata = {"CreationDate": None, "ModDate": None} if str(path).endswith(".pdf") else {}
        figure.savefig(path, metadata=metadata)
    plt.close(figure)
