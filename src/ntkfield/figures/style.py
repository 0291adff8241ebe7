"""One look for all figures: colour-blind safe, legible at column width, nothing cut off."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

# A notebook names its own backend, which shows figures; loaded here, or house_style would take back what it sets.
plt.switch_backend(matplotlib.get_backend() if "MPLBACKEND" in os.environ else "Agg")

# The palette "colorblind" of seaborn, which takes longer to import than a figure to draw.
_HEX = ("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9")
COLOURS = [to_rgb(colour) for colour in _HEX]
DATES = {"pdf": {"CreationDate": None, "ModDate": None}, "svg": {"Date": None}}
BLUE, ORANGE, GREEN, RED, GREY = COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[3], "0.45"


@contextmanager
def house_style() -> Iterator[None]:
    """Draw, and save, with the house's fonts, ticks and line widths."""
    settings: dict[Any, Any] = {
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
        "font.family": "sans-serif",
        "font.sans-serif": ["Arial", "DejaVu Sans", "Liberation Sans", "Bitstream Vera Sans", "sans-serif"],
        "lines.solid_capstyle": "round",
        "axes.axisbelow": True,
        "patch.force_edgecolor": True,
        "patch.edgecolor": "white",
        "svg.hashsalt": "ntkfield",  # of the names inside an SVG file, which would otherwise be random
        "pdf.compression": 6,
    }
    ink = dict.fromkeys(("axes.edgecolor", "axes.labelcolor", "text.color", "xtick.color", "ytick.color"), "0.15")
    with plt.rc_context(settings | ink):
        yield


def number_log_axis(axis: Axes) -> None:
    """Several plain numbers along a logarithmic y axis too short for powers of ten; for an axis with all its data."""
    low, high = axis.get_ylim()
    if high > 1e3 * low:
        return
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)) if high > 10 * low else MaxNLocator(5))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.yaxis.set_minor_locator(NullLocator())


def save(figure: Figure, *paths: str) -> None:
    """Write a figure under each path, whole and in the house's resolution, and close it.

    Files carry no dates, so that equal figures are equal files.
    """
    for path in paths:
        _write(figure, path, Path(path).suffix.removeprefix("."))
    plt.close(figure)


def svg(figure: Figure) -> str:
    """A figure as SVG text, as :func:`save` would write it; closes the figure."""
    stream = io.StringIO()
    _write(figure, stream, "svg")
    plt.close(figure)
    return stream.getvalue()


def _write(figure: Figure, target: str | io.StringIO, form: str) -> None:
    with house_style():  # matplotlib looks up resolution and margins when a figure is saved, not when it is drawn
        figure.savefig(target, format=form, metadata=DATES.get(form))


def note(sentence: str, path: str) -> None:
    """Write what a figure shows into a text file, for its caption."""
    Path(path).write_text(f"{sentence}\n", encoding="utf-8")
