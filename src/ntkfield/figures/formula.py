"""Formulas as pictures, for pages that must be readable without a network."""

import re
from collections.abc import Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ntkfield.diagrams import strokes

SIZE, LEADING, DPI = 13.0, 0.46, 72  # points, inches from line to line, points in an inch


def aligned(latex: str) -> list[tuple[str, str]]:
    r"""Lines of an ``aligned`` environment as pairs: what stands left of ``&``, what stands right of it."""
    body = re.sub(r"\\(begin|end)\{aligned\}", "", latex)
    lines = [line.strip().partition("&") for line in re.split(r"\\\\\s", body)]
    return [(left.strip(), right.strip()) for left, _, right in lines]


def draw(lines: Sequence[tuple[str, str]]) -> Figure:
    """Draw lines of LaTeX, aligned where their right parts begin, on a sheet as large as they need."""
    figure = Figure(dpi=DPI)
    renderer = FigureCanvasAgg(figure).get_renderer()
    texts = [[figure.text(0, 0, _text(part), **STYLE) for part in pair] for pair in lines]
    widths = [
        [text.get_window_extent(renderer).width / DPI if text.get_text() else 0.0 for text in pair] for pair in texts
    ]
    indent = max(left for left, _ in widths) + 0.08
    width, height = indent + max(right for _, right in widths) + 0.1, LEADING * len(lines) + 0.3
    figure.set_size_inches(width, height)
    for k, (left, right) in enumerate(texts):
        y = 1 - (0.32 + LEADING * k) / height
        left.set(x=0.02 / width, y=y)
        right.set(x=indent / width, y=y)
    return figure


STYLE = {"fontsize": SIZE, "math_fontfamily": "cm", "va": "baseline", "ha": "left"}


def _text(latex: str) -> str:
    r"""LaTeX for matplotlib, which knows no sizes of brackets."""
    return strokes.formula(re.sub(r"\\big[lr]", "", latex)) if latex else ""
