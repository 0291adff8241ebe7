r"""From diagrams to algebra: every derivative carried out, every tensor and expectation in one canonical form.

A blob with items i (factors with the solid lines bound to their vertices, and pairs of solid lines that are free to
act anywhere on it) is the joint cumulant Σ_π (-1)^(\|π\|-1) (\|π\|-1)! Π_blocks ⟨∂...∂ Π factors⟩. A solid line z_β
acts as Σ_β ∂_β; since factors depend only on the z of their own nodes, the sum over β runs over the nodes of the
block, and no inverse of K ever appears. What remains are products of ⟨Π σ^(k)_α⟩ with tensors of the layer below.

Terms are kept as a plain dictionary {Monomial: coefficient}; ``to_sympy`` turns it into an expression.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import product
from math import factorial
from typing import NamedTuple

import sympy as sp

from . import symbols
from .graphs import Diagram
from .symbols import Label
from .tensors import set_partitions

Gauss = tuple[tuple[int, int], ...]  # sorted (node, order of the derivative of σ)


class Monomial(NamedTuple):
    """C_W^c λ_W^l r^k ρ^s times tensor entries (name, labels) times expectations; all tuples sorted."""

    c: int
    l: int
    k: int
    s: int
    tensors: tuple[tuple[str, tuple[int, ...]], ...]
    expectations: tuple[Gauss, ...]


Polynomial = dict[Monomial, Fraction]


class Item(NamedTuple):
    """Part of a blob: nodes whose σ it multiplies, and solid lines that act on whatever shares its block."""

    nodes: tuple[int, ...]
    lines: tuple[tuple[int, int], ...]  # (internal vertex, line)


def blob_items(diagram: Diagram, blob: int) -> tuple[Item, ...]:
    """Items of one propagator: its factors first, then its free pairs of solid lines."""
    vertex_of = diagram.vertex_of
    bound: dict[int, list[tuple[int, int]]] = {}
    free: list[Item] = []
    for which, internal in enumerate(diagram.internals):
        owners = internal.owners
        for a, b in internal.pairing:
            one, other = owners[a], owners[b]
            if one is None and other is not None:
                bound.setdefault(vertex_of[other], []).append((which, a))
            elif one is None and internal.lines[a] == blob:
                free.append(Item((), ((which, a), (which, b))))
    factors = []
    for group in diagram.propagators[blob].factors:
        nodes = tuple(node for vertex in group for node in diagram.vertices[vertex].nodes)
        factors.append(Item(nodes, tuple(line for vertex in group for line in bound.get(vertex, ()))))
    return (*factors, *free)


@cache
def _cumulant(items: tuple[Item, ...]) -> tuple[tuple[int, tuple[Item, ...]], ...]:
    """Blocks of a joint cumulant with their signs; a block of solid lines alone differentiates 1 and vanishes."""
    terms = []
    for partition in set_partitions(items):
        blocks = tuple(
            Item(tuple(n for item in block for n in item.nodes), tuple(x for item in block for x in item.lines))
            for block in partition
        )
        if all(block.nodes for block in blocks):
            terms.append(((-1) ** (len(blocks) - 1) * factorial(len(blocks) - 1), blocks))
    return tuple(terms)


def _blob_terms(items: tuple[Item, ...], orders: dict[int, int], labels: Sequence[int]) -> list[tuple]:
    """(coefficient, {solid line: label of the node it acted on}, expectations) of one blob, equal terms merged."""
    terms: dict[tuple, int] = {}
    for sign, blocks in _cumulant(items):
        parts = [_block_terms(block, orders, labels) for block in blocks]
        for picked in product(*(part.items() for part in parts)):
            coefficient = sign
            for _, count in picked:
                coefficient *= count
            hits = tuple(hit for (acted, _), _ in picked for hit in acted)
            key = (hits, tuple(sorted(gauss for (_, gauss), _ in picked)))
            terms[key] = terms.get(key, 0) + coefficient
    return [(coefficient, dict(hits), gauss) for (hits, gauss), coefficient in terms.items() if coefficient]


def _block_terms(block: Item, orders: dict[int, int], labels: Sequence[int]) -> dict[tuple, int]:
    """⟨∂...∂ Π σ⟩ of one block: how often each (labels the lines acted on, expectation) occurs."""
    state: dict[tuple, int] = {((), tuple(orders[node] for node in block.nodes)): 1}
    for line in block.lines:
        new: dict[tuple, int] = {}
        for (acted, raised), count in state.items():
            for k, node in enumerate(block.nodes):
                key = ((*acted, (line, labels[node])), (*raised[:k], raised[k] + 1, *raised[k + 1 :]))
                new[key] = new.get(key, 0) + count
        state = new
    result: dict[tuple, int] = {}
    for (acted, raised), count in state.items():
        gauss = tuple(sorted((labels[node], k) for node, k in zip(block.nodes, raised, strict=True)))
        result[acted, gauss] = result.get((acted, gauss), 0) + count
    return result


def diagram_polynomial(diagram: Diagram, labels: Sequence[int]) -> Polynomial:
    """Value of one diagram times n_l^order; ``labels`` names the input of each external node."""
    omegas = [k for k, vertex in enumerate(diagram.vertices) if vertex.rule == "omega"]
    contracts = sum(vertex.rule == "contract" for vertex in diagram.vertices)
    rates = sum(vertex.rule == "differentiate" for vertex in diagram.vertices)
    items = [blob_items(diagram, blob) for blob in range(len(diagram.propagators))]
    shapes = [internal.shape for internal in diagram.internals]
    for shape in shapes:
        symbols.register(shape.name, shape.symmetries)
    base = Fraction(diagram.weight) / diagram.symmetry
    result: Polynomial = {}
    for through in product((False, True), repeat=len(omegas)):
        orders = {n: k for vertex in diagram.vertices for n, k in zip(vertex.nodes, vertex.orders, strict=True)}
        means = [_theta(labels[a], labels[b]) for a, b in (tree.nodes for tree in diagram.means)]
        for k in (k for k, on in zip(omegas, through, strict=True) if on):
            a, b = diagram.vertices[k].nodes
            orders[a] = orders[b] = 1
            means.append(_theta(labels[a], labels[b]))
        cubic = (contracts + sum(through), rates + len(omegas) - sum(through))
        blobs = [_blob_terms(group, orders, labels) for group in items]
        for picked in product(*blobs):
            coefficient, hits, gauss = base, {}, []
            for sign, acted, expectations in picked:
                coefficient *= sign
                hits.update(acted)
                gauss.extend(expectations)
            tensors = list(means)
            for which, (internal, shape) in enumerate(zip(diagram.internals, shapes, strict=True)):
                ends = [hits[which, k] if owner is None else labels[owner] for k, owner in enumerate(internal.owners)]
                entry = tuple(ends[k] for k in internal.flat_order)
                tensors.append((shape.name, symbols.sort_labels(shape.name, entry)))
            key = Monomial(
                *cubic, diagram.ratio_power, diagram.share_power, tuple(sorted(tensors)), tuple(sorted(gauss))
            )
            result[key] = result.get(key, Fraction(0)) + coefficient
    return {key: value for key, value in result.items() if value}


def _theta(a: int, b: int) -> tuple[str, tuple[int, ...]]:
    return ("Theta", (min(a, b), max(a, b)))


def add(polynomials: Sequence[Polynomial]) -> Polynomial:
    """Sum, equal terms merged and zeros dropped."""
    result: Polynomial = {}
    for polynomial in polynomials:
        for key, value in polynomial.items():
            result[key] = result.get(key, Fraction(0)) + value
    return {key: value for key, value in sorted(result.items()) if value}


def to_sympy(polynomial: Polynomial, labels: Mapping[int, Label]) -> sp.Expr:
    """The polynomial as a SymPy expression in ``symbols``, with these labels for its inputs."""
    terms = []
    for key, value in polynomial.items():
        factors = [sp.Rational(value.numerator, value.denominator)]
        factors += [symbols.C_W**key.c, symbols.lambda_W**key.l, symbols.r**key.k, symbols.rho**key.s]
        factors += [symbols.tensor(name, *(labels[x] for x in entry)) for name, entry in key.tensors]
        factors += [expectation_symbol(tuple((labels[x], k) for x, k in gauss)) for gauss in key.expectations]
        terms.append(sp.Mul(*factors))
    return sp.Add(*terms)


@cache
def expectation_symbol(gauss: tuple[tuple[Label, int], ...]) -> sp.Expr:
    """⟨Π σ^(k)_α⟩ as a symbol."""
    return symbols.Expectation(sp.Mul(*(symbols.Sigma(label, order) for label, order in gauss)))


def integrals(polynomial: Polynomial) -> frozenset[Gauss]:
    """The distinct Gaussian expectations of a polynomial."""
    return frozenset(gauss for key in polynomial for gauss in key.expectations)


def count_raw_integrals(diagrams: Sequence[Diagram]) -> int:
    """Gaussian expectations written out diagram by diagram, before anything is merged or any symmetry used.

    Every pair of solid lines and every Ω is expanded; expectations are counted as often as they occur.
    """
    total = 0
    for diagram in diagrams:
        branches = 2 ** sum(vertex.rule == "omega" for vertex in diagram.vertices)
        blobs = [_count_blob(blob_items(diagram, blob)) for blob in range(len(diagram.propagators))]
        for k, (_, expectations) in enumerate(blobs):
            others = 1
            for j, (terms, _) in enumerate(blobs):
                others *= terms if j != k else 1
            total += branches * expectations * others
    return total


def _count_blob(items: tuple[Item, ...]) -> tuple[int, int]:
    """Number of terms of a blob and of expectations in them."""
    terms = expectations = 0
    for _, blocks in _cumulant(items):
        number = 1
        for block in blocks:
            number *= len(block.nodes) ** len(block.lines)
        terms += number
        expectations += number * len(blocks)
    return terms, expectations
