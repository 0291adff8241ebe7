"""First order: counts, formulas written by hand, values measured elsewhere, and rules broken on purpose."""

import time

import numpy as np
import pytest
import sympy as sp
from handwritten_recursions import recursions

from ntkfield.activations import activation
from ntkfield.diagrams import FIRST_ORDER, RULES, RuleSet, TrapezoidExpectations, propagate, recursion
from ntkfield.diagrams.enumeration import enumerate_diagrams
from ntkfield.networks import Scales

COUNTS = dict(V=2, K1=2, D=3, F=2, A=5, B=2, Theta1=5, P=3, Q=5, R=7, S=5, T=13, U=2)
REFERENCE = recursions()

# Four GELU layers, C_W = 1.98305826, no bias, λ_W = 1: two of the inputs of arXiv 2508.11522.
X = np.array([[0.6540248765053858, -1.3592788739383235, -0.3791179316445409, 0.34191025226280697],
              [-0.6786403121150224, -0.12161213502515096, 0.21716372787141658, -1.4709063616118982]])  # fmt: skip
# Read off by an independent quadrature, to the digits given.
KNOWN = """K 00 0.779517; K 01 0.263297; Theta 00 1.749268; Theta 01 0.176856; K1 00 0.75486; K1 01 -0.69385;
Theta1 00 1.41433; Theta1 01 -0.32464; V 0000 15.0334; D 0000 22.3105; F 0000 6.23259; A 0000 37.3177;
B 0000 6.15049; D 0101 1.58614; F 0101 2.47608"""


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_number_of_diagrams(name):
    assert len(recursion(name).diagrams) == COUNTS[name]


def test_q_contains_both_diagrams_of_f():
    with_rate = [d for d in recursion("Q").diagrams if any(v.rule == "differentiate" for v in d.vertices)]
    assert sorted(d.names for d in with_rate) == sorted(d.names for d in recursion("F").diagrams)


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_expression_equals_the_formula_written_by_hand(name):
    assert sp.expand(recursion(name).expression - REFERENCE[name]) == 0


def test_generation_is_fast():
    start = time.perf_counter()
    for name in FIRST_ORDER:
        fresh = recursion.__wrapped__(name)
        enumerate_diagrams.__wrapped__(fresh.kinds, fresh.pairing, fresh.order)
        assert fresh.polynomial
    assert time.perf_counter() - start < 60


def test_known_values_at_layer_four():
    c = 1.98305826
    gram = X @ X.T / 4
    engine, names = TrapezoidExpectations(activation("gelu")), ["K1", "Theta1", "V", "D", "F", "A", "B"]
    last = propagate(c * gram, gram, 4, engine, names=names, scales=Scales(c, 0.0, 1.0, 0.0))[-1]
    for entry in KNOWN.split(";"):
        name, index, text = entry.split()
        digits = len(text.split(".")[1])
        value = float(last[name][tuple(map(int, index))])
        # one unit of the last printed digit; a wrong factor in any diagram moves these by per cents
        assert value == pytest.approx(float(text), abs=10.0**-digits), (name, index)


@pytest.mark.parametrize("rule", [rule.name for rule in RULES if rule.name != "internal:other"])
@pytest.mark.parametrize("factor", [0, 2])
def test_breaking_any_one_rule_breaks_a_formula(rule, factor):
    broken = RuleSet().reweighted(rule, factor)
    assert any(sp.expand(recursion(name, broken).expression - REFERENCE[name]) != 0 for name in FIRST_ORDER)


def test_symmetry_factor_of_every_vertex_matters():
    """A different |Aut| for one diagram alone changes an expression (V's 1/4, K1's 1/8, D's 1/2, ...)."""
    seen = {d.symmetry for name in FIRST_ORDER for d in recursion(name).diagrams}
    assert seen == {1, 2, 4, 8}
