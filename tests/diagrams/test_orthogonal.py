"""Orthogonal weights: their cumulants, the sources that these reduce, and orders beyond, exact and sampled."""

from fractions import Fraction
from itertools import pairwise, permutations

import numpy as np
import pytest
import sympy as sp
from closed_form_expectations import GeluExpectations, LinearExpectations
from handwritten_recursions import recursions
from scipy.special import ndtr

import ntkfield as nf
from ntkfield.diagrams import FIRST_ORDER, Components, RuleSet, TrapezoidExpectations, cumulant, propagate, recursion
from ntkfield.diagrams.layout import place
from ntkfield.diagrams.rules import WEIGHTS
from ntkfield.diagrams.symbols import C_W, Expectation, Sigma, rho, tensor
from ntkfield.diagrams.weingarten import connected, loops, moments
from ntkfield.networks import Scales
from ntkfield.networks.mlp import ENSEMBLES

X = np.array([[1.0, 0.5, -0.3], [0.2, -0.8, 1.1]])
TOLERANCE = 1e-8  # of a tensor's largest entry; both quadratures are asked for 1e-9
BEYOND = ("K2", "V.1", "V6", "Theta2", "D.1", "F.1", "A.1", "B.1")


def orthogonal(name, rules=RuleSet()):  # noqa: B008 - a frozen value
    return recursion(name, rules, "orthogonal")


# cumulants of the entries


def test_weingarten_functions_are_those_of_the_literature():
    """Collins and Sniady's for four and six entries, as functions of N."""
    n = sp.Symbol("N")
    four, six = n * (n - 1) * (n + 2), n * (n - 1) * (n - 2) * (n + 2) * (n + 4)
    known = {(1, 1): (n + 1) / four, (2,): -1 / four}
    known |= {(1, 1, 1): (n**2 + 3 * n - 2) / six, (2, 1): -1 / (n * (n - 1) * (n - 2) * (n + 4)), (3,): 2 / six}
    for lengths, wg in known.items():
        k, x = sum(lengths), sp.Symbol("x")
        series = sp.series(sp.cancel((wg * n**k).subs(n, 1 / x)), x, 0, 7).removeO()
        assert moments(k, 6)[lengths] == tuple(int(series.coeff(x, m)) for m in range(7)), lengths


def test_cumulants_of_entries_start_where_they_should():
    assert [connected((k,), 3)[k - 1] for k in (1, 2, 3, 4)] == [1, -1, 2, -5]  # Catalan numbers with signs
    for lengths in ((1, 1), (2, 1), (3, 1), (2, 2)):
        entries = sum(lengths)
        assert not any(connected(lengths, entries)[: entries - len(lengths) + 1]), lengths
    assert loops(((0, 1), (2, 3), (4, 5)), ((0, 1), (2, 4), (3, 5))) == (2, 1)


# first order


SIGMA = {k: [None, *(Sigma(label, k) for label in (1, 2, 3, 4))] for k in (0, 1)}


def pair(a, b, order):
    return Expectation(SIGMA[order][a] * SIGMA[order][b])


TAKEN = {
    "V": pair(1, 3, 0) * pair(2, 4, 0) + pair(1, 4, 0) * pair(2, 3, 0),
    "F": pair(1, 2, 0) * tensor("Theta", 3, 4) * pair(3, 4, 1),
    "B": tensor("Theta", 1, 2) * pair(1, 2, 1) * tensor("Theta", 3, 4) * pair(3, 4, 1),
}


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_three_sources_are_reduced_and_nothing_else_changes(name):
    known = recursions()[name] - rho * C_W**2 * TAKEN.get(name, 0)
    assert sp.expand(orthogonal(name).expression - known) == 0
    assert sum(bool(diagram.joints) for diagram in orthogonal(name).diagrams) == {"V": 2, "F": 1, "B": 1}.get(name, 0)
    assert orthogonal(name).needs == recursion(name).needs


@pytest.mark.parametrize("factor", [0, 2])
def test_the_rule_of_joints_matters_and_only_there(factor):
    broken = RuleSet().reweighted("joint", factor)
    for name, taken in TAKEN.items():
        change = orthogonal(name, broken).expression - orthogonal(name).expression
        assert sp.expand(change - (1 - factor) * rho * C_W**2 * taken) == 0
        assert recursion(name, broken).expression == recursion(name).expression


def solved(x, widths, names, activation, rtol, **fields):
    network = nf.MLP(len(widths) + 1, activation, 1.5, 0.2, 1.3, 0.7, weights="orthogonal", **fields)
    known = nf.finite_width(network, x, ["K", "Theta", *names], rtol=rtol, widths=widths)
    assert known.attrs["converged"]
    shares = [min(1.0, n / m) for n, m in pairwise(widths)] + [float(network.readout_weights == "orthogonal")]
    return network, known, [1.0, *known.attrs["width_ratios"]], shares


def apart(a, b):
    return float(np.max(abs(a - b)) / np.max(abs(a)))


def test_compiled_functions_equal_finite_width():
    """One input, two quadratures, layer by layer; a layer that widens, a first layer that is orthogonal too."""
    network, known, ratios, shares = solved(X[:1], [4, 6], "VFB", "gelu", 1e-9, first_weights="orthogonal")
    engine = TrapezoidExpectations(network.activation)
    assert abs(known.V[0]).max() > 0.1
    for layer, (ratio, share) in enumerate(zip(ratios, shares, strict=True)):
        below = known.isel(layer=layer)
        for name in "VFB":
            step = orthogonal(name).compile()
            found = step(below.K, below.Theta, below, engine, scales=network.scales, ratio=ratio, rho=share)
            assert apart(known[name].values[layer + 1], found) < TOLERANCE, (name, layer)
            gaussian = step(below.K, below.Theta, below, engine, scales=network.scales, ratio=ratio, rho=0.0)
            assert apart(known[name].values[layer + 1], gaussian) > 1e-2, (name, layer)


def test_whole_networks_agree():
    """Two inputs, the same closed forms, from the first layer to a Gaussian readout."""
    names = ["V", "D", "F", "B"]
    fields = {"first_weights": "orthogonal", "readout_weights": "gaussian"}
    network, known, ratios, shares = solved(X, [3, 4, 2], names, "relu", 1e-7, **fields)
    first, options = known.isel(layer=0), {"scales": network.scales, "ratios": ratios, "rhos": shares}
    layers = propagate(
        first.K.values, first.Theta.values, 4, "relu", names=names, weights="orthogonal", first=first, **options
    )
    assert max(apart(known[name].values[-1], layers[-1][name]) for name in names) < TOLERANCE
    with pytest.raises(ValueError, match=r"rhos has 2 entries; accepted is one number or depth - 1 = 3"):
        propagate(first.K.values, first.Theta.values, 4, "relu", names=["V"], rhos=[1.0, 1.0])


def test_there_are_rules_for_the_weights_of_networks():
    assert WEIGHTS == ENSEMBLES


def test_other_weights_are_refused():
    for ask in (lambda: recursion("V", weights="unitary"), lambda: cumulant(["z"] * 4, weights="unitary")):
        with pytest.raises(ValueError, match="weights = 'unitary' is refused: expected one of gaussian, orthogonal"):
            ask()


def test_cumulants_hold_the_same_recursions():
    found = cumulant(["z", "z", "Theta"], weights="orthogonal")
    assert found["F"].expression == orthogonal("F").expression != recursion("F").expression
    assert found["D"].expression == recursion("D").expression


# pictures and formulas


def test_latex_of_v_ends_with_what_is_taken_off():
    lines = orthogonal("V").latex().splitlines()
    assert lines[3:5] == [
        r"&\quad - \rho C_W^{2} \langle \sigma_{1}\sigma_{3}\rangle \langle \sigma_{2}\sigma_{4}\rangle \\",
        r"&\quad - \rho C_W^{2} \langle \sigma_{1}\sigma_{4}\rangle \langle \sigma_{2}\sigma_{3}\rangle",
    ]
    assert r"&\quad - C_{W}^{2} \rho" in orthogonal("V").latex("expanded")


@pytest.mark.parametrize("name", ["V", "F", "B"])
def test_joints_are_drawn(name):
    def bands(found, only):
        return sum(line.get_linewidth() == 11 for line in found.draw(only).axes[0].lines)

    drawn = [bands(orthogonal(name), k) for k in range(len(orthogonal(name).diagrams))]
    assert drawn == [len(diagram.joints) for diagram in orthogonal(name).diagrams]


def test_no_two_blobs_or_vertices_of_a_picture_coincide():
    for diagram in (d for name in (*FIRST_ORDER, *BEYOND) for d in orthogonal(name).diagrams):
        layout = place(diagram)
        points = np.array([*layout.blobs, *layout.vertices, *layout.internals, *layout.ends.values()])
        gaps = np.linalg.norm(points[:, None] - points[None], axis=-1)[np.triu_indices(len(points), 1)]
        assert gaps.min() > 0.3, diagram


# beyond: exact laws


def system(kernel, engine, scales, **options):
    return Components(kernel, kernel, engine, scales=scales, **options)


def test_second_layer_is_exact_to_second_order():
    """With independent channels below, every cumulant of z is a function of n times its limit.

    V, F and B have n/(n + 2), as have the parts with C_W^2 of D and A, and V6 n^2/((n + 2)(n + 4)).
    """
    kernel = [[1.1, 0.4], [0.4, 0.8]]
    found = system(kernel, GeluExpectations(), Scales(1.7, 0.1, 1.3, 0.7))
    without = system(kernel, GeluExpectations(), Scales(1.7, 0.1, 0.0, 0.7))  # what has C_W^2 alone

    def series(of, name, inputs):
        return [of.value(orthogonal(f"{name}{power}"), inputs, 2) for power in ("", ".1")]

    for name in "VFB":
        limit, first = series(found, name, (0, 0, 0, 1))
        assert abs(limit) > 0.1
        assert first == pytest.approx(-2 * limit, rel=1e-12), name
    for name in "DA":
        whole, first = series(found, name, (0, 1, 0, 1))
        part = without.value(orthogonal(name), (0, 1, 0, 1), 2)
        assert abs(whole - part) > 0.1
        assert first == pytest.approx(-2 * part, rel=1e-11), name
    one = system([[1.1]], GeluExpectations(), Scales(1.7, 0.1, 1.3, 0.7))
    limit, first = series(one, "V6", (0,) * 6)
    assert first == pytest.approx(-6 * limit, rel=1e-11)


def test_a_rotated_gaussian_vector_is_gaussian_to_second_order():
    """Identity activation, square layers, distinct inputs: nothing is left of V, F and B, nor of D and A past 1/n."""
    root = np.random.default_rng(2).normal(size=(6, 8))
    kernel = root @ root.T / 8
    found, six = (system(kernel[:m, :m], LinearExpectations(), Scales(1.2, 0.0, 1.2, 0.0)) for m in (2, 6))
    for name in ("V", "V.1", "F", "F.1", "B", "B.1", "D.1", "A.1"):
        assert abs(found.value(orthogonal(name), (0, 1, 0, 1), 3)) < 1e-12, name
    assert abs(six.value(orthogonal("V6"), range(6), 2)) < 1e-12
    assert abs(six.value(recursion("V6"), range(6), 2)) > 0.01


def exact_linear(name, widths):
    """What a linear network's widths make of the cumulants, over K's power: norms, which widening layers spread."""
    x = sp.Symbol("x")  # one over the width before the last
    n = [sp.Rational(width, widths[-2]) / x for width in widths]
    # moments of squares of k different channels, 1 for Gaussian ones: E|z|^2k / n(n + 2)...(n + 2k - 2)
    moment = [sp.Integer(1)] * 5
    for (below, here), (a, b) in zip(pairwise(n), pairwise(widths), strict=True):
        if b > a:
            for k in range(5):
                spread = sp.prod([(below + 2 * j) / (here + 2 * j) for j in range(k)])
                moment[k] *= (here / below) ** k * spread
    kappa = {
        2: moment[2] - 1,
        3: moment[3] - 3 * moment[2] + 2,
        4: moment[4] - 4 * moment[3] - 3 * moment[2] ** 2 + 12 * moment[2] - 6,
    }
    power, order = {"V": (2, 1), "V.1": (2, 2), "V6": (3, 2), "V6.1": (3, 3), "V8": (4, 3)}[name]
    return power, float(sp.series(sp.cancel(kappa[power]), x, 0, order + 1).removeO().coeff(x, order))


@pytest.mark.parametrize("name", ["V", "V.1", "V6", "V6.1", "V8"])
@pytest.mark.parametrize("widths", [(1, 2, 1, 1), (1, 2, 3, 6), (4, 2, 3, 1)], ids=str)
def test_linear_networks_of_any_widths_are_exact_to_third_order(name, widths):
    ratios = [1.0, widths[1] / widths[0], widths[2] / widths[1]]
    rhos = [min(1.0, a / b) for a, b in pairwise(widths)]
    found = system([[1.3]], LinearExpectations(), Scales(1.7, 0.0, 1.7, 0.0), ratios=ratios, rhos=rhos)
    power, coefficient = exact_linear(name, widths)
    got = found.value(orthogonal(name), (0,) * 2 * power, 4) / (1.3 * 1.7**3) ** power
    assert got == pytest.approx(coefficient, rel=1e-11, abs=1e-11)


# beyond: one input, GELU, four narrow layers, of which the second is half as wide again

VARIANCE, SHAPE = 2.0, (Fraction(1), Fraction(3, 2), Fraction(1))


def narrow(n, number, batches=20):
    """Coefficients V / n and V6 / n^2 of layer 4, and errors: a layer keeps its input's norm and no direction."""
    widths, rng, found = [int(n * share) for share in SHAPE], np.random.default_rng(n), []
    for _ in range(batches):
        z = rng.normal(size=(number // batches, n))
        for below, here in pairwise(widths):
            square = VARIANCE * np.sum((z * ndtr(z)) ** 2, axis=1) * max(below, here) / below
            z = rng.normal(size=(len(z), here))
            rest = rng.chisquare(below - here, len(z)) if below > here else 0.0  # channels of the square that are cut
            z *= np.sqrt(square / (np.sum(z**2, axis=1) + rest))[:, None]
        k = VARIANCE * np.mean((z * ndtr(z)) ** 2, axis=1)
        one, two, three = k.mean(), (k**2).mean() * n / (n + 2), (k**3).mean() * n**2 / ((n + 2) * (n + 4))
        found.append((two - one**2, three - 3 * two * one + 2 * one**3))
    return np.mean(found, axis=0), np.std(found, axis=0) / (batches - 1) ** 0.5


def predicted(names, rules=RuleSet()):  # noqa: B008 - a frozen value
    ratios, rhos = [1.0, 1.5, 1 / 1.5], [1 / 1.5, 1.0, 1.0]
    scales = Scales(VARIANCE, 0.0, VARIANCE, 0.0)
    found = system([[1.0]], GeluExpectations(), scales, ratios=ratios, rhos=rhos)
    return [found.value(f, (0,) * len(f.subscripts), 4) for f in (orthogonal(name, rules) for name in names)]


@pytest.fixture(scope="module")
def sampled():
    return {n: narrow(n, 240_000) for n in (8, 12, 16, 24)}


def left_over(sampled, statistic, values, tested):
    """Fitted coefficient ``tested``, all of ``values`` taken off, with two further powers of 1/n free; its error."""
    n = np.array(list(sampled), float)
    mean, error = (np.array([run[j][statistic] for run in sampled.values()]) * n ** (statistic + 1) for j in (0, 1))
    left = (mean - sum(value / n**j for j, value in enumerate(values))) / error
    free = [tested, len(values), len(values) + 1]
    design = np.stack([n ** -float(power) for power in free], axis=1) / error[:, None]
    inverse = np.linalg.inv(design.T @ design)
    return (inverse @ design.T @ left)[0], inverse[0, 0] ** 0.5


CASES = [(0, ["V", "V.1", "V.2"], 1), (1, ["V6", "V6.1"], 0)]  # statistic, orders predicted, the one that is tested


@pytest.mark.parametrize("case", CASES, ids=["V.1", "V6"])
def test_second_order_agrees_with_narrow_networks(sampled, case):
    statistic, names, tested = case
    values = predicted(names)
    off, error = left_over(sampled, statistic, values, tested)
    print(names[tested], values[tested], off, error)
    assert abs(off) < 3.5 * error  # two numbers: once in a thousand choices of seeds
    assert error < 0.12 * abs(values[tested])


def test_narrow_networks_notice_a_broken_rule(sampled):
    statistic, names, tested = CASES[1]
    off, error = left_over(sampled, statistic, predicted(names, RuleSet().without("joint")), tested)
    assert abs(off) > 6 * error


def test_symmetry_factors_count_what_joints_leave():
    """Every diagram once: equal ones up to the names of solid lines would be counted twice."""
    for name in ("V.1", "V6", "F.1"):
        seen = {
            (d.vertices, d.joints, d.propagators, d.means, tuple(sorted(map(_unnamed, d.internals))))
            for d in orthogonal(name).diagrams
        }
        assert len(seen) == len(orthogonal(name).diagrams)


def _unnamed(internal):
    ends = [("line", blob) for blob in internal.lines] + [("slot", *slot) for t in internal.trees for slot in t.slots]
    options = (
        tuple(sorted(tuple(sorted((str(ends[p[a]]), str(ends[p[b]])))) for a, b in internal.pairing))
        for p in permutations(range(len(ends)))
        if all(ends[p[k]] == ends[k] for k in range(len(ends)))
    )
    return internal.correction, min(options)
