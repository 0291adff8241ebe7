"""Cumulants with NTKs, to third order in 1/n, against sampled networks: two inputs, GELU, biases, unequal widths.

Among them one that nobody has printed: four preactivations with two NTKs, at leading order 1/n³.
"""

import numpy as np
import pytest
from closed_form_expectations import GeluExpectations
from sampled_networks import (
    C_B,
    C_W,
    KERNEL,
    RATE_B,
    RATE_W,
    THETA,
    extrapolate,
    scaled_cumulants,
)

from ntkfield.diagrams import Components, Recursion, RuleSet, cumulant
from ntkfield.diagrams.rules import STANDARD
from ntkfield.diagrams.tensors import flat_nodes
from ntkfield.networks import Scales

RATIO = 1.5
NUMBER = {(6, 9): 300_000, (12, 18): 300_000, (24, 36): 200_000}
# externals, order, inputs of the nodes for each pairing of channels
LEADING = [
    (["z", "z", "Theta"], 1, {"D": (0, 1, 0, 1), "F": (0, 0, 0, 1)}),
    (["Theta", "Theta"], 1, {"A": (0, 1, 0, 1), "B": (0, 0, 0, 1)}),
    (["z"] * 4 + ["Theta"], 2, {"zzzzTheta[01|23|45]": (0, 0, 0, 0, 0, 0), "zzzzTheta[01|24|35]": (1, 0, 0, 0, 0, 0)}),
    (
        ["z", "z", "Theta", "Theta"],
        2,
        {
            "zzThetaTheta[01|23|45]": (0, 0, 0, 0, 0, 0),
            "zzThetaTheta[01|24|35]": (0, 0, 1, 0, 1, 0),
            "zzThetaTheta[02|13|45]": (0, 1, 0, 1, 0, 1),
            "zzThetaTheta[02|14|35]": (0, 0, 1, 1, 0, 1),
        },
    ),
]
UNPRINTED = [
    (
        ["z"] * 4 + ["Theta"] * 2,
        3,
        {
            "zzzzThetaTheta[01|23|45|67]": (0, 0, 0, 0, 0, 0, 0, 0),
            "zzzzThetaTheta[01|23|46|57]": (0, 0, 0, 0, 0, 0, 0, 0),
            "zzzzThetaTheta[01|24|35|67]": (0, 0, 0, 0, 0, 0, 0, 0),
            "zzzzThetaTheta[01|24|36|57]": (0, 0, 1, 0, 0, 0, 1, 0),
            "zzzzThetaTheta[04|15|26|37]": (0, 0, 1, 0, 0, 0, 0, 1),
        },
    ),
]


def _recursions(table, rules=STANDARD):
    for externals, order, inputs in table:
        found = cumulant(externals, order, rules)
        assert sorted(f.name for f in found) == sorted(inputs)
        for f in found:
            yield f, inputs[f.name]


def _predict(table, rules=STANDARD, corrected=False):
    """Leading coefficients at layer 3 (and the next ones), by name."""
    system = Components(KERNEL, THETA, GeluExpectations(), scales=Scales(C_W, C_B, RATE_W, RATE_B), ratios=RATIO)
    values = {}
    for f, labels in _recursions(table, rules):
        inputs = [labels[node] for node in f.flat_order]
        following = Recursion(f.kinds, f.pairing, f.order + 1, f.flat_order, f.first_label, rules)
        values[f.name] = (
            system.value(f, inputs, 3),
            system.value(following, inputs, 3) if corrected else None,
        )
    return values


@pytest.fixture(scope="module")
def sampled():
    cases = {}
    for f, labels in _recursions(LEADING + UNPRINTED):
        nodes = flat_nodes(f.kinds)
        cases[f.name] = ([n for kind, n in zip(f.kinds, nodes, strict=True) if kind == "Theta"], f.pairing, labels)
    runs = {n2: scaled_cumulants(cases, n1, n2, number, n1) for (n1, n2), number in NUMBER.items()}
    return {name: ([run[name][0] for run in runs.values()], [run[name][1] for run in runs.values()]) for name in cases}


def _widths():
    return np.array([n2 for _, n2 in NUMBER], float)


def _off(sampled, name, leading, following=None):
    """Fitted coefficient at infinite width minus the predicted one, in standard errors, and the error."""
    means, errors = (np.asarray(x) for x in sampled[name])
    n = _widths()
    if following is None:
        value, error = extrapolate(n, means, errors, 2)
    else:  # the 1/n term is predicted too: fit value and 1/n² only
        value, error = extrapolate(n**2, means - following / n, errors, 1)
    return (value - leading) / error, error


@pytest.mark.exhaustive
def test_first_and_second_order_with_their_corrections(sampled):
    for name, (leading, following) in _predict(LEADING, corrected=True).items():
        off, error = _off(sampled, name, leading, following)
        assert abs(off) < 4, name
        assert error < 0.06 * abs(leading), name
        without, _ = _off(sampled, name, leading, 0.0)
        assert abs(without) > 4, name  # the sample sees the predicted 1/n correction itself


@pytest.mark.exhaustive
def test_unprinted_cumulant_at_third_order(sampled):
    for name, (leading, _) in _predict(UNPRINTED).items():
        off, error = _off(sampled, name, leading)
        assert abs(off) < 4, name
        assert error < 0.25 * abs(leading), name


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "rule", ["internal:V", "internal:D", "internal:F", "internal:B", "internal:A", "internal:other", "mean:Theta"]
)
def test_samples_notice_a_dropped_rule(sampled, rule):
    broken = _predict(LEADING, RuleSet().without(rule), corrected=True)
    assert any(abs(_off(sampled, name, *values)[0]) > 6 for name, values in broken.items())
