"""What a cumulant is made of: trees of derivatives, and the tensors that multiply Kronecker deltas of channels.

Every statistic of the training dynamics is a *tree* whose nodes are network outputs z_i(x_α) and whose edges are
contracted parameter derivatives (one colour each):

=========  =========================================================  ================
kind       quantity                                                   edges
=========  =========================================================  ================
``z``      z_0                                                        none
``Theta``  Σ_μ ∂_μ z_0 ∂_μ z_1                                        0-1
``dNTK``   Σ_μν ∂²_μν z_0 ∂_μ z_1 ∂_ν z_2                             0-1, 0-2
``ddI``    Σ_μνρ ∂³_μνρ z_0 ∂_μ z_1 ∂_ν z_2 ∂_ρ z_3                   0-1, 0-2, 0-3
``ddII``   Σ_μνρ ∂²_μν z_0 ∂²_νρ z_1 ∂_μ z_2 ∂_ρ z_3                  0-1, 0-2, 1-3
=========  =========================================================  ================

Given the layer below, outputs are Gaussian in the last weights, so a joint cumulant of trees is exactly a sum over
perfect matchings of its nodes of Kronecker deltas of channels times a tensor. With M matched pairs the tensor starts
at n^(1-M).  Sources: Roberts, Yaida, Hanin, *The Principles of Deep Learning Theory* (2022), chs. 4, 8, 11 and
appendix ∞ (definitions); Guillen, Misof, Gerken, arXiv 2508.11522 (names and subscript orders of V ... U).
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product

from ntkfield.tensors import TENSORS

Pair = tuple[int, int]
Pairing = tuple[Pair, ...]

EDGES: dict[str, tuple[Pair, ...]] = {
    "z": (),
    "Theta": ((0, 1),),
    "dNTK": ((0, 1), (0, 2)),
    "ddI": ((0, 1), (0, 2), (0, 3)),
    "ddII": ((0, 1), (0, 2), (1, 3)),
}
SIZE: dict[str, int] = {"z": 1, "Theta": 2, "dNTK": 3, "ddI": 4, "ddII": 4}
KINDS: tuple[str, ...] = tuple(EDGES)

FIRST_ORDER: tuple[str, ...] = tuple(name for name, tensor in TENSORS.items() if tensor.order == 1)
# Corrections of a tensor share its externals and pairs: the table's rows without those.
_PRINTED = {name: tensor for name, tensor in TENSORS.items() if tensor.order == len(tensor.pairs) - 1}


@cache
def tree_automorphisms(kind: str) -> tuple[tuple[int, ...], ...]:
    """Permutations of a tree's nodes that keep its edges (Theta: both orders of its legs, ddII: its reversal, ...)."""
    edges = {frozenset(edge) for edge in EDGES[kind]}
    return tuple(
        p for p in permutations(range(SIZE[kind])) if {frozenset((p[a], p[b])) for a, b in EDGES[kind]} == edges
    )


def flat_nodes(kinds: Sequence[str]) -> list[tuple[int, ...]]:
    """Consecutive node numbers of each external: ("z", "Theta") -> [(0,), (1, 2)]."""
    nodes, start = [], 0
    for kind in kinds:
        nodes.append(tuple(range(start, start + SIZE[kind])))
        start += SIZE[kind]
    return nodes


def matchings(items: Sequence[int]) -> Iterator[Pairing]:
    """All perfect matchings of ``items`` (none for an odd number), each pair and the list of pairs sorted."""
    if not items:
        yield ()
        return
    first, rest = items[0], items[1:]
    for k, partner in enumerate(rest):
        for tail in matchings((*rest[:k], *rest[k + 1 :])):
            yield ((first, partner), *tail)


@cache
def set_partitions(items: tuple) -> tuple[tuple[tuple, ...], ...]:
    """All set partitions of ``items``; blocks and their elements keep the order of ``items``."""
    if not items:
        return ((),)
    first, rest = items[0], items[1:]
    found = []
    for partition in set_partitions(rest):
        found.append(((first,), *partition))
        for k, block in enumerate(partition):
            found.append(((first, *block), *partition[:k], *partition[k + 1 :]))
    return tuple(tuple(sorted(partition)) for partition in found)


@cache
def _arrangements(kinds: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """Relabellings of flat nodes by exchanging equal externals and by automorphisms of each tree."""
    nodes = flat_nodes(kinds)
    slots = [[i for i, k in enumerate(kinds) if k == kind] for kind in KINDS]
    found = []
    for orders in product(*(permutations(slot) for slot in slots)):
        target = {i: j for slot, order in zip(slots, orders, strict=True) for i, j in zip(slot, order, strict=True)}
        for inner in product(*(tree_automorphisms(kind) for kind in kinds)):
            image = [0] * sum(len(n) for n in nodes)
            for i, perm in enumerate(inner):
                for a, b in enumerate(perm):
                    image[nodes[i][a]] = nodes[target[i]][b]
            found.append(tuple(image))
    return tuple(found)


def _map_pairing(pairing: Pairing, image: Sequence[int] | Mapping[int, int]) -> Pairing:
    return tuple(sorted((min(image[a], image[b]), max(image[a], image[b])) for a, b in pairing))


@dataclass(frozen=True, order=True)
class Shape:
    """A tensor up to isomorphism: sorted ``kinds``, the least equivalent ``pairing`` of flat nodes, the correction.

    ``correction`` counts extra powers of 1/n past the leading one: K1 is the shape of K with correction 1.
    """

    kinds: tuple[str, ...]
    pairing: Pairing
    correction: int = 0

    @property
    def leading_order(self) -> int:
        """Power of 1/n at which the tensor starts, the number of delta pairs minus one."""
        return len(self.pairing) - 1

    @property
    def order(self) -> int:
        """Power of 1/n that multiplies this tensor."""
        return self.leading_order + self.correction

    @property
    def name(self) -> str:
        """K, Theta, V ... U, with corrections K1, Theta1, K2, V.1; any other, V6 or for instance ``zzzzTheta[...]``."""
        return _shape_name(self)

    @property
    def subscripts(self) -> tuple[int, ...]:
        """Flat node at each subscript position, in the order in which the tensor is written."""
        known = _named().get((self.kinds, self.pairing))
        return known[1] if known else tuple(node for pair in self.pairing for node in pair)

    @property
    def symmetries(self) -> tuple[tuple[int, ...], ...]:
        """Permutations p of subscripts with X[s] = X[s∘p], from exchanges of externals and tree automorphisms."""
        return _symmetries(self.kinds, self.pairing)


@cache
def canonical(kinds: tuple[str, ...], pairing: Pairing, correction: int = 0) -> tuple[Shape, tuple[int, ...]]:
    """Shape of externals ``kinds`` joined by ``pairing``, and the given flat node at each of its subscripts."""
    order = sorted(range(len(kinds)), key=lambda i: KINDS.index(kinds[i]))
    nodes, ranked = flat_nodes(kinds), tuple(kinds[i] for i in order)
    position = {node: k for k, node in enumerate(node for i in order for node in nodes[i])}
    best, image = min((_map_pairing(_map_pairing(pairing, position), im), im) for im in _arrangements(ranked))
    shape = Shape(ranked, best, correction)
    original = {image[position[node]]: node for node in position}
    return shape, tuple(original[node] for node in shape.subscripts)


@cache
def _named() -> dict[tuple[tuple[str, ...], Pairing], tuple[str, tuple[int, ...]]]:
    table = {}
    for name, (_, _, externals, pairs, *_) in _PRINTED.items():
        kinds = tuple(kind for kind, _ in externals)
        flat = [position for _, positions in externals for position in positions]  # flat node -> subscript
        pairing = _map_pairing(tuple((flat.index(a), flat.index(b)) for a, b in pairs), range(len(flat)))
        ranked = tuple(sorted(kinds, key=KINDS.index))
        order = sorted(range(len(kinds)), key=lambda i: KINDS.index(kinds[i]))
        nodes = flat_nodes(kinds)
        position = {node: k for k, node in enumerate(node for i in order for node in nodes[i])}
        image = min(_arrangements(ranked), key=lambda im: _map_pairing(_map_pairing(pairing, position), im))
        best = _map_pairing(_map_pairing(pairing, position), image)
        where = {flat[node]: image[position[node]] for node in position}
        table[ranked, best] = (name, tuple(where[s] for s in range(len(flat))))
    return table


@cache
def _symmetries(kinds: tuple[str, ...], pairing: Pairing) -> tuple[tuple[int, ...], ...]:
    subscripts = Shape(kinds, pairing).subscripts
    place = {node: s for s, node in enumerate(subscripts)}
    return tuple(
        sorted(
            tuple(place[image[node]] for node in subscripts)
            for image in _arrangements(kinds)
            if _map_pairing(pairing, image) == pairing
        )
    )


def _shape_name(shape: Shape) -> str:
    known = _named().get((shape.kinds, shape.pairing))
    if known:
        base = known[0]
        if not shape.correction:
            return base
        return f"{base}{shape.correction}" if base in ("K", "Theta") else f"{base}.{shape.correction}"
    if set(shape.kinds) == {"z"}:
        base = f"V{len(shape.kinds)}"
    else:
        base = "".join(shape.kinds) + "[" + "|".join(f"{a}{b}" for a, b in shape.pairing) + "]"
    return f"{base}.{shape.correction}" if shape.correction else base


def shape_from_name(name: str) -> Shape:
    """Shape of a printed name: V ... U, K1, K2, Theta1, V6, with ``.k`` for the k-th 1/n correction (V.1).

    Raises ValueError for any other name.
    """
    two_point = re.fullmatch(r"(K|Theta)(\d+)", name) if isinstance(name, str) else None
    dotted = re.fullmatch(r"([A-Z]|V\d+)(?:\.(\d+))?", name) if isinstance(name, str) else None
    base, correction = "", 0
    if two_point:
        base, correction = two_point[1], int(two_point[2])
    elif dotted:
        base, correction = dotted[1], int(dotted[2] or 0)
    for (kinds, pairing), (known, _) in _named().items():
        if known == base and (known not in ("K", "Theta") or correction):
            return Shape(kinds, pairing, correction)
    if re.fullmatch(r"V\d+", base) and int(base[1:]) % 2 == 0 and int(base[1:]) >= 6:
        size = int(base[1:])
        return Shape(("z",) * size, tuple((k, k + 1) for k in range(0, size, 2)), correction)
    raise ValueError(
        f"recursion name is {name!r}; accepted are {', '.join(FIRST_ORDER)}, K2, Theta2, V6, V8, "
        "and a dot with the number of further powers of 1/n, as in V.1."
    )


def parse_kinds(externals: object) -> tuple[str, ...]:
    """Check a list of externals; ``"Θ̂"`` and ``"NTK"`` are accepted for ``"Theta"``.

    Raises ValueError that names the first bad value.
    """
    names = {**{kind: kind for kind in KINDS}, "NTK": "Theta", "Θ": "Theta", "Θ̂": "Theta"}
    if isinstance(externals, str) or not isinstance(externals, Sequence) or not externals:
        raise ValueError(f"externals is {externals!r}; accepted is a non-empty list of {', '.join(KINDS)}.")
    for value in externals:
        if not isinstance(value, Hashable) or value not in names:
            raise ValueError(f"externals holds {value!r}; accepted are {', '.join(KINDS)}.")
    kinds = tuple(names[value] for value in externals)
    if sum(SIZE[kind] for kind in kinds) % 2:
        raise ValueError(
            f"externals is {list(externals)!r} with an odd number of network outputs, whose cumulant is zero; "
            "accepted is an even number (z counts 1, Theta 2, dNTK 3, ddI and ddII 4)."
        )
    return kinds


def definition(shape: Shape) -> tuple[tuple[str, ...], Pairing, tuple[int, ...], int]:
    """Externals in the order their papers write them, channel pairs, flat node at each subscript, first label.

    Labels count from 0 where the paper's do (P, Q, R), else from 1: F is F_1324, T is T_1324, P is P_0123.
    """
    known = _named().get((shape.kinds, shape.pairing))
    if not known:
        return shape.kinds, shape.pairing, shape.subscripts, 1
    _, subscripts, externals, pairs, *_ = _PRINTED[known[0]]
    flat = [position for _, positions in externals for position in positions]
    pairing = _map_pairing(tuple((flat.index(a), flat.index(b)) for a, b in pairs), range(len(flat)))
    kinds = tuple(kind for kind, _ in externals)
    return kinds, pairing, tuple(flat.index(s) for s in range(len(flat))), int(min(subscripts))
