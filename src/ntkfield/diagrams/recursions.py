"""Recursions of cumulants from layer l to l+1: diagrams, algebra, LaTeX, picture and code in one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING

import sympy as sp

from ntkfield import checks
from ntkfield.extras import needs

from . import algebra, notation
from .enumeration import enumerate_diagrams
from .graphs import Diagram
from .legs import LAYERS, Legs, legs
from .rules import STANDARD, RuleSet
from .symbols import tensor_latex
from .tensors import SIZE, Pairing, Shape, canonical, definition, matchings, parse_kinds, shape_from_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .codegen import CompiledRecursion


@dataclass(frozen=True)
class Recursion:
    """X^(l+1) as a function of the layer below, for one tensor X.

    kinds, pairing
        the externals, in order, and the channel pairs of their nodes
    order
        power of 1/n_l that multiplies X
    flat_order
        node at each subscript of X
    first_label
        label of the first node in formulas (1, or 0 where the literature counts from 0)
    layer
        whose tensor it is, one of :data:`ntkfield.diagrams.legs.LAYERS`
    """

    kinds: tuple[str, ...]
    pairing: Pairing
    order: int
    flat_order: tuple[int, ...]
    first_label: int = 1
    rules: RuleSet = STANDARD
    layer: str = "dense"

    def __post_init__(self) -> None:
        if self.layer not in LAYERS:
            raise checks.refuse("layer", self.layer, f"one of {', '.join(LAYERS)}")
        if self.layer != "dense" and self.rules.weights != "gaussian":
            raise checks.refuse("weights", self.rules.weights, f"gaussian, of which a {self.layer} layer has rules")

    @classmethod
    def of_shape(cls, shape: Shape, rules: RuleSet = STANDARD, layer: str = "dense") -> Recursion:
        """Recursion of a tensor given by its shape, with the labels and subscripts of its printed definition."""
        kinds, pairing, flat_order, first = definition(shape)
        return cls(kinds, pairing, shape.order, flat_order, first, rules, layer)

    @cached_property
    def shape(self) -> Shape:
        """The tensor, up to isomorphism."""
        return canonical(self.kinds, self.pairing, self.order - len(self.pairing) + 1)[0]

    @property
    def name(self) -> str:
        """V ... U, K1, Theta1, or the generated name of any other tensor."""
        return self.shape.name

    @property
    def labels(self) -> tuple[int, ...]:
        """Input label of each external node."""
        return tuple(range(self.first_label, self.first_label + len(self.flat_order)))

    @property
    def legs(self) -> Legs:
        """What the external nodes read, and which share a step of the filter."""
        return legs(self.layer, self.pairing, self.labels)

    @property
    def subscripts(self) -> tuple[int, ...]:
        """Labels in the order in which X is written, (1, 3, 2, 4) for F; also the axes of the compiled array."""
        return tuple(self.labels[node] for node in self.flat_order)

    @cached_property
    def diagrams(self) -> tuple[Diagram, ...]:
        """All diagrams, isomorphic ones once."""
        return enumerate_diagrams(self.kinds, self.pairing, self.order, self.rules)

    @property
    def polynomial(self) -> algebra.Polynomial:
        """The reduced sum of all diagrams as a dictionary of monomials."""
        return _polynomial(self)

    @cached_property
    def expression(self) -> sp.Expr:
        """The recursion in SymPy, in tensors of layer l, C_W, lambda_W, r and expectations ⟨Π σ^(k)_α⟩.

        Of a convolution or pooled channels, it is what is averaged over steps.
        """
        return algebra.to_sympy(self.polynomial, dict(zip(self.labels, self.legs.moved, strict=True)))

    @property
    def integrals(self) -> tuple[int, int]:
        """Gaussian expectations before reduction (written out diagram by diagram) and distinct ones after it."""
        return algebra.count_raw_integrals(self.diagrams), len(algebra.integrals(self.polynomial))

    @property
    def needs(self) -> tuple[str, ...]:
        """Tensors of the layer below that enter, besides K and Θ."""
        return self.compile().needs

    def compile(self) -> CompiledRecursion:
        """The recursion as one vectorised JAX function."""
        return _compile(self)

    @property
    def variables(self) -> int:
        """Largest number of factors, at as many inputs, in one of the expectations left."""
        return max((len(gauss) for gauss in algebra.integrals(self.polynomial)), default=0)

    def latex(self, form: str = "compact") -> str:
        """LaTeX of the recursion: "compact", one term per diagram, or "expanded", the reduced expression."""
        if form == "compact":
            terms = [notation.term_latex(diagram, self.legs.moved) for diagram in self.diagrams]
        elif form == "expanded":
            terms = [sp.latex(term) for term in sp.Add.make_args(self.expression)] if self.polynomial else []
        else:
            raise ValueError(f"form is {form!r}; accepted are 'compact' and 'expanded'.")
        return notation.recursion_latex(self.name, self.subscripts, terms, self.legs.mean_latex())

    def draw(self, only: int | None = None, *, columns: int | None = None, terms: bool = True) -> Figure:
        """All diagrams on one sheet, each with its term; save it with ``.savefig("F.svg")`` (or .pdf, .png).

        ``only`` draws one diagram by position, without a title, for use in a talk or paper.
        """
        with needs("diagrams", "ntkfield.diagrams"):  # matplotlib is imported only when something is drawn
            from . import drawing

        count = len(self.diagrams)
        if only is not None:
            if isinstance(only, bool) or only not in range(count):
                raise ValueError(f"only is {only!r}; accepted is a position from 0 to {count - 1}.")
            return drawing.draw_diagrams([self.diagrams[only]], self.legs, terms=terms)
        title = rf"${tensor_latex(self.name, self.subscripts)}$ at layer $\ell+1$: {count} diagram{'s' * (count != 1)}"
        if self.legs.steps:
            title += f", mean over ${','.join(self.legs.steps)}$"
        return drawing.draw_diagrams(self.diagrams, self.legs, title, columns, terms)

    def __repr__(self) -> str:
        return f"Recursion({self.name}, subscripts {self.subscripts}, order 1/n^{self.order})"


# Kept by content: a recursion is its externals, pairing, order and rules, however it was asked for.
@cache
def _polynomial(recursion: Recursion) -> algebra.Polynomial:
    return algebra.add([algebra.diagram_polynomial(diagram, recursion.labels) for diagram in recursion.diagrams])


@cache
def _compile(recursion: Recursion) -> CompiledRecursion:
    from .codegen import compile_polynomial  # late: it needs JAX

    if recursion.layer == "dense":
        return compile_polynomial(recursion.name, recursion.polynomial, recursion.subscripts)
    axis = {node: k for k, node in enumerate(recursion.flat_order)}
    ties = tuple(tuple(axis[node] for node in tie) for tie in recursion.legs.ties)
    return replace(_compile(replace(recursion, layer="dense")), layer=recursion.layer, ties=ties)


@cache
def recursion(name: str, rules: RuleSet = STANDARD, weights: str = "gaussian", layer: str = "dense") -> Recursion:
    """Recursion of a tensor by name: V, K1, D, F, A, B, Theta1, P, Q, R, S, T, U, or K2, Theta2, V6, V.1 and so on.

    ``weights`` is "gaussian" or "orthogonal": those of the layer whose tensor it is. ``layer`` is "dense", an MLP's,
    "convolution", over a group or an image, or "pooling", a readout of channels that are pooled over all positions.

    Raises ValueError for an unknown name, other weights or layers, or orthogonal weights of a layer that is not dense.
    Results are cached.
    """
    return Recursion.of_shape(shape_from_name(name), _of_weights(rules, weights), layer)


def _of_weights(rules: RuleSet, weights: str) -> RuleSet:
    return rules if weights == "gaussian" else replace(rules, weights=weights)


@dataclass(frozen=True)
class Cumulant:
    """All tensors of one joint cumulant: one recursion for each inequivalent way to pair channels."""

    kinds: tuple[str, ...]
    order: int
    recursions: tuple[Recursion, ...]

    @property
    def diagrams(self) -> tuple[Diagram, ...]:
        """Diagrams of all recursions."""
        return tuple(diagram for recursion in self.recursions for diagram in recursion.diagrams)

    @property
    def expression(self) -> dict[str, sp.Expr]:
        """Expression of every tensor, by name."""
        return {recursion.name: recursion.expression for recursion in self.recursions}

    def compile(self) -> dict[str, CompiledRecursion]:
        """Compiled recursion of every tensor, by name."""
        return {recursion.name: recursion.compile() for recursion in self.recursions}

    def latex(self, form: str = "compact") -> str:
        """LaTeX of every tensor's recursion, one equation after the other."""
        return "\n\n".join(recursion.latex(form) for recursion in self.recursions)

    def draw(self, *, columns: int | None = None, terms: bool = True) -> dict[str, Figure]:
        """One sheet for every tensor, by name."""
        return {recursion.name: recursion.draw(columns=columns, terms=terms) for recursion in self.recursions}

    def __iter__(self):
        return iter(self.recursions)

    def __len__(self) -> int:
        return len(self.recursions)

    def __getitem__(self, key: int | str) -> Recursion:
        """A tensor by position or name."""
        if isinstance(key, int):
            return self.recursions[key]
        for found in self.recursions:
            if found.name == key:
                return found
        names = ", ".join(found.name for found in self.recursions)
        raise ValueError(f"tensor name is {key!r}; accepted are {names}.")


def cumulant(
    externals: Sequence[str],
    order: int = 1,
    rules: RuleSet = STANDARD,
    weights: str = "gaussian",
    layer: str = "dense",
) -> Cumulant:
    r"""Recursions of the joint cumulant of ``externals`` at order :math:`n^{-k}` for k = ``order``.

    externals : kinds among z, Theta, dNTK, ddI, ddII, an even number of network outputs in all.
    order : total power of 1/n; with N outputs it starts at N/2 - 1.
    weights : "gaussian" or "orthogonal": those of the layer whose cumulant it is.
    layer : "dense", "convolution" or "pooling", as for ``recursion``.

    Raises ValueError for an unknown kind, other weights or layers, an odd cumulant, or an order below the leading one.
    """
    kinds, rules = parse_kinds(externals), _of_weights(rules, weights)
    nodes = sum(SIZE[kind] for kind in kinds)
    leading = nodes // 2 - 1
    if isinstance(order, bool) or not isinstance(order, int) or order < max(leading, 1):
        raise ValueError(f"order is {order!r}; accepted for these externals is a whole number from {max(leading, 1)}.")
    found: dict[Shape, Recursion] = {}
    for pairing in matchings(tuple(range(nodes))):
        shape, flat_order = canonical(kinds, pairing, order - leading)
        if shape not in found:
            named = definition(shape)
            if named[0] == kinds and named[1] == pairing:
                flat_order = named[2]
            first = named[3] if named[0] == kinds else 1
            found[shape] = Recursion(kinds, pairing, order, flat_order, first, rules, layer)
    return Cumulant(kinds, order, tuple(found.values()))
