"""Where a diagram's parts go: externals at the corners, cubic vertices inside them, blobs and internal vertices within.

Coordinates are in units of the picture; ``Layout.extent`` is what a panel must show.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

from .graphs import Diagram

Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Positions of external ends (by node), cubic vertices, blobs and internal vertices."""

    ends: dict[int, Point]
    vertices: tuple[Point, ...]
    blobs: tuple[Point, ...]
    internals: tuple[Point, ...]
    extent: tuple[float, float, float, float]


def place(diagram: Diagram) -> Layout:
    """Lay a diagram out: one or two cubic vertices on a line, three or more on a circle."""
    n = len(diagram.vertices)
    if n == 1:
        return _single(diagram)
    if n == 2 and diagram.joints:
        return _joined(diagram)
    return _pair(diagram) if n == 2 else _ring(diagram)


def _single(diagram: Diagram) -> Layout:
    a, b = diagram.vertices[0].nodes
    ends = {a: (-2.0, 0.85), b: (-2.0, -0.85)}
    count = len(diagram.internals)
    internals = tuple((1.15 * cos(t), 1.15 * sin(t)) for t in _fan(count, 0.0, 1.45))
    return Layout(ends, ((-1.35, 0.0),), ((0.0, 0.0),), internals, (-2.35, 1.75, -1.3, 1.3))


def _pair(diagram: Diagram) -> Layout:
    ends = {}
    for side, vertex in zip((-1, 1), diagram.vertices, strict=True):
        top, bottom = vertex.nodes
        ends[top], ends[bottom] = (2.2 * side, 0.9), (2.2 * side, -0.9)
    blobs = tuple(
        (0.0, 0.0) if len(propagator.vertices) == 2 else (0.72 * (-1, 1)[propagator.vertices[0]], 0.0)
        for propagator in diagram.propagators
    )
    return Layout(ends, ((-1.65, 0.0), (1.65, 0.0)), blobs, _inner(diagram, blobs), (-2.5, 2.5, -1.3, 1.3))


def _joined(diagram: Diagram) -> Layout:
    """Two cubic vertices of one joint: beside each other, the outputs of one channel above and of the other below."""
    above = diagram.pairing[0]
    ends: dict[int, Point] = {}
    if len(diagram.propagators) == 1:
        points: tuple[Point, ...] = ((-1.1, 0.32), (-1.1, -0.32))
        for vertex, heights in zip(diagram.vertices, ((1.0, 0.4), (-0.4, -1.0)), strict=True):
            for node, height in zip(vertex.nodes, heights, strict=True):
                ends[node] = (-2.2, height)
        blobs: tuple[Point, ...] = ((0.7, 0.0),)
    else:
        points = ((-0.32, 0.0), (0.32, 0.0))
        for side, vertex in zip((-1, 1), diagram.vertices, strict=True):
            top, bottom = sorted(vertex.nodes, key=lambda node: node not in above)
            ends[top], ends[bottom] = (0.75 * side, 1.0), (0.75 * side, -1.0)
        blobs = tuple((1.75 * (-1, 1)[propagator.vertices[0]], 0.0) for propagator in diagram.propagators)
    inner = tuple((x, y - 0.72 if abs(x) < 0.3 else y) for x, y in _inner(diagram, blobs))  # below the joint
    return Layout(ends, points, blobs, inner, (-2.5, 2.5, -1.3, 1.3))


def _ring(diagram: Diagram) -> Layout:
    n = len(diagram.vertices)
    angles = [pi + pi / n - 2 * pi * k / n for k in range(n)] if n == 4 else [pi - 2 * pi * k / n for k in range(n)]
    vertices = tuple((2.1 * cos(t), 1.9 * sin(t)) for t in angles)
    ends = {}
    spread = 1.05 / n
    for t, vertex in zip(angles, diagram.vertices, strict=True):
        for node, shift in zip(vertex.nodes, (spread, -spread), strict=True):
            turn = t + shift if cos(t) > 1e-9 else t - shift
            ends[node] = (2.85 * cos(turn), 2.5 * sin(turn))
    blobs = []
    for propagator in diagram.propagators:
        mine = propagator.vertices
        x, y = (sum(vertices[v][axis] for v in mine) / len(mine) for axis in (0, 1))
        shrink = 0.44 if len(mine) < n else 0.0
        blobs.append((shrink * x, shrink * y))
    spread = _push_apart(list(vertices), blobs, 0.9)
    internals = _push_apart([*vertices, *spread], list(_inner(diagram, spread)), 0.55)
    return Layout(ends, vertices, spread, internals, (-3.2, 3.2, -2.8, 2.8))


def _push_apart(fixed: list[Point], free: list[Point], least: float) -> tuple[Point, ...]:
    """Move ``free`` points by little until all are ``least`` apart from each other and from the fixed ones."""
    points = [list(point) for point in free]
    for _ in range(400):
        moved = False
        for i, p in enumerate(points):
            for j, q in enumerate([*points, *map(list, fixed)]):
                if i == j:
                    continue
                dx, dy = p[0] - q[0], p[1] - q[1]
                gap = (dx * dx + dy * dy) ** 0.5
                if gap < 0.999 * least:
                    if gap < 1e-6:  # on top of each other: part in a direction of their own
                        dx, dy, gap = cos(2.4 * i + 0.3), sin(2.4 * i + 0.3), 1.0
                    step = min(0.25 * (least - min(gap, least)) + 0.01, 0.2)
                    p[0], p[1] = p[0] + step * dx / gap, p[1] + step * dy / gap
                    moved = True
        if not moved:
            break
    return tuple((p[0], p[1]) for p in points)


def _inner(diagram: Diagram, blobs: tuple[Point, ...]) -> tuple[Point, ...]:
    """Internal vertices: between the blobs they join, or beside the only one; equal places are spread apart."""
    vertex_of = diagram.vertex_of
    blob_of = {v: k for k, propagator in enumerate(diagram.propagators) for v in propagator.vertices}
    groups: dict[tuple[int, ...], list[int]] = {}
    for which, internal in enumerate(diagram.internals):
        touched = set(internal.lines)
        touched |= {blob_of[vertex_of[node]] for tree in internal.trees for node in tree.nodes}
        groups.setdefault(tuple(sorted(touched)), []).append(which)
    places: dict[int, Point] = {}
    for touched, members in groups.items():
        x, y = (sum(blobs[k][axis] for k in touched) / len(touched) for axis in (0, 1))
        if len(touched) == 1:
            outward = pi / 2 if abs(y) < 0.3 or y < 0 else -pi / 2
            for which, t in zip(members, _fan(len(members), outward, 0.8), strict=True):
                places[which] = (x + 0.82 * cos(t), y + 0.82 * sin(t))
            continue
        (x0, y0), (x1, y1) = blobs[touched[0]], blobs[touched[1]]
        length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-9)
        across = (-(y1 - y0) / length, (x1 - x0) / length)
        for k, which in enumerate(members):
            shift = 0.75 * (k - (len(members) - 1) / 2)
            places[which] = (x + shift * across[0], y + shift * across[1])
    return tuple(places[k] for k in range(len(diagram.internals)))


def _fan(count: int, middle: float, step: float) -> list[float]:
    return [middle + step * (k - (count - 1) / 2) for k in range(count)]
