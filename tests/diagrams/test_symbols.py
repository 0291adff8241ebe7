"""The Gaussian-expectation symbol: calculus checked against exact moments and against numbers."""

import numpy as np
import pytest
import sympy as sp

from ntkfield.activations import activation
from ntkfield.diagrams import TrapezoidExpectations
from ntkfield.diagrams.symbols import (
    Expectation,
    Kernel,
    Sigma,
    Z,
    covariance,
    differentiate,
    integrate_by_parts,
    kernel_derivative,
    tensor,
)


def test_expands_linearly_and_moves_constants_out():
    a = sp.Symbol("a")
    f, g = Sigma(1) * Sigma(2), Sigma(1, 1)
    got = Expectation(a * f + 3 * g + Kernel(1, 2)).expand()
    assert got == a * Expectation(f) + 3 * Expectation(g) + Kernel(1, 2)
    assert Expectation(5) == 5


def test_integration_by_parts_gives_wick_moments():
    k = Kernel
    got = integrate_by_parts(Expectation(Z(1) * Z(2) * Z(3) * Z(4)))
    assert sp.expand(got - (k(1, 2) * k(3, 4) + k(1, 3) * k(2, 4) + k(1, 4) * k(2, 3))) == 0
    assert integrate_by_parts(Expectation(Z(1) ** 6)) == 15 * k(1, 1) ** 3
    assert integrate_by_parts(Expectation(Z(1) ** 3 * Z(2))) == 3 * k(1, 1) * k(1, 2)


def test_stein_identity_by_hand():
    got = integrate_by_parts(Expectation(Z(1) * Sigma(1) * Sigma(2, 1)))
    want = Kernel(1, 1) * Expectation(Sigma(1, 1) * Sigma(2, 1)) + Kernel(1, 2) * Expectation(Sigma(1) * Sigma(2, 2))
    assert sp.expand(got - want) == 0


def test_price_theorem_agrees_with_wick_polynomials():
    """∂/∂K of ⟨z-polynomial⟩ by Price equals the derivative of the Wick polynomial in K."""
    f = Z(1) ** 3 * Z(2) * Z(3) ** 2
    for a, b in ((1, 1), (1, 2), (1, 3), (3, 3), (2, 2)):
        by_price = integrate_by_parts(kernel_derivative(Expectation(f), a, b))
        by_wick = kernel_derivative(integrate_by_parts(Expectation(f)), a, b)
        assert sp.expand(by_price - by_wick) == 0
    assert integrate_by_parts(kernel_derivative(Expectation(f), 1, 3)) != 0


def test_price_theorem_agrees_with_finite_differences():
    engine = TrapezoidExpectations(activation("gelu"))
    kernel, h = np.array([[1.1, 0.4], [0.4, 0.8]]), 1e-4
    shift = h * np.array([[0, 1], [1, 0]])
    up, down = (engine(kernel + s * shift, [(0, 1)])[0][0, 1] for s in (1, -1))
    (exact,) = engine(kernel, [(1, 2)])
    assert kernel_derivative(Expectation(Sigma(1) * Sigma(2, 1)), 1, 2) == Expectation(Sigma(1, 1) * Sigma(2, 2))
    assert float((up - down) / (2 * h)) == pytest.approx(float(exact[0, 1]), abs=1e-7)


def test_differentiate_follows_the_product_rule():
    f = Sigma(1) ** 2 * Sigma(2)
    assert sp.expand(differentiate(f, 1, 1) - 2 * Sigma(2) * (Sigma(1, 1) ** 2 + Sigma(1) * Sigma(1, 2))) == 0
    assert differentiate(f, 3) == 0


def test_tensor_symmetries_sort_labels():
    assert tensor("V", 4, 3, 2, 1) == tensor("V", 1, 2, 3, 4) != tensor("V", 1, 3, 2, 4)
    assert tensor("F", 2, 4, 1, 3) == tensor("F", 1, 3, 2, 4) != tensor("F", 3, 1, 4, 2)
    assert tensor("D", 2, 1, 4, 3) == tensor("D", 1, 2, 3, 4) != tensor("D", 3, 4, 1, 2)
    assert tensor("P", 0, 2, 1, 3) == tensor("P", 0, 1, 2, 3)
    assert tensor("Q", 0, 2, 1, 3) != tensor("Q", 0, 1, 2, 3)
    assert tensor("T", 2, 4, 1, 3) == tensor("T", 1, 3, 2, 4)


def test_prints_text_and_latex():
    text = covariance(Sigma(1) * Sigma(2, 1), Sigma(3, 4))
    assert str(Expectation(Sigma(1) * Sigma(2, 1))) == "<s1*s2'>"
    latex = sp.latex(text)
    assert r"\sigma'_{2}" in latex
    assert r"\sigma^{(4)}_{3}" in latex
    assert latex.count(r"\left\langle") == latex.count(r"\right\rangle") == 3
    assert sp.latex(tensor("Theta1", 1, 2)) == r"\Theta^{[1]}_{12}"
