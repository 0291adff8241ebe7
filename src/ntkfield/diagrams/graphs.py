"""Diagrams as immutable data.

External nodes are numbered consecutively over the list of externals; the cubic vertex of a node is the pair of the
channel pairing that holds it, unless a joint of orthogonal weights pairs it anew. Propagators (blobs) are numbered by
their least cubic vertex.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations, product
from math import factorial, prod

from .tensors import EDGES, Pair, Pairing, Shape, canonical, flat_nodes


@dataclass(frozen=True, order=True)
class Cubic:
    """Two external nodes joined by a rule; ``orders`` are the derivatives of σ on the wavy line, one per node.

    ``rule`` is "contract" (C_W), "differentiate" (λ_W) or "omega" (orders then (0, 0), Ω stands for both).
    """

    nodes: Pair
    rule: str
    orders: Pair


@dataclass(frozen=True, order=True)
class Tree:
    """A tree of derivatives of the layer below: its kind and, for each node, the external node and edges above it."""

    kind: str
    slots: tuple[tuple[int, tuple[int, ...]], ...]

    @property
    def nodes(self) -> tuple[int, ...]:
        """External node above each node of the tree."""
        return tuple(node for node, _ in self.slots)


@dataclass(frozen=True, order=True)
class Internal:
    """One connected cumulant of the layer below.

    ``lines``: the blob each internal solid line ends on; ``trees``: derivative trees, each node bound to a cubic
    vertex; ``pairing``: channel pairs among flat nodes, lines first; ``correction``: extra powers of 1/n.
    """

    lines: tuple[int, ...]
    trees: tuple[Tree, ...]
    pairing: Pairing
    correction: int = 0

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of what meets here, one "z" per line, then the trees."""
        return ("z",) * len(self.lines) + tuple(tree.kind for tree in self.trees)

    @property
    def shape(self) -> Shape:
        """The tensor of this vertex."""
        return canonical(self.kinds, self.pairing, self.correction)[0]

    @property
    def flat_order(self) -> tuple[int, ...]:
        """Flat node (lines, then tree nodes) at each subscript of the tensor."""
        return canonical(self.kinds, self.pairing, self.correction)[1]

    @property
    def owners(self) -> tuple[int | None, ...]:
        """External node above each flat node; None for a solid line."""
        return (None,) * len(self.lines) + tuple(node for tree in self.trees for node in tree.nodes)

    def line_automorphisms(self) -> int:
        """Number of exchanges of solid lines that keep their blobs and the pairing."""
        ends: dict[int, list[int]] = {}
        for line, blob in enumerate(self.lines):
            ends.setdefault(blob, []).append(line)
        pairs, count = {frozenset(pair) for pair in self.pairing}, 0
        lines = [line for group in ends.values() for line in group]
        for images in product(*(permutations(group) for group in ends.values())):
            image = dict(zip(lines, (line for group in images for line in group), strict=True))
            count += {frozenset(image.get(x, x) for x in pair) for pair in pairs} == pairs
        return count


@dataclass(frozen=True, order=True)
class Propagator:
    """A white blob: ``factors`` are groups of cubic vertices; those of one group share the channel by a Θ line."""

    factors: tuple[tuple[int, ...], ...]

    @property
    def vertices(self) -> tuple[int, ...]:
        """All cubic vertices on this blob."""
        return tuple(vertex for factor in self.factors for vertex in factor)


@dataclass(frozen=True, order=True)
class Joint:
    """Cubic vertices joined by one connected cumulant of their weights, at this ``power`` of rho/n."""

    vertices: tuple[int, ...]
    power: int


@dataclass(frozen=True, order=True)
class Diagram:
    """One term of a recursion, as a graph.

    kinds, pairing, order
        the externals, the channel pairs they are evaluated for, and the total power of 1/n
    vertices
        cubic vertices, by their least node; those outside ``joints`` are pairs of ``pairing``
    propagators, means, internals
        blobs, mean-NTK lines, and connected cumulants of the layer below
    joints
        connected cumulants of more than two weights; none for Gaussian weights
    weight
        under the standard rules the product of the joints' coefficients
    """

    kinds: tuple[str, ...]
    pairing: Pairing
    order: int
    vertices: tuple[Cubic, ...]
    propagators: tuple[Propagator, ...]
    means: tuple[Tree, ...]
    internals: tuple[Internal, ...]
    joints: tuple[Joint, ...] = ()
    weight: Fraction = Fraction(1)

    @property
    def vertex_of(self) -> dict[int, int]:
        """The cubic vertex of each external node."""
        return {node: k for k, vertex in enumerate(self.vertices) for node in vertex.nodes}

    @property
    def share_power(self) -> int:
        """Power of rho that the joints bring."""
        return sum(joint.power for joint in self.joints)

    @property
    def symmetry(self) -> int:
        """Number of automorphisms that fix every external line."""
        equal = prod(factorial(n) for n in Counter(self.internals).values())
        return equal * prod(internal.line_automorphisms() for internal in self.internals)

    @property
    def ratio_power(self) -> int:
        """Power of r = n_l / n_(l-1) that the internal vertices bring."""
        return sum(internal.shape.order for internal in self.internals)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the internal vertices."""
        return tuple(internal.shape.name for internal in self.internals)

    def external_edges(self) -> tuple[Pair, ...]:
        """Colours: every contracted derivative of the externals as a pair of external nodes."""
        return external_edges(self.kinds)


def external_edges(kinds: tuple[str, ...]) -> tuple[Pair, ...]:
    """All derivative edges of a list of externals, as pairs of flat nodes; an edge's position is its colour."""
    return tuple(
        (nodes[a], nodes[b]) for kind, nodes in zip(kinds, flat_nodes(kinds), strict=True) for a, b in EDGES[kind]
    )
