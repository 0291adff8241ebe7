"""Every admissible diagram of a cumulant at a given order in 1/n, generated from the rules.

Counting powers of n: each cubic vertex 1/n, each blob n, an internal vertex with M channel pairs and k further
corrections n_below^(1-M-k), a joint a power s of 1/n of its own. With N cubic vertices and b blobs the diagrams of
order N-1+k satisfy Σ (M-1+k') over internal vertices + Σ s over joints = b-1+k, which makes the search finite.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations_with_replacement, product

from .graphs import Cubic, Diagram, Internal, Joint, Propagator, Tree, external_edges
from .rules import STANDARD, RuleSet
from .tensors import SIZE, Pair, Pairing, flat_nodes, matchings, set_partitions
from .weingarten import connected, loops

Slot = tuple[int, tuple[int, ...]]


@cache
def enumerate_diagrams(
    kinds: tuple[str, ...], pairing: Pairing, order: int, rules: RuleSet = STANDARD
) -> tuple[Diagram, ...]:
    """All diagrams for externals ``kinds`` with channel deltas ``pairing`` at total order 1/n^``order``.

    Isomorphic diagrams appear once. An order below len(pairing) - 1 gives an empty tuple.
    """
    pairing = tuple(sorted((min(pair), max(pair)) for pair in pairing))
    extra = order - (len(pairing) - 1)
    if extra < 0:
        return ()
    found = {}
    for paired, trees in _upper_halves(kinds, pairing, rules):
        for vertices, joints in _joined(paired, len(paired) - 1 + extra, rules):
            spent = sum(joint.power for joint in joints)
            absorbed = _whole_ntks(kinds, pairing) & {vertex.nodes for vertex in _alone(vertices, joints)}
            upper = Diagram(kinds, pairing, order, vertices, (), (), (), joints)
            for means, groups in _groupings(trees, len(vertices) - 1 + extra - spent, absorbed):
                for diagram in _lower_halves(upper, means, groups, extra - spent):
                    weight = _weight(diagram, rules)
                    if weight and (_connected(diagram) or not rules.factor("connected")):
                        found[diagram] = replace(diagram, weight=weight)
    return tuple(sorted(found.values(), key=_sort_key))


def _sort_key(diagram: Diagram) -> tuple:
    rules = tuple(vertex.rule == "contract" for vertex in diagram.vertices)
    orders = tuple(vertex.orders for vertex in diagram.vertices)
    joints, internals, blobs = (len(part) for part in (diagram.joints, diagram.internals, diagram.propagators))
    return (rules, joints, -sum(map(sum, orders)), internals, blobs, diagram)


def _weight(diagram: Diagram, rules: RuleSet):
    weight = rules.factor("propagator") ** len(diagram.propagators)
    weight *= rules.factor("connected") or 1
    weight *= rules.factor("symmetry") or diagram.symmetry
    for vertex in diagram.vertices:
        weight *= rules.factor(f"cubic:{vertex.rule}")
    for _ in diagram.means:
        weight *= rules.factor("mean:Theta")
    for joint in diagram.joints:
        weight *= rules.factor("joint") * _coefficient(diagram, joint)
    for name in diagram.names:
        weight *= rules.factor(f"internal:{name}")
    for split in _splits(diagram):
        weight *= rules.factor("decoration:" + "+".join(map(str, split)))
    return weight


def _coefficient(diagram: Diagram, joint: Joint) -> int:
    emitted = tuple(diagram.vertices[k].nodes for k in joint.vertices)
    nodes = {node for pair in emitted for node in pair}
    channels = tuple(pair for pair in diagram.pairing if pair[0] in nodes)
    return connected(loops(channels, emitted), joint.power)[joint.power]


def _splits(diagram: Diagram) -> Iterator[tuple[int, ...]]:
    """Sizes of the derivative lines that pass each external node, for the decoration rules."""
    blocks: dict[int, list[int]] = {node: [] for pair in diagram.pairing for node in pair}
    for tree in (*diagram.means, *(tree for internal in diagram.internals for tree in internal.trees)):
        for node, block in tree.slots:
            blocks[node].append(len(block))
    omega = {node for vertex in diagram.vertices if vertex.rule == "omega" for node in vertex.nodes}
    return (tuple(sorted(sizes)) for node, sizes in blocks.items() if node not in omega)


# upper half: cubic vertices and decorations


def _upper_halves(
    kinds: tuple[str, ...], pairing: Pairing, rules: RuleSet
) -> Iterator[tuple[tuple[Cubic, ...], tuple[Tree, ...]]]:
    """Choices of rule at every cubic vertex and of how derivative lines pass, with the trees they leave below."""
    edges = external_edges(kinds)
    ntk = _whole_ntks(kinds, pairing)
    choices = []
    for pair in pairing:
        options = ["contract"]
        if pair in ntk:
            options.append("omega")
        elif pair in edges:
            options.append("differentiate")
        choices.append([option for option in options if rules.factor(f"cubic:{option}")])
    for picked in product(*choices):
        ended = {edges.index(pair) for pair, rule in zip(pairing, picked, strict=True) if rule != "contract"}
        ended &= {k for k, edge in enumerate(edges) if edge in pairing}
        passing = {
            node: tuple(k for k, edge in enumerate(edges) if node in edge and k not in ended)
            for pair in pairing
            for node in pair
        }
        for splits in product(*(set_partitions(lines) for lines in passing.values())):
            blocks = dict(zip(passing, splits, strict=True))
            vertices = tuple(
                Cubic(pair, rule, (len(blocks[pair[0]]), len(blocks[pair[1]])))
                for pair, rule in zip(pairing, picked, strict=True)
            )
            yield vertices, _trees(blocks, edges, ended)


def _trees(blocks: dict[int, tuple], edges: tuple[Pair, ...], ended: set[int]) -> tuple[Tree, ...]:
    """Connected components, as trees of the layer below, of the passing derivative lines."""
    slots = [(node, block) for node, split in blocks.items() for block in split]

    def passed(node: int, k: int) -> Slot:
        return next(slot for slot in slots if slot[0] == node and k in slot[1])

    links = [(passed(a, k), passed(b, k)) for k, (a, b) in enumerate(edges) if k not in ended]
    component = {slot: slot for slot in slots}
    for a, b in links:
        old, new = component[b], component[a]
        component = {slot: new if root == old else root for slot, root in component.items()}
    members: dict[Slot, list[Slot]] = {}
    for slot, root in component.items():
        members.setdefault(root, []).append(slot)
    return tuple(sorted(_classify(group, [link for link in links if link[0] in group]) for group in members.values()))


def _classify(slots: list[Slot], links: list[tuple[Slot, Slot]]) -> Tree:
    """Order the nodes of a component as the definition of its kind does."""
    degree = {slot: sum(slot in link for link in links) for slot in slots}
    near = {slot: [link[link[0] == slot] for link in links if slot in link] for slot in slots}
    inner = sorted(slot for slot in slots if degree[slot] > 1)
    leaves = sorted(slot for slot in slots if degree[slot] == 1)
    if len(slots) == 2:
        return Tree("Theta", tuple(leaves))
    if len(inner) == 1:
        return Tree("dNTK" if len(slots) == 3 else "ddI", (inner[0], *leaves))
    a, b = inner
    ends = {root: next(slot for slot in near[root] if slot in leaves) for root in inner}
    return Tree("ddII", (a, b, ends[a], ends[b]))


def _joined(
    paired: tuple[Cubic, ...], budget: int, rules: RuleSet
) -> Iterator[tuple[tuple[Cubic, ...], tuple[Joint, ...]]]:
    """Cubic vertices by their least node, and the joints among them; what joints bring is bounded by ``budget``."""
    yield paired, ()
    if rules.weights == "gaussian":
        return
    contracts = tuple(vertex for vertex in paired if vertex.rule == "contract")
    others = [vertex for vertex in paired if vertex.rule != "contract"]
    for partition in set_partitions(contracts):
        alone = [block[0] for block in partition if len(block) == 1]
        blocks = [list(_emissions(block, budget)) for block in partition if len(block) > 1]
        for picked in product(*blocks) if blocks else ():
            if sum(power for _, power in picked) > budget:
                continue
            vertices = tuple(sorted([*others, *alone, *(vertex for emitted, _ in picked for vertex in emitted)]))
            joints = (Joint(tuple(sorted(map(vertices.index, emitted))), power) for emitted, power in picked)
            yield vertices, tuple(sorted(joints))


def _emissions(block: tuple[Cubic, ...], budget: int) -> Iterator[tuple[tuple[Cubic, ...], int]]:
    """What one connected cumulant of the block's weights may emit, at every power of rho/n that it has."""
    channels = tuple(vertex.nodes for vertex in block)
    orders = {node: k for vertex in block for node, k in zip(vertex.nodes, vertex.orders, strict=True)}
    for emitted in matchings(tuple(sorted(orders))):
        vertices = tuple(Cubic((a, b), "contract", (orders[a], orders[b])) for a, b in emitted)
        for power, coefficient in enumerate(connected(loops(channels, emitted), budget)):
            if coefficient:
                yield vertices, power


def _alone(vertices: tuple[Cubic, ...], joints: tuple[Joint, ...]) -> list[Cubic]:
    joined = {k for joint in joints for k in joint.vertices}
    return [vertex for k, vertex in enumerate(vertices) if k not in joined]


# lower half: cumulants of the layer below, blobs


def _whole_ntks(kinds: tuple[str, ...], pairing: Pairing) -> frozenset:
    """Pairs that are both legs of one NTK: there the mean Θ is part of Ω and must not be counted again."""
    nodes = flat_nodes(kinds)
    return frozenset(pair for kind, pair in zip(kinds, nodes, strict=True) if kind == "Theta" and pair in pairing)


def _groupings(trees: tuple[Tree, ...], budget: int, absorbed: frozenset) -> Iterator[tuple[tuple[Tree, ...], tuple]]:
    """Split the trees into means and connected cumulants; a cumulant comes as (trees, matching, loose, pairs, k).

    ``matching`` pairs tree nodes with each other, ``loose`` ones pair with a solid line, ``pairs`` counts pairs of
    solid lines, ``k`` is the correction; the powers of 1/n they bring are bounded by ``budget``.
    """
    for partition in set_partitions(trees):
        options = []
        for group in partition:
            here: list = []
            size = sum(SIZE[tree.kind] for tree in group)
            if len(group) == 1 and group[0].kind == "Theta" and group[0].nodes not in absorbed:
                here.append(("mean", group[0]))
            for matching, loose in _partial_matchings(tuple(range(size))):
                base = len(matching) + len(loose) - 1
                for pairs in range(budget - base + 1):
                    for correction in range(budget - base - pairs + 1):
                        if base + pairs + correction:
                            here.append(("cumulant", (group, matching, loose, pairs, correction)))
            options.append(here)
        for picked in product(*options):
            if sum(_cost(item) for kind, item in picked if kind == "cumulant") <= budget:
                means = tuple(item for kind, item in picked if kind == "mean")
                yield means, tuple(item for kind, item in picked if kind == "cumulant")


def _cost(item: tuple) -> int:
    _, matching, loose, pairs, correction = item
    return len(matching) + len(loose) + pairs + correction - 1


def _partial_matchings(items: tuple[int, ...]) -> Iterator[tuple[Pairing, tuple[int, ...]]]:
    """All ways to pair some of ``items`` with each other and leave the rest loose."""
    for mask in product((False, True), repeat=len(items)):
        kept = [x for x, keep in zip(items, mask, strict=True) if keep]
        loose = tuple(x for x, keep in zip(items, mask, strict=True) if not keep)
        for matching in matchings(kept):
            yield matching, loose


def _lower_halves(upper: Diagram, means: tuple[Tree, ...], groups: tuple, extra: int) -> Iterator[Diagram]:
    """Blobs, pure solid-line cumulants and the ends of solid lines, for one upper half and one grouping."""
    vertex_of = upper.vertex_of
    spent = sum(_cost(group) for group in groups)
    factors = _factors(len(upper.vertices), means, groups, vertex_of)
    for blobs in set_partitions(factors):
        left = len(blobs) - 1 + extra - spent
        if left < 0:
            continue
        propagators = tuple(sorted(Propagator(blob) for blob in blobs))
        blob_of = {vertex: k for k, blob in enumerate(propagators) for vertex in blob.vertices}
        for free in _free_cumulants(left):
            wanted = [group[3] for group in groups] + [pairs for pairs, _ in free]
            ends = [tuple(combinations_with_replacement(range(len(propagators)), n)) for n in wanted]
            for chosen in product(*ends):
                internals = [
                    _bind(group, end, vertex_of, blob_of)
                    for group, end in zip(groups, chosen[: len(groups)], strict=True)
                ]
                internals += [
                    _bind(((), (), (), pairs, k), end, vertex_of, blob_of)
                    for (pairs, k), end in zip(free, chosen[len(groups) :], strict=True)
                ]
                yield replace(
                    upper, propagators=propagators, means=tuple(sorted(means)), internals=tuple(sorted(internals))
                )


def _factors(n: int, means: tuple, groups: tuple, vertex_of: dict[int, int]) -> tuple[tuple[int, ...], ...]:
    """Groups of cubic vertices that Kronecker deltas of the layer below put on one channel."""
    root = list(range(n))
    joined = [tree.nodes for tree in means]
    for trees, matching, _, _, _ in groups:
        nodes = [node for tree in trees for node in tree.nodes]
        joined += [(nodes[a], nodes[b]) for a, b in matching]
    for a, b in joined:
        old, new = root[vertex_of[b]], root[vertex_of[a]]
        root = [new if r == old else r for r in root]
    return tuple(sorted(tuple(v for v in range(n) if root[v] == r) for r in set(root)))


@cache
def _free_cumulants(cost: int, least: tuple[int, int] = (1, 0)) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Multisets of (line pairs, correction) of solid-line cumulants that bring exactly 1/n^``cost``."""
    if cost == 0:
        return ((),)
    found = []
    for pairs in range(1, cost + 2):
        for correction in range(cost - pairs + 2):
            price = pairs - 1 + correction
            if price and (pairs, correction) >= least:
                found += [((pairs, correction), *rest) for rest in _free_cumulants(cost - price, (pairs, correction))]
    return tuple(found)


def _bind(group: tuple, ends: tuple[int, ...], vertex_of: dict[int, int], blob_of: dict[int, int]) -> Internal:
    """Attach a cumulant's solid lines: one to the blob of every loose tree node, a pair to each blob of ``ends``."""
    trees, matching, loose, _, correction = group
    nodes = [node for tree in trees for node in tree.nodes]
    lines = [blob_of[vertex_of[nodes[slot]]] for slot in loose] + [blob for blob in ends for _ in range(2)]
    first = len(loose)
    shift = len(lines)
    pairing = [(k, shift + slot) for k, slot in enumerate(loose)]
    pairing += [(first + 2 * k, first + 2 * k + 1) for k in range(len(ends))]
    pairing += [(shift + a, shift + b) for a, b in matching]
    return Internal(tuple(lines), trees, tuple(sorted(pairing)), correction)


def _connected(diagram: Diagram) -> bool:
    """Whether externals, pairs, blobs and internal vertices hang together."""
    vertex_of = diagram.vertex_of
    sets = [set(group.vertices) for group in (*diagram.propagators, *diagram.joints)]
    sets += [{vertex_of[node] for node in nodes} for nodes in flat_nodes(diagram.kinds)]
    for internal in diagram.internals:
        reached = {diagram.propagators[blob].vertices[0] for blob in internal.lines}
        reached |= {vertex_of[node] for tree in internal.trees for node in tree.nodes}
        sets.append(reached)
    reach = {0}
    grown = True
    while grown:
        grown = False
        for group in sets:
            if group & reach and not group <= reach:
                reach |= group
                grown = True
    return len(reach) == len(diagram.vertices)
