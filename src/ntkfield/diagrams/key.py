"""The key to the pictures: every stroke and mark of a diagram, with its meaning beside it."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .drawing import COLOURS
from .strokes import FONT, INK, WIDTH, Canvas, band, dashed, dotted, strand, wavy

MEANINGS = (
    "preactivation $z_\\alpha$",
    "leg of an NTK; the other leg has its colour",
    "derivative line inside",
    "two legs of a dNTK or ddNTK on one output",
    "what a cubic vertex emits",
    "cubic vertex: two outputs meet",
    "propagator: expectation in one channel",
    "tensor of the layer below",
    "connected cumulant of orthogonal weights",
)


def draw_key() -> Figure:
    """One sheet that explains the strokes, in two columns."""
    rows = -(-len(MEANINGS) // 2)
    figure = Figure(figsize=(8.4, 0.36 * rows), dpi=150)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 16.8), ylim=(-rows + 0.3, 0.7), aspect="auto")
    axes.axis("off")
    canvas = Canvas(axes)
    for k, meaning in enumerate(MEANINGS):
        column, row = divmod(k, rows)
        left, height = 0.3 + 8.6 * column, -float(row)
        _sample(canvas, k, np.array([left, height]), np.array([left + 1.5, height]))
        axes.text(left + 1.9, height, meaning, va="center", fontsize=11, **FONT)
    return figure


def _sample(canvas: Canvas, which: int, start: np.ndarray, end: np.ndarray) -> None:
    """Draw one stroke or mark between two points of a stretched plane, whose x unit is half an inch."""
    line, middle = np.stack([start, end]), (start + end) / 2
    if which == 0:
        strand(canvas, line, [], dotted)
    elif which == 1:
        dotted(canvas, line, COLOURS[0], 1)
    elif which == 2:
        dashed(canvas, line, COLOURS[0], 1)
    elif which == 3:
        for colour, shift in zip(COLOURS[:2], (0.09, -0.09), strict=True):
            dotted(canvas, line + shift * np.array([0.0, 1.0]), colour, 1)
    elif which == 4:
        canvas.line(wavy(start, end, 0.25, 0.12), color=INK, linewidth=1.1)
    elif which == 8:
        ends = middle + np.array([[-0.32, 0.0], [0.32, 0.0]])
        band(canvas, ends)
        canvas.axes.plot(*ends.T, "o", markersize=4, color=INK, linestyle="")
    else:
        size, face = ((4, INK), (13, "white"), (6, INK))[which - 5]
        canvas.axes.plot(*middle, "o", markersize=size, markerfacecolor=face, color=INK, markeredgewidth=WIDTH)
