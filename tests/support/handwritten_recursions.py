"""The recursions as written by hand, term by term, in SymPy; the tests compare the generated ones with these.

Nothing here comes from the enumeration: sums over internal solid lines are written with explicit derivatives.
Source: PDLT chs. 4, 8, 11, appendix ∞; arXiv 2508.11522 with its misprints mended.
"""

from itertools import product

from ntkfield.diagrams.symbols import C_W, Expectation, Sigma, covariance, differentiate, lambda_W, r, tensor


def s(label, order=0):
    return Sigma(label, order)


def th(a, b):
    return tensor("Theta", a, b)


def E(f):
    return Expectation(f).expand()


def G(a, b):
    return s(a) * s(b)


def omega(a, b):
    return lambda_W * s(a) * s(b) + C_W * th(a, b) * s(a, 1) * s(b, 1)


def lines(f, n, labels):
    """All (labels β1..βn, ⟨∂β1...∂βn f⟩)."""
    for betas in product(labels, repeat=n):
        yield betas, E(differentiate(f, *betas))


def quartic(name, f, fl, g, gl):
    """Σ X_{β1β2β3β4} ⟨∂β1∂β2 f⟩⟨∂β3∂β4 g⟩."""
    return sum(tensor(name, *b, *c) * x * y for b, x in lines(f, 2, fl) for c, y in lines(g, 2, gl))


def two_lines(name, f, fl, *rest):
    return sum(tensor(name, *b, *rest) * x for b, x in lines(f, 2, fl))


def f_exchange(f, fl, a, g, gl, b):
    """Σ ⟨∂γ f⟩⟨∂δ g⟩ F_{γ a δ b}."""
    return sum(tensor("F", c, a, e, b) * x * y for (c,), x in lines(f, 1, fl) for (e,), y in lines(g, 1, gl))


def one_line(f, fl, entry):
    return sum(entry(c) * x for (c,), x in lines(f, 1, fl))


def recursions():
    ref = {}
    ref["V"] = C_W**2 * (covariance(G(1, 2), G(3, 4)) + r / 4 * quartic("V", G(1, 2), (1, 2), G(3, 4), (3, 4)))
    ref["K1"] = r * C_W * (
        two_lines("K1", G(1, 2), (1, 2)) / 2
        + sum(tensor("V", *b) * x for b, x in lines(G(1, 2), 4, (1, 2))) / 8
    )  # fmt: skip
    o12, o34 = omega(1, 2), omega(3, 4)
    ref["D"] = C_W * (
        covariance(G(1, 2), o34)
        + r / 4 * quartic("V", G(1, 2), (1, 2), o34, (3, 4))
        + r * C_W / 2 * two_lines("D", G(1, 2), (1, 2), 3, 4) * E(s(3, 1) * s(4, 1))
    )
    ref["F"] = C_W**2 * (
        th(3, 4) * E(s(1) * s(2) * s(3, 1) * s(4, 1))
        + r * f_exchange(s(1) * s(3, 1), (1, 3), 3, s(2) * s(4, 1), (2, 4), 4)
    )
    p12, p34 = E(s(1, 1) * s(2, 1)), E(s(3, 1) * s(4, 1))
    ref["A"] = (
        covariance(o12, o34)
        + r / 4 * quartic("V", o12, (1, 2), o34, (3, 4))
        + r * C_W / 2 * two_lines("D", o12, (1, 2), 3, 4) * p34
        + r * C_W / 2 * two_lines("D", o34, (3, 4), 1, 2) * p12
        + r * C_W**2 * p12 * p34 * tensor("A", 1, 2, 3, 4)
    )
    ref["B"] = C_W**2 * (
        th(1, 2) * th(3, 4) * E(s(1, 1) * s(2, 1) * s(3, 1) * s(4, 1))
        + r * E(s(1, 1) * s(3, 1)) * E(s(2, 1) * s(4, 1)) * tensor("B", 1, 3, 2, 4)
    )
    ss = s(1, 1) * s(2, 1)
    ref["Theta1"] = r * (
        C_W * E(ss) * tensor("Theta1", 1, 2)
        + two_lines("K1", o12, (1, 2)) / 2
        + sum(tensor("V", *b) * x for b, x in lines(o12, 4, (1, 2))) / 8
        + C_W / 2 * two_lines("D", ss, (1, 2), 1, 2)
        + C_W * sum(tensor("F", b, 1, c, 2) * x for (b, c), x in lines(ss, 2, (1, 2)))
    )
    ref["P"] = C_W**2 * (
        th(0, 1) * th(0, 2) * E(s(0, 2) * s(1, 1) * s(2, 1) * s(3))
        + r * p(1, 2) * E(s(0, 2) * s(3)) * tensor("B", 0, 0, 1, 2)
        + r * p(1, 2) * one_line(s(0, 1) * s(3), (0, 3), lambda b: tensor("P", 0, 1, 2, b))
    )
    ref["Q"] = lambda_W * C_W * (
        th(0, 2) * E(s(0, 1) * s(1) * s(2, 1) * s(3))
        + r * f_exchange(s(1) * s(0, 1), (0, 1), 0, s(3) * s(2, 1), (2, 3), 2)
    ) + C_W**2 * (
        th(0, 1) * th(0, 2) * E(s(0, 2) * s(1, 1) * s(2, 1) * s(3))
        + r * th(0, 1) * f_exchange(s(0, 2) * s(1, 1), (0, 1), 0, s(2, 1) * s(3), (2, 3), 2)
        + r * p(0, 1) * one_line(s(2, 1) * s(3), (2, 3), lambda b: tensor("Q", 0, 1, 2, b))
    )  # fmt: skip
    b0023 = tensor("B", 0, 0, 2, 3)
    ref["R"] = lambda_W * C_W * (
        th(0, 2) * th(0, 3) * E(s(0, 2) * s(1) * s(2, 1) * s(3, 1))
        + r * E(s(0, 2) * s(1)) * p(2, 3) * b0023
        + r * p(2, 3) * one_line(s(0, 1) * s(1), (0, 1), lambda b: tensor("P", 0, 2, 3, b))
    ) + C_W**2 * (
        th(0, 1) * th(0, 2) * th(0, 3) * E(s(0, 3) * s(1, 1) * s(2, 1) * s(3, 1))
        + r * th(0, 1) * E(s(0, 3) * s(1, 1)) * p(2, 3) * b0023
        + r * th(0, 1) * p(2, 3) * one_line(s(0, 2) * s(1, 1), (0, 1), lambda b: tensor("P", 0, 2, 3, b))
        + r * p(0, 1) * p(2, 3) * tensor("R", 0, 1, 2, 3)
    )  # fmt: skip
    b1234 = tensor("B", 1, 2, 3, 4)
    ref["S"] = lambda_W * C_W * (
        th(1, 3) * th(2, 4) * E(s(1, 1) * s(2, 1) * s(3, 1) * s(4, 1)) + r * p(1, 2) * p(3, 4) * b1234
    ) + C_W**2 * (
        th(1, 2) * th(1, 3) * th(2, 4) * E(s(1, 2) * s(2, 2) * s(3, 1) * s(4, 1))
        + r * th(1, 2) * E(s(1, 2) * s(2, 2)) * p(3, 4) * b1234
        + r * p(1, 2) * p(3, 4) * tensor("S", 1, 2, 3, 4)
    )  # fmt: skip
    ref["T"] = (
        lambda_W**2 * (th(1, 2) * E(s(1, 1) * s(3) * s(2, 1) * s(4)) + r * f_12(s(1, 1) * s(3), s(2, 1) * s(4)))
        + lambda_W * C_W * (half(1, 2, 3, 4) + half(2, 1, 4, 3))
        + C_W**2
        * (
            th(1, 3) * th(2, 4) * th(1, 2) * E(s(1, 2) * s(3, 1) * s(2, 2) * s(4, 1))
            + r * th(1, 3) * th(2, 4) * f_12(s(1, 2) * s(3, 1), s(2, 2) * s(4, 1))
            + r * th(1, 3) * p(2, 4) * one_line(s(1, 2) * s(3, 1), (1, 3), lambda b: tensor("Q", 2, 4, 1, b))
            + r * th(2, 4) * p(1, 3) * one_line(s(2, 2) * s(4, 1), (2, 4), lambda b: tensor("Q", 1, 3, 2, b))
            + r * p(1, 3) * p(2, 4) * tensor("T", 1, 3, 2, 4)
        )
    )
    ref["U"] = C_W**2 * (
        th(1, 2) * th(2, 4) * th(1, 3) * E(s(1, 2) * s(4, 1) * s(2, 2) * s(3, 1))
        + r * p(1, 4) * p(2, 3) * tensor("U", 1, 4, 2, 3)
    )
    return ref


def p(a, b):
    return E(s(a, 1) * s(b, 1))


def f_12(f, g):
    """Σ ⟨∂λ3 f⟩⟨∂λ4 g⟩ F_{λ3 1 λ4 2} with f of inputs 1, 3 and g of inputs 2, 4."""
    return f_exchange(f, (1, 3), 1, g, (2, 4), 2)


def half(a, b, c, e):
    """Terms of T with one rate: the pair (a, c) differentiated, the pair (b, e) contracted."""
    f, g = s(a, 1) * s(c), s(b, 2) * s(e, 1)
    return (
        th(a, b) * th(b, e) * E(f * g)
        + r * th(b, e) * f_exchange(f, (a, c), a, g, (b, e), b)
        + r * p(b, e) * one_line(f, (a, c), lambda x: tensor("Q", b, e, a, x))
    )
