"""Strokes: curves, wavy and dotted lines, and axes that remember where ink is so that names find free space."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

INK = "#111111"
WIDTH = 1.5
FONT: dict[str, Any] = {"family": "cmr10", "math_fontfamily": "cm"}


class Canvas:
    """Axes that remember where ink is."""

    def __init__(self, axes: Axes) -> None:
        self.axes = axes
        self.ink: list[np.ndarray] = []

    def line(self, path: np.ndarray, **style) -> None:
        """Plot a path [n, 2]."""
        self.axes.plot(*path.T, **style)
        self.ink.append(path)

    def disc(self, point: tuple[float, float], radius: float, **style) -> None:
        """Draw a circle."""
        self.axes.add_patch(Circle(point, radius, **style))
        t = np.linspace(0, 2 * np.pi, 40)[:, None]
        self.ink.append(np.array(point) + radius * np.hstack([np.cos(t), np.sin(t)]))
        self.ink.append(np.array([point]))

    def name(
        self, point: np.ndarray, text: str, prefer: np.ndarray, reach: Sequence[float], half: float, size: float
    ) -> None:
        """Write ``text`` (half its width is ``half``) near ``point``, clear of ink, towards ``prefer`` if possible."""
        ink = np.concatenate(self.ink)
        best, most = point, -np.inf
        for distance in reach:
            for angle in np.linspace(0, 2 * np.pi, 24, endpoint=False):
                step = np.array([np.cos(angle), np.sin(angle)])
                centre = point + distance * step
                gap = np.abs(ink - centre)
                clear = np.hypot(np.maximum(gap[:, 0] - half, 0), np.maximum(gap[:, 1] - 0.09, 0)).min()
                score = min(clear, 0.1) * 10 + 0.25 * step @ prefer - 0.4 * distance
                if score > most:
                    best, most = centre, score
        self.axes.text(best[0], best[1], formula(text), ha="center", va="center", fontsize=size, zorder=8, **FONT)
        x = np.linspace(-half, half, 9)
        self.ink.append(best + np.stack([x, 0 * x], axis=1))


def formula(latex: str) -> str:
    """LaTeX as matplotlib sets it: primes after the subscript, so that the two stand above each other."""
    text = re.sub(r"(\\sigma)('+)(_{[^}]*})", r"\1\3\2", latex)
    return f"${text}$"


def curve(start: np.ndarray, end: np.ndarray, bend: float = 0.0) -> np.ndarray:
    """Quadratic Bézier curve, bent sideways by ``bend`` times its length."""
    direction = end - start
    control = (start + end) / 2 + bend * np.array([-direction[1], direction[0]])
    t = np.linspace(0, 1, 80)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end


def wavy(start: np.ndarray, end: np.ndarray, wavelength: float = 0.17, amplitude: float = 0.055) -> np.ndarray:
    """A sine wave from ``start`` to ``end`` with a whole number of periods."""
    direction = end - start
    length = np.linalg.norm(direction)
    waves = max(2, round(length / wavelength))
    t = np.linspace(0, 1, 24 * waves + 1)
    normal = np.array([-direction[1], direction[0]]) / length
    return start + t[:, None] * direction + amplitude * np.sin(2 * np.pi * waves * t)[:, None] * normal


def band(canvas: Canvas, points: np.ndarray) -> None:
    """A broad grey band through points [n, 2], closed if there are more than two."""
    path = np.concatenate([points, points[:1]]) if len(points) > 2 else points
    canvas.line(path, color="#B9B9B9", linewidth=11, solid_capstyle="round", solid_joinstyle="round", zorder=0)


def strand(canvas: Canvas, path: np.ndarray, colours: list[str], draw: Callable, zorder: int = 1) -> None:
    """A solid line for a preactivation (no colours), else one line per colour by ``draw``, side by side."""
    if not colours:
        canvas.line(path, color=INK, linewidth=WIDTH, zorder=zorder, solid_capstyle="round")
        return
    tangent = np.gradient(path, axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    for k, colour in enumerate(colours):
        shift = 0.085 * (k - (len(colours) - 1) / 2)
        draw(canvas, path + shift * normal, colour, zorder)


def dotted(canvas: Canvas, path: np.ndarray, colour: str, zorder: int) -> None:
    """A line of round dots."""
    canvas.line(path, color=colour, linewidth=1.9, linestyle=(0, (0.05, 1.6)), dash_capstyle="round", zorder=zorder)


def dashed(canvas: Canvas, path: np.ndarray, colour: str, zorder: int) -> None:
    """A line of dashes."""
    canvas.line(path, color=colour, linewidth=1.5, linestyle=(0, (2.6, 1.3)), dash_capstyle="butt", zorder=zorder)
