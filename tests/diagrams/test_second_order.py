"""Past first order: exact deep linear networks, narrow networks, and symmetry factors counted by brute force."""

from itertools import permutations

import numpy as np
import pytest
import sympy as sp
from closed_form_expectations import GeluExpectations, LinearExpectations
from scipy.interpolate import CubicSpline
from scipy.special import ndtr

from ntkfield.diagrams import FIRST_ORDER, Components, RuleSet, cumulant, recursion
from ntkfield.diagrams.graphs import Diagram
from ntkfield.diagrams.rules import STANDARD
from ntkfield.networks import Scales

SECOND = ("V6", "K2", "V.1", "Theta2", "D.1", "F.1", "A.1", "B.1")


def scales(variance):
    """No biases, and the rates of the NTK parametrization."""
    return Scales(variance, 0.0, variance, 0.0)


# one input: the kernel of layer 4 is K times three independent factors chi²_n / n


def _exact_linear(name, ratios):
    """Coefficient in units of the last width of the cumulants of K̂ at layer 4, from moments of chi squares."""
    x = sp.Symbol("x")
    inverse = [x]
    for ratio in reversed(ratios[1:]):
        inverse.append(inverse[-1] * sp.nsimplify(ratio))
    moment = [sp.prod([sp.prod([1 + 2 * j * i for j in range(k)]) for i in inverse]) for k in range(5)]
    kappa = {
        2: moment[2] - 1,
        3: moment[3] - 3 * moment[2] + 2,
        4: moment[4] - 4 * moment[3] - 3 * moment[2] ** 2 + 12 * moment[2] - 6,
    }
    power, order = {"V": (2, 1), "V.1": (2, 2), "V.2": (2, 3), "V6": (3, 2), "V6.1": (3, 3), "V8": (4, 3)}[name]
    return power, float(sp.expand(kappa[power]).coeff(x, order))


@pytest.mark.parametrize("name", ["V", "V.1", "V.2", "V6", "V6.1", "V8"])
@pytest.mark.parametrize("ratios", [[1.0, 1.0, 1.0], [2.0, 0.5, 3.0]])
def test_deep_linear_networks_are_exact_to_third_order(name, ratios):
    system = Components([[1.3]], [[1.0]], LinearExpectations(), scales=scales(1.7), ratios=ratios)
    power, coefficient = _exact_linear(name, ratios)
    got = system.value(name, (0,) * len(recursion(name).subscripts), 4)
    assert got == pytest.approx(coefficient * (1.3 * 1.7**3) ** power, rel=1e-12)


@pytest.mark.parametrize("name", ["K1", "K2", "K3"])
def test_mean_kernel_of_a_linear_network_has_no_corrections(name):
    system = Components([[1.3]], [[1.0]], LinearExpectations(), scales=scales(1.7))
    assert system.value(name, (0, 0), 4) == 0


def test_six_preactivations_of_a_linear_layer_are_the_third_wishart_cumulant():
    root = np.random.default_rng(2).normal(size=(6, 8))
    k = root @ root.T
    system = Components(k, k, LinearExpectations(), scales=scales(1.2))
    # pairs (01), (23), (45) on one channel each: the eight single cycles through the three pairs
    cycles = sum(
        k[a[1], b[0]] * k[b[1], c[0]] * k[c[1], a[0]]
        for a in ((0, 1),)
        for b in ((2, 3), (3, 2))
        for c in ((4, 5), (5, 4))
    ) + sum(
        k[a[1], c[0]] * k[c[1], b[0]] * k[b[1], a[0]]
        for a in ((0, 1),)
        for b in ((2, 3), (3, 2))
        for c in ((4, 5), (5, 4))
    )
    assert system.value("V6", range(6), 2) == pytest.approx(1.2**3 * cycles, rel=1e-12)


# one input, GELU, four narrow layers: given K̂ of layer 3, everything at layer 4 is a one-dimensional integral

C, R = 2.0, 1.5


def _narrow(n1, number, seed, batches=20):
    """E[K̂], Var(K̂), κ3(K̂) of layer 4 and errors, K = 1 at layer 1; layers 1 and 2 sampled, layer 3 integrated.

    Regressing on functions of layers 1 and 2 whose mean is zero exactly takes most of the noise away.
    """
    n2, n3 = round(R * n1), round(R**2 * n1)
    grid = np.linspace(1e-3, 30, 3000)
    z = np.sqrt(grid)[:, None] * GeluExpectations.x
    square = C * (z * ndtr(z)) ** 2
    mean = square @ GeluExpectations.weight
    m, v, t = (
        CubicSpline(grid, f)
        for f in (mean, *(((square - mean[:, None]) ** k) @ GeluExpectations.weight for k in (2, 3)))
    )
    k_one, rng, found = float(m(1.0)), np.random.default_rng(seed), []
    top = float(m(m(k_one)))
    for _ in range(batches):
        z = rng.normal(size=(number // batches, n1))
        k2 = C * ((z * ndtr(z)) ** 2).mean(1)
        z = np.sqrt(k2)[:, None] * rng.normal(size=(len(k2), n2))
        k3 = C * ((z * ndtr(z)) ** 2).mean(1)
        a, b, va, vb = k2 - k_one, k3 - m(k2), v(1.0) / n1, v(k2) / n2
        third = (float(t(1.0)) / n1**2, t(k2) / n2**2)
        zero = [a, b, a**2 - va, b**2 - vb, a * b, a**2 * b, a * (b**2 - vb), a**3 - third[0], b**3 - third[1]]
        zero = np.stack([np.ones_like(a), *zero], axis=1)
        d, spread = m(k3) - top, v(k3)
        moments = np.stack([d, d**2 + spread / n3, d**3 + 3 * d * spread / n3 + t(k3) / n3**2], axis=1)
        x1, x2, x3 = np.linalg.lstsq(zero, moments, rcond=None)[0][0]
        found.append((x1, x2 - x1**2, x3 - 3 * x2 * x1 + 2 * x1**3))
    return np.mean(found, axis=0) + np.array([top, 0, 0]), np.std(found, axis=0) / (batches - 1) ** 0.5


@pytest.fixture(scope="module")
def narrow():
    return {R**2 * n1: _narrow(n1, 400_000, n1) for n1 in (8, 12, 16, 24, 40)}


def _narrow_prediction(rules=STANDARD):
    system = Components([[1.0]], [[1.0]], GeluExpectations(), scales=scales(C), ratios=R)
    names = ("K1", "K2", "K3", "V", "V.1", "V.2", "V6", "V6.1")
    values = {name: system.value(recursion(name, rules), (0,) * len(recursion(name).subscripts), 4) for name in names}
    return {"K": float(system.kernels(4)[0][0, 0]), **values}


def _pulls(narrow, p):
    """Left over in the 1/n² coefficients of K̂'s mean and variance, and in κ3's second one: (value, error, predicted).

    All predicted orders are subtracted; three further powers of 1/n are left free.
    """
    found = {}
    n = np.array(list(narrow))
    for k, (names, tested) in enumerate(((("K", "K1", "K2", "K3"), 2), (("V", "V.1", "V.2"), 1), (("V6", "V6.1"), 1))):
        mean, error = (np.array([s[j][k] for s in narrow.values()]) * n**k for j in (0, 1))
        left = mean - sum(p[name] / n**j for j, name in enumerate(names))
        free = [tested, *range(len(names), len(names) + 3)]
        design = np.stack([n ** -float(power) for power in free], axis=1) / error[:, None]
        covariance = np.linalg.inv(design.T @ design)
        fit = covariance @ design.T @ (left / error)
        found[names[tested]] = (fit[0], covariance[0, 0] ** 0.5, p[names[tested]])
    return found


def test_corrections_of_k_v_and_v6_agree_with_narrow_networks(narrow):
    for name, (off, error, value) in _pulls(narrow, _narrow_prediction()).items():
        assert abs(off) < 4 * error, name
        assert error < 0.03 * abs(value), name


@pytest.mark.parametrize("rule", ["internal:V", "internal:K1", "internal:other", "symmetry"])
def test_narrow_networks_notice_a_broken_rule(narrow, rule):
    pulls = _pulls(narrow, _narrow_prediction(RuleSet().without(rule)))
    assert any(abs(off) > 6 * error for off, error, _ in pulls.values())


# symmetry factors and isomorphism, without the formula used in the library


def _brute_force_automorphisms(diagram: Diagram) -> int:
    """Permutations of internal vertices and of their solid lines that reproduce the diagram."""
    internals = diagram.internals
    count = 0
    for order in permutations(range(len(internals))):
        ways = 1
        for a, b in enumerate(order):
            x, y = internals[a], internals[b]
            if (x.trees, x.correction, len(x.lines)) != (y.trees, y.correction, len(y.lines)):
                ways = 0
                break
            target = {frozenset(pair) for pair in y.pairing}
            fixed = tuple(range(len(x.lines), len(x.owners)))
            ways *= sum(
                all(x.lines[k] == y.lines[image[k]] for k in range(len(x.lines)))
                and {frozenset((*image, *fixed)[k] for k in pair) for pair in x.pairing} == target
                for image in permutations(range(len(x.lines)))
            )
        count += ways
    return count


def _unlabelled(diagram: Diagram):
    """The diagram with solid lines known only by the blob they end on."""
    parts = []
    for internal in diagram.internals:
        ends = [("line", blob) for blob in internal.lines]
        ends += [("slot", node, block) for tree in internal.trees for node, block in tree.slots]
        parts.append(
            (internal.correction, tuple(sorted(tuple(sorted((ends[a], ends[b]))) for a, b in internal.pairing)))
        )
    return diagram.vertices, frozenset(map(frozenset, (p.factors for p in diagram.propagators))), tuple(sorted(parts))


@pytest.mark.parametrize("name", [*FIRST_ORDER, *SECOND])
def test_symmetry_factors_by_brute_force_and_no_diagram_twice(name):
    diagrams = recursion(name).diagrams
    assert [d.symmetry for d in diagrams] == [_brute_force_automorphisms(d) for d in diagrams]
    assert len({_unlabelled(d) for d in diagrams}) == len(diagrams)


def test_second_order_counts():
    counts = {name: len(recursion(name).diagrams) for name in SECOND}
    assert counts == {"V6": 8, "K2": 6, "V.1": 10, "Theta2": 17, "D.1": 25, "F.1": 13, "A.1": 60, "B.1": 22}
    assert [len(f.diagrams) for f in cumulant(["z"] * 4 + ["Theta"], 2)] == [16, 8]
