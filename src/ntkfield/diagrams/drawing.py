"""Pictures of diagrams: solid preactivations, coloured derivative lines, wavy emissions, blobs, vertices.

A colour is one contracted derivative (both legs of an NTK share it): dotted outside, dashed past the cubic vertex; a
node with two or three derivatives is a double or triple line. Derivative lines that pass a cubic vertex run along its
wavy line; a mean NTK passes through the blob, any other ends in an internal vertex (black, named). A grey band joins
the cubic vertices whose orthogonal weights have one cumulant. Conventions: arXiv 2508.11522.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .graphs import Diagram
from .layout import Layout, place
from .legs import Legs
from .notation import cubic_latex, term_latex
from .strokes import FONT, INK, WIDTH, Canvas, band, curve, dashed, dotted, formula, strand, wavy
from .symbols import tensor_latex

COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F3C8D", "#6B6B6B")
RADIUS = 0.27


def draw_diagrams(
    diagrams: Sequence[Diagram], legs: Legs, title: str = "", columns: int | None = None, terms: bool = True
) -> Figure:
    """A sheet of diagrams, each with its term underneath. Save as SVG, PDF or PNG with ``Figure.savefig``."""
    count = max(len(diagrams), 1)
    long = terms and any(len(term_latex(diagram, legs.moved)) > 190 for diagram in diagrams)
    if columns is None:  # as few rows of at most three as possible, evenly filled
        columns = -(-count // -(-count // 3))
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    extent = place(diagrams[0]).extent if diagrams else (-1, 1, -1, 1)
    aspect = (extent[3] - extent[2]) / (extent[1] - extent[0])
    width = 4.2 if long else 3.15
    height = width * aspect + (0.42 if terms else 0.1)
    head = 0.42 if title else 0.0
    figure = Figure(figsize=(columns * width, rows * height + head), dpi=150)
    FigureCanvasAgg(figure)
    total = rows * height + head
    for k, diagram in enumerate(diagrams):
        row, column = divmod(k, columns)
        box = (column / columns, 1 - (head + (row + 1) * height) / total, 1 / columns, height / total)
        _panel(figure, box, diagram, legs, terms, 0.38 / height if terms else 0.0)
    if title:
        figure.text(0.5, 1 - 0.5 * head / total, title, ha="center", va="center", fontsize=14, **FONT)
    return figure


def _panel(figure: Figure, box: tuple, diagram: Diagram, legs: Legs, terms: bool, foot: float) -> None:
    left, bottom, width, height = box
    axes = figure.add_axes((left, bottom + foot * height, width, (1 - foot) * height))
    draw_diagram(axes, diagram, legs)
    if terms:
        text = figure.text(left + width / 2, bottom + 0.55 * foot * height, formula(term_latex(diagram, legs.moved)),
                           ha="center", va="baseline", fontsize=12, **FONT)  # fmt: skip
        wide = text.get_window_extent().width
        text.set_fontsize(12 * min(1.0, 0.94 * width * figure.get_figwidth() * figure.dpi / wide))


def draw_diagram(axes: Axes, diagram: Diagram, legs: Legs) -> None:
    """Draw one diagram on ``axes``; ``legs`` names the ends of its external lines, what they read, and their steps."""
    layout = place(diagram)
    x0, x1, y0, y1 = layout.extent
    axes.set(xlim=(x0, x1), ylim=(y0, y1), aspect="equal")
    axes.axis("off")
    canvas = Canvas(axes)
    for joint in diagram.joints:
        band(canvas, np.array([layout.vertices[k] for k in joint.vertices]))
    _externals(canvas, diagram, layout, legs.ends)
    _emissions(canvas, diagram, layout)
    _internal_lines(canvas, diagram, layout)
    for point in layout.blobs:
        canvas.disc(point, RADIUS, facecolor="white", edgecolor=INK, linewidth=WIDTH, zorder=4)
    _means(canvas, diagram, layout)
    for point in layout.vertices:
        canvas.disc(point, 0.06, facecolor=INK, edgecolor=INK, zorder=6)
    for point in layout.internals:
        canvas.disc(point, 0.085, facecolor=INK, edgecolor=INK, zorder=6)
    _names(canvas, diagram, layout, legs)


def _names(canvas: Canvas, diagram: Diagram, layout: Layout, legs: Legs) -> None:
    """Decorations beside wavy lines, steps beside cubic vertices, tensors beside internal vertices."""
    blob = _blob_of(diagram)
    for k, vertex in enumerate(diagram.vertices):
        start, end = np.array(layout.vertices[k]), np.array(layout.blobs[blob[vertex.nodes[0]]])
        middle = (start + end + RADIUS * (start - end) / np.linalg.norm(start - end)) / 2
        text = cubic_latex(vertex, legs.moved)
        half = 0.12 if vertex.rule == "omega" else 0.2 + 0.035 * sum(vertex.orders)
        half += 0.06 * sum(len(str(legs.moved[node])) - len(str(legs.ends[node])) for node in vertex.nodes)
        canvas.name(middle, text, _up(start, end), (0.26, 0.3, 0.36, 0.44, 0.52), half, 10)
        if step := legs.shared(vertex.nodes):
            canvas.name(start, step, (start - end) / np.linalg.norm(start - end), (0.18, 0.22, 0.26, 0.3), 0.06, 10)
    for internal, point in zip(diagram.internals, layout.internals, strict=True):
        name = internal.shape.name
        if "[" in name:  # unnamed: the full name is in the term underneath
            name, text = "X6", f"X^{{({len(internal.owners)})}}"
        else:
            text = tensor_latex(name, "@").replace("_{@}", "")
        half = 0.08 if len(name) < 2 else 0.2
        away = np.array([0.0, 1.0 if point[1] >= -0.05 else -1.0])
        canvas.name(np.array(point), text, away, (0.26, 0.3, 0.36, 0.44), half, 11)


def _colours(diagram: Diagram, node: int) -> list[str]:
    return [COLOURS[k % len(COLOURS)] for k, edge in enumerate(diagram.external_edges()) if node in edge]


def _externals(canvas: Canvas, diagram: Diagram, layout: Layout, labels: Sequence[int]) -> None:
    for k, vertex in enumerate(diagram.vertices):
        centre = np.array(layout.vertices[k])
        for node in vertex.nodes:
            end = np.array(layout.ends[node])
            strand(canvas, curve(end, centre), _colours(diagram, node), dotted)
            outward = (end - centre) / np.linalg.norm(end - centre)
            x, y = end + 0.2 * outward
            canvas.axes.text(x, y, f"${labels[node]}$", ha="center", va="center", fontsize=12, **FONT)


def _passing(diagram: Diagram) -> dict[int, list[int]]:
    """Colours (edge numbers) that go on below each external node."""
    found: dict[int, list[int]] = {node: [] for pair in diagram.pairing for node in pair}
    for tree in (*diagram.means, *(tree for internal in diagram.internals for tree in internal.trees)):
        for node, block in tree.slots:
            found[node].extend(block)
    return {node: sorted(edges) for node, edges in found.items()}


def _blob_of(diagram: Diagram) -> dict[int, int]:
    blob = {v: k for k, propagator in enumerate(diagram.propagators) for v in propagator.vertices}
    return {node: blob[vertex] for node, vertex in diagram.vertex_of.items()}


def _lanes(diagram: Diagram, layout: Layout, node: int) -> list[int]:
    """Passing colours of a node, nearest to the wavy line first, in the order that crosses least further on."""
    edges = diagram.external_edges()
    k = next(k for k, vertex in enumerate(diagram.vertices) if node in vertex.nodes)
    start, end = np.array(layout.vertices[k]), np.array(layout.blobs[_blob_of(diagram)[node]])
    up = _up(start, end)
    side = float(np.sign(up @ (np.array(layout.ends[node]) - start)))

    def height(edge: int) -> float:
        other = edges[edge][edges[edge][0] == node]
        return side * float(up @ (np.array(layout.ends[other]) - start))

    return sorted(_passing(diagram)[node], key=height)


def _lane(diagram: Diagram, layout: Layout, node: int, edge: int) -> np.ndarray:
    """Path of a passing derivative line beside the wavy line of its node."""
    k = next(k for k, vertex in enumerate(diagram.vertices) if node in vertex.nodes)
    start, end = np.array(layout.vertices[k]), np.array(layout.blobs[_blob_of(diagram)[node]])
    end = end + (start - end) / np.linalg.norm(start - end) * RADIUS * 0.9
    lanes = _lanes(diagram, layout, node)
    towards = np.array(layout.ends[node]) - start
    along = (end - start) / np.linalg.norm(end - start)
    normal = np.array([-along[1], along[0]])
    normal = normal if normal @ towards > 0 else -normal
    offset = (0.12 + 0.055 * lanes.index(edge)) * normal
    t = np.linspace(0, 1, 60)[:, None]
    fade = np.clip(np.minimum(t * 5, 1.0), 0, 1)
    return start + t * (end - start) + fade * offset


def _emissions(canvas: Canvas, diagram: Diagram, layout: Layout) -> None:
    blob = _blob_of(diagram)
    passing = _passing(diagram)
    for k, vertex in enumerate(diagram.vertices):
        start, end = np.array(layout.vertices[k]), np.array(layout.blobs[blob[vertex.nodes[0]]])
        end = end + (start - end) / np.linalg.norm(start - end) * RADIUS
        path = wavy(start, end)
        canvas.line(path, color=INK, linewidth=1.1, zorder=2, solid_capstyle="round")
        for node in vertex.nodes:
            for edge in passing[node]:
                dashed(canvas, _lane(diagram, layout, node, edge), COLOURS[edge % len(COLOURS)], zorder=3)


def _internal_lines(canvas: Canvas, diagram: Diagram, layout: Layout) -> None:
    blob = _blob_of(diagram)
    crowded = Counter(
        blob for internal in diagram.internals if len(set(internal.lines)) == 1 for blob in internal.lines
    )
    crowding = {k: 0.7 if crowded[k] > 4 else 1.0 for k in range(len(layout.blobs))}
    for internal, point in zip(diagram.internals, layout.internals, strict=True):
        strands: dict[int, list[tuple[float, list[str]]]] = {}
        for line in internal.lines:
            strands.setdefault(line, []).append((0.0, []))
        for tree in internal.trees:
            for node, block in tree.slots:
                height = _height(layout, diagram, node, point)
                lanes = [edge for edge in _lanes(diagram, layout, node) if edge in block]  # inner to outer
                colours = [COLOURS[edge % len(COLOURS)] for edge in (lanes if height > 0 else lanes[::-1])]
                strands.setdefault(blob[node], []).append((height + 0.01 * _far(layout, diagram, node, block), colours))
        for which, members in strands.items():
            start, end = np.array(layout.blobs[which]), np.array(point)
            distance = max(float(np.linalg.norm(end - start)), 1e-9)
            spread = min(0.75, 0.34 * (len(members) - 1)) * max(distance, 0.7) * crowding[which]
            side = 1 if _up(start, end) @ np.array([start[1] - end[1], end[0] - start[0]]) > 0 else -1
            for k, (_, colours) in enumerate(sorted(members)):
                bend = spread * (k / max(len(members) - 1, 1) - 0.5) if len(members) > 1 else 0.0
                strand(canvas, curve(start, end, 2 * side * bend / distance), colours[::side], dashed, zorder=3)


def _up(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Unit normal of a line, the one that points up (or left, for a vertical line)."""
    direction = (end - start) / np.linalg.norm(end - start)
    normal = np.array([-direction[1], direction[0]])
    return normal if (normal[1], -normal[0]) > (1e-9, 0) or (abs(normal[1]) <= 1e-9 and normal[0] < 0) else -normal


def _far(layout: Layout, diagram: Diagram, node: int, block: Sequence[int]) -> float:
    """Mean height of the other ends of some colours of a node."""
    edges = diagram.external_edges()
    return float(np.mean([layout.ends[edges[edge][edges[edge][0] == node]][1] for edge in block]))


def _height(layout: Layout, diagram: Diagram, node: int, point: tuple[float, float]) -> float:
    """On which side of the line blob-vertex the external end of ``node`` lies: positive above."""
    start, end = np.array(layout.blobs[_blob_of(diagram)[node]]), np.array(point)
    k = next(k for k, vertex in enumerate(diagram.vertices) if node in vertex.nodes)
    return float(_up(start, end) @ (np.array(layout.ends[node]) - np.array(layout.vertices[k])))


def _means(canvas: Canvas, diagram: Diagram, layout: Layout) -> None:
    for tree in diagram.means:
        (a, block_a), (b, block_b) = tree.slots
        first, last = (_lane(diagram, layout, node, block[0])[-1] for node, block in ((a, block_a), (b, block_b)))
        centre = np.array(layout.blobs[_blob_of(diagram)[a]])
        colour = COLOURS[block_a[0] % len(COLOURS)]
        control = centre + 0.6 * ((first + last) / 2 - centre)
        if np.linalg.norm((first + last) / 2 - centre) > 0.8 * RADIUS:  # both ends on one side: a hairpin
            control = centre - 0.3 * ((first + last) / 2 - centre)
        t = np.linspace(0, 1, 40)[:, None]
        dashed(canvas, (1 - t) ** 2 * first + 2 * t * (1 - t) * control + t**2 * last, colour, zorder=5)
