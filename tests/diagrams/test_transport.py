"""The same recursions, seen as transport plus source: derivatives by K and Θ of the infinite-width layer map.

Price's theorem turns every sum over solid lines into derivatives of Φ: (K, Θ) -> (K', Θ'), by ordered entries of K.
Source: this project's reference; Roberts, Yaida, Hanin (2022), ch. 8, for the map.
"""

import pytest
import sympy as sp

from ntkfield.diagrams import recursion
from ntkfield.diagrams.symbols import (
    C_W,
    Expectation,
    Sigma,
    covariance,
    kernel_derivative,
    lambda_W,
    r,
    tensor,
)


def omega(a, b):
    return lambda_W * Sigma(a) * Sigma(b) + C_W * tensor("Theta", a, b) * Sigma(a, 1) * Sigma(b, 1)


def channel(name, a, b):
    """What the average over channels is taken of: C_W σσ for K', Ω for Θ'."""
    return C_W * Sigma(a) * Sigma(b) if name == "K" else omega(a, b)


def entries(a, b):
    return ((a, a), (a, b), (b, b))


def gradient(name, a, b):
    """[(kind, entry, ∂Φ)] of K'_ab or Θ'_ab by the entries of K and by Θ_ab."""
    phi = Expectation(channel(name, a, b)).expand()
    found = [("K", entry, kernel_derivative(phi, *entry)) for entry in entries(a, b)]
    if name == "Theta":
        found.append(("Theta", (a, b), C_W * Expectation(Sigma(a, 1) * Sigma(b, 1))))
    return found


def fluctuation(one, x, two, y):
    """Covariance of two entries of (K̂, Θ̂): V, D or A."""
    if one == "Theta" and two == "K":
        one, x, two, y = two, y, one, x
    return tensor({("K", "K"): "V", ("K", "Theta"): "D", ("Theta", "Theta"): "A"}[one, two], *x, *y)


@pytest.mark.parametrize(("name", "one", "two"), [("V", "K", "K"), ("D", "K", "Theta"), ("A", "Theta", "Theta")])
def test_covariances_are_source_plus_transport(name, one, two):
    total = covariance(channel(one, 1, 2), channel(two, 3, 4))
    for kind, x, left in gradient(one, 1, 2):
        for other, y, right in gradient(two, 3, 4):
            total += r * left * right * fluctuation(kind, x, other, y)
    assert sp.expand(recursion(name).expression - total) == 0


@pytest.mark.parametrize(("name", "map_"), [("K1", "K"), ("Theta1", "Theta")])
def test_means_are_first_and_second_derivatives(name, map_):
    """(K1, Θ1)' = r { DΦ·(K1, Θ1) + ½ D²Φ : Σ }, and for Θ1 the F term that the map does not know."""
    total = sp.S.Zero
    slopes = Sigma(1, 1) * Sigma(2, 1)
    for kind, x, first in gradient(map_, 1, 2):
        total += first * tensor("K1" if kind == "K" else "Theta1", *x)
        for y in entries(1, 2):
            weight = sp.Rational(1, 2) if kind == "K" else 1  # K with Θ occurs in both orders
            total += weight * kernel_derivative(first, *y) * fluctuation("K", y, kind, x)
    if name == "Theta1":
        bare = Expectation(slopes)
        for a, b in ((1, 1), (1, 2), (2, 1), (2, 2)):
            factor = 2 if a == b else 1
            total += C_W * factor * kernel_derivative(bare, a, b) * tensor("F", a, 1, b, 2)
    assert sp.expand(recursion(name).expression - r * total) == 0
