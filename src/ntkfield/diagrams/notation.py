r"""LaTeX of recursions: diagram by diagram in compact form, or fully expanded.

Compact form, one term per diagram: solid internal lines are sums over β with ∂_β on what their blob holds, Ω stands
for both its parts, ⟨ΔfΔg⟩ = ⟨fg⟩ - ⟨f⟩⟨g⟩, and a blob with more factors or with free lines on several factors is a
joint cumulant ⟨f; g; ∂_β∂_β'⟩_c of its items (``algebra`` says how it is expanded).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import sympy as sp

from .algebra import Item, blob_items
from .graphs import Cubic, Diagram
from .symbols import Label, Sigma, subscript, tensor_latex


def cubic_latex(vertex: Cubic, labels: Sequence[Label]) -> str:
    r"""Decoration of a wavy line: \Omega_{12} or σ^{(k)}_1σ^{(k)}_2."""
    a, b = (labels[node] for node in vertex.nodes)
    if vertex.rule == "omega":
        return rf"\Omega_{{{subscript((a, b))}}}"
    return "".join(sp.latex(Sigma(x, k)) for x, k in zip((a, b), vertex.orders, strict=True))


def prefactor_latex(diagram: Diagram) -> str:
    """Symmetry factor, the joints' coefficients, and powers of C_W, λ_W, r and ρ."""
    value = Fraction(diagram.weight) / diagram.symmetry
    sign, value = "-" * (value < 0), abs(value)
    contracts = sum(vertex.rule == "contract" for vertex in diagram.vertices)
    rates = sum(vertex.rule == "differentiate" for vertex in diagram.vertices)
    powers = (
        ("r", diagram.ratio_power), (r"\rho", diagram.share_power), ("C_W", contracts), (r"\lambda_W", rates)
    )  # fmt: skip
    text = " ".join(f"{base}^{{{k}}}" if k > 1 else base for base, k in powers if k)
    if value.denominator > 1:
        top = text if text and len(text) < 2 else ""
        number = rf"\frac{{{value.numerator if value.numerator > 1 or not top else ''}{top}}}{{{value.denominator}}}"
        return sign + f"{number}{' ' + text if text != top else ''}".strip()
    return sign + (f"{value.numerator} " if value.numerator != 1 else "") + text


def term_latex(diagram: Diagram, labels: Sequence[Label]) -> str:
    """One diagram as a term."""
    names: dict[tuple[int, int], str] = {}
    for which, internal in enumerate(diagram.internals):
        for line in range(len(internal.lines)):
            names[which, line] = rf"\beta_{{{len(names) + 1}}}"
    parts = [prefactor_latex(diagram)]
    for tree in diagram.means:
        parts.append(tensor_latex("Theta", [labels[node] for node in sorted(tree.nodes)]))
    if names:
        parts.append(r"\sum_{\beta}")
    for which, internal in enumerate(diagram.internals):
        owners = [internal.owners[node] for node in internal.flat_order]
        entry = [
            names[which, node] if owner is None else str(labels[owner])
            for node, owner in zip(internal.flat_order, owners, strict=True)
        ]
        parts.append(_entry(internal.shape.name, entry))
    for blob in range(len(diagram.propagators)):
        parts.append(_blob_latex(diagram, blob, labels, names))
    return " ".join(part for part in parts if part)


def _entry(name: str, entry: list[str]) -> str:
    text = tensor_latex(name, ["@"] * len(entry))
    return text.replace("@" * len(entry), " ".join(entry))


def _blob_latex(diagram: Diagram, blob: int, labels: Sequence[Label], names: dict) -> str:
    items = blob_items(diagram, blob)
    factors = diagram.propagators[blob].factors
    bodies = ["".join(cubic_latex(diagram.vertices[v], labels) for v in factor) for factor in factors]
    single = [len(factor) == 1 and diagram.vertices[factor[0]].rule == "omega" for factor in factors]
    lines = [_derivatives(item, names) for item in items]
    if len(factors) == 1:
        everything = "".join(lines)
        body = bodies[0] if single[0] or not everything else f"({bodies[0]})"
        return rf"\langle {everything}{body}\rangle"
    if len(factors) == 2 and not any(lines):
        deltas = [rf"\Delta{body}" if one else rf"\Delta({body})" for body, one in zip(bodies, single, strict=True)]
        return rf"\langle {deltas[0]}\,{deltas[1]}\rangle"
    texts = [
        f"{line}({body})" if line else body for line, body in zip(lines[: len(factors)], bodies, strict=True)
    ] + lines[len(factors) :]
    return r"\langle " + ";\\, ".join(texts) + r"\rangle_c"


def _derivatives(item: Item, names: dict) -> str:
    return "".join(rf"\partial_{{{names[line]}}}" for line in item.lines)


def recursion_latex(name: str, subscripts: Sequence[int], terms: Sequence[str], mean: str = "") -> str:
    """An aligned equation with one term per line, all of them under a mean, if there is one."""
    left = rf"\bigl[{tensor_latex(name, subscripts)}\bigr]^{{(\ell+1)}}"
    lines = []
    for k, term in enumerate(terms):
        joined = term if k == 0 else f"- {term[1:].lstrip()}" if term.startswith("-") else f"+ {term}"
        lines.append(("&= " if k == 0 else r"&\quad ") + joined)
    if mean and lines:
        lines[0] = lines[0].replace("&= ", rf"&= {mean} \Bigl\{{ ", 1)
        lines[-1] += r" \Bigr\}"
    return "\\begin{aligned}\n" + left + " " + " \\\\\n".join(lines or ["&= 0"]) + "\n\\end{aligned}"
