"""SymPy symbols: σ and its derivatives, z, K, tensors, and a Gaussian expectation with its calculus.

``Expectation(f)`` is ⟨f⟩ over one channel, z ~ N(0, K). It

* expands:            ⟨a f + g⟩ = a⟨f⟩ + ⟨g⟩                  (``.expand()``)
* differentiates:     ∂⟨f⟩/∂K_ab = ⟨∂_a ∂_b f⟩, with ½ if a = b   (``kernel_derivative``, Price's theorem)
* integrates by parts: ⟨z_a f⟩ = Σ_b K_ab ⟨∂_b f⟩              (``integrate_by_parts``, Stein's identity)
* prints, as text and LaTeX.

K_ab and K_ba are one variable. Labels are integers that name inputs. Sources: Price (1958); PDLT ch. 4.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import sympy as sp

from .tensors import shape_from_name

Label = int | sp.Symbol
"""An input, by its number, or where a leg at that input reads the layer below."""

C_W, lambda_W, r, rho = sp.symbols("C_W lambda_W r rho", positive=True)  # noqa: N816


if TYPE_CHECKING:
    from typing import Self

    class Function(sp.Function):
        """SymPy's own, as it acts: its annotations say that a call gives a class and that ``eval`` gives nothing."""

        def __new__(cls, *args: Any) -> Self: ...

        @property
        def args(self) -> tuple[Any, ...]: ...

        @classmethod
        def eval(cls, *args: Any, **kwargs: Any) -> Any: ...
else:
    Function = sp.Function


def subscript(labels) -> str:
    """Labels side by side, with commas where one is longer than a character."""
    texts = [str(label) for label in labels]
    return "".join(texts) if all(len(text) == 1 for text in texts) else ",".join(texts)


class Z(Function):
    """Preactivation z_label of one channel."""

    nargs = 1

    def _latex(self, printer, exp=None):
        return _power(f"z_{{{self.args[0]}}}", exp)

    def _sympystr(self, printer):
        return f"z{self.args[0]}"


class Sigma(Function):
    """σ^(order)(z_label), written ``Sigma(label, order)``; σ itself is ``Sigma(label)``."""

    nargs = (1, 2)

    @classmethod
    def eval(cls, label, order=None):
        """Default order 0."""
        return cls(label, 0) if order is None else None

    def _latex(self, printer, exp=None):
        label, order = self.args
        primes = "'" * int(order) if order <= 3 else f"^{{({order})}}"
        text = rf"\sigma{primes}_{{{label}}}"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"

    def _sympystr(self, printer):
        label, order = self.args
        return f"s{label}" + "'" * int(order)


class Kernel(Function):
    """Covariance K_ab, symmetric."""

    nargs = 2

    @classmethod
    def eval(cls, a, b):
        """Sort the labels."""
        return cls(b, a) if a.sort_key() > b.sort_key() else None

    def _latex(self, printer, exp=None):
        return _power(f"K_{{{subscript(self.args)}}}", exp)

    def _sympystr(self, printer):
        return f"K_{subscript(self.args)}"


class Tensor(Function):
    """Entry of a tensor of the layer below, ``Tensor("V", 1, 2, 3, 4)``; symmetries of the name are used to sort."""

    @classmethod
    def eval(cls, name, *labels):
        """Least labels among those equal by symmetry."""
        best = sort_labels(str(name), tuple(labels))
        return cls(name, *best) if best != tuple(labels) else None

    def _latex(self, printer, exp=None):
        return _power(tensor_latex(str(self.args[0]), self.args[1:]), exp)

    def _sympystr(self, printer):
        return f"{self.args[0]}_{subscript(self.args[1:])}"


def tensor(name: str, *labels: Label) -> sp.Expr:
    """``Tensor`` from a plain string name."""
    return Tensor(sp.Symbol(name), *labels)


_SYMMETRIES: dict[str, tuple[tuple[int, ...], ...]] = {"Theta": ((0, 1), (1, 0))}


def register(name: str, symmetries: tuple[tuple[int, ...], ...]) -> None:
    """Make the symmetries of a tensor that has no printed name known to the symbols."""
    _SYMMETRIES[name] = symmetries


def sort_labels(name: str, labels: tuple) -> tuple:
    """Least of the label tuples that the symmetries of ``name`` make equal."""
    if name not in _SYMMETRIES:
        _SYMMETRIES[name] = shape_from_name(name).symmetries
    return min(
        (tuple(labels[k] for k in p) for p in _SYMMETRIES[name]),
        key=lambda t: tuple(int(x) if isinstance(x, int | sp.Integer) else str(x) for x in t),
    )


def tensor_latex(name: str, labels) -> str:
    """LaTeX of a tensor name with subscripts: V.1 is the first correction V^{[1]}, Theta1 is Θ^{[1]}."""
    base, _, correction = name.partition(".")
    for two_point, symbol in (("Theta", r"\Theta"), ("K", "K")):
        if base.startswith(two_point) and base[len(two_point) :].isdigit():
            base, correction = symbol, base[len(two_point) :]
        elif base == two_point:
            base = symbol
    if base.startswith("V") and base[1:].isdigit():
        mark = f"({base[1:]})" + (f"[{correction}]" if correction else "")
        return rf"V^{{{mark}}}_{{{subscript(labels)}}}"
    if "[" in base:
        kinds, _, pairs = base[:-1].partition("[")
        kinds = kinds.replace("Theta", r"\Theta ").replace("dNTK", r"\mathrm{d}\Theta ")
        kinds = kinds.replace("ddII", r"\mathrm{dd}_{II}\Theta ").replace("ddI", r"\mathrm{dd}_{I}\Theta ")
        base = rf"X^{{{kinds}:{pairs}}}"
        return rf"{{{base}}}{_superscript(correction)}_{{{subscript(labels)}}}"
    return rf"{base}{_superscript(correction)}_{{{subscript(labels)}}}"


def _superscript(correction: str) -> str:
    return rf"^{{[{correction}]}}" if correction else ""


def _power(text: str, exp) -> str:
    return text if exp is None else f"{{{text}}}^{{{exp}}}"


class Expectation(Function):
    """Gaussian expectation ⟨f⟩ of one channel."""

    nargs = 1

    @classmethod
    def eval(cls, f):
        """Constants leave the bracket."""
        f = sp.sympify(f)
        if not f.atoms(Z, Sigma):
            return f
        return None

    def _eval_expand_mul(self, **hints):
        total = sp.S.Zero
        for term in sp.Add.make_args(sp.expand(self.args[0])):
            constant, random = [], []
            for factor in sp.Mul.make_args(term):
                (random if factor.atoms(Z, Sigma) and not isinstance(factor, Expectation) else constant).append(factor)
            total += sp.Mul(*constant) * Expectation(sp.Mul(*random))
        return total

    def _latex(self, printer, exp=None):
        return _power(rf"\left\langle {printer._print(self.args[0])}\right\rangle", exp)

    def _sympystr(self, printer):
        return f"<{printer._print(self.args[0])}>"


def _leibniz(f: sp.Expr, leaf) -> sp.Expr:
    """Derivative of sums, products and powers, given that of the symbols."""
    if isinstance(f, sp.Add):
        return sp.Add(*(_leibniz(term, leaf) for term in f.args))
    if isinstance(f, sp.Mul):
        return sp.Add(
            *(sp.Mul(*f.args[:k], _leibniz(factor, leaf), *f.args[k + 1 :]) for k, factor in enumerate(f.args))
        )
    if isinstance(f, sp.Pow) and not f.exp.has(Z, Sigma, Kernel, Expectation):
        return f.exp * f.base ** (f.exp - 1) * _leibniz(f.base, leaf)
    return leaf(f)


def differentiate(f: sp.Expr, *labels: int) -> sp.Expr:
    """∂^k f / ∂z_a ∂z_b ... for the given labels; f is a polynomial in z and derivatives of σ."""
    for by in map(sp.Integer, labels):
        f = _leibniz(sp.sympify(f), partial(_along, by))
    return f


def _along(label: sp.Integer, symbol: sp.Expr) -> sp.Expr:
    if isinstance(symbol, Z):
        return sp.Integer(symbol.args[0] == label)
    if isinstance(symbol, Sigma) and symbol.args[0] == label:
        return Sigma(label, symbol.args[1] + 1)
    return sp.S.Zero


def kernel_derivative(f: sp.Expr, a: int, b: int) -> sp.Expr:
    """∂f/∂K_ab of an expression in expectations and entries of K, K_ab = K_ba being one variable; expanded."""

    def leaf(symbol: sp.Expr) -> sp.Expr:
        if isinstance(symbol, Expectation):
            inner = differentiate(symbol.args[0], a, b) / (2 if a == b else 1)
            return Expectation(inner) + Expectation(_leibniz(symbol.args[0], leaf))
        return sp.Integer(symbol == Kernel(a, b))

    return sp.expand(_leibniz(sp.sympify(f), leaf))


def integrate_by_parts(expression: sp.Expr) -> sp.Expr:
    """Remove every z from inside expectations by ⟨z_a f⟩ = Σ_b K_ab ⟨∂_b f⟩, repeatedly; the result is expanded."""

    def step(expectation: sp.Expr) -> sp.Expr:
        f = expectation.args[0]
        found = sorted(f.atoms(Z), key=lambda z: z.sort_key())
        if not found:
            return expectation
        z = found[0]
        rest = f / z
        labels = {atom.args[0] for atom in rest.atoms(Z, Sigma)}
        return sum(
            (Kernel(z.args[0], b) * Expectation(differentiate(rest, b)) for b in sorted(labels, key=int)), sp.S.Zero
        )

    previous, current = None, sp.expand(expression)
    while current != previous:
        previous = current
        current = sp.expand(current.replace(lambda e: isinstance(e, Expectation), step))
    return current


def covariance(f: sp.Expr, g: sp.Expr) -> sp.Expr:
    """⟨Δf Δg⟩ = ⟨f g⟩ - ⟨f⟩⟨g⟩, expanded."""
    return (Expectation(f * g) - Expectation(f) * Expectation(g)).expand()
