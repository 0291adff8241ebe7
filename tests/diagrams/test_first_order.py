"""First order: counts, formulas written by hand, values measured elsewhere, and rules broken on purpose."""

import time

import published
import pytest
import sympy as sp
from handwritten_recursions import recursions

from ntkfield.activations import activation
from ntkfield.diagrams import FIRST_ORDER, RULES, RuleSet, TrapezoidExpectations, propagate, recursion
from ntkfield.diagrams.enumeration import enumerate_diagrams
from ntkfield.networks import Scales

COUNTS = dict(V=2, K1=2, D=3, F=2, A=5, B=2, Theta1=5, P=3, Q=5, R=7, S=5, T=13, U=2)
REFERENCE = recursions()


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
    """Four GELU layers, no bias, λ_W = 1, two of the paper's inputs."""
    c, x = published.WEIGHT_VARIANCE_GELU, published.INPUTS_GELU[:2]
    gram = x @ x.T / 4
    engine, names = TrapezoidExpectations(activation("gelu")), ["K1", "Theta1", "V", "D", "F", "A", "B"]
    last = propagate(c * gram, gram, 4, engine, names=names, scales=Scales(c, 0.0, 1.0, 0.0))[-1]
    for (name, index), printed in published.LAYER_4.items():
        # a wrong factor in any diagram moves these by per cents
        assert float(last[name][index]) == pytest.approx(float(printed), abs=published.unit(printed)), (name, index)


OTHERS = ("internal:other", "joint")  # of higher orders, and of orthogonal weights


@pytest.mark.parametrize("rule", [rule.name for rule in RULES if rule.name not in OTHERS])
@pytest.mark.parametrize("factor", [0, 2])
def test_breaking_any_one_rule_breaks_a_formula(rule, factor):
    broken = RuleSet().reweighted(rule, factor)
    assert any(sp.expand(recursion(name, broken).expression - REFERENCE[name]) != 0 for name in FIRST_ORDER)


def test_symmetry_factor_of_every_vertex_matters():
    """A different |Aut| for one diagram alone changes an expression (V's 1/4, K1's 1/8, D's 1/2, ...)."""
    seen = {d.symmetry for name in FIRST_ORDER for d in recursion(name).diagrams}
    assert seen == {1, 2, 4, 8}
