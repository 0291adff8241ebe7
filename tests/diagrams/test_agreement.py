"""Two roads to one system: compiled diagrams against nf.finite_width.

They share no code but Gaussian moments: none for tanh and gelu, whose expectations each side integrates by itself; the
two- and four-point functions for activations with a kink, which no other engine of the library can give (they have
tests of their own).
"""

import functools

import numpy as np
import pytest

import ntkfield as nf
from ntkfield.diagrams import FIRST_ORDER, ActivationExpectations, RuleSet, TrapezoidExpectations, propagate, recursion
from ntkfield.diagrams.expectations import ask

# Of the largest entry of a tensor. Both quadratures are asked for 1e-9, and every tensor feeds the ones after it.
TOLERANCE = 1e-8
KINKED = tuple(name for name in FIRST_ORDER if name not in "RSTU")
LEAKY = {"name": "leaky_relu", "slope": -0.3}
RATES = {"weight_rate": 0.6, "bias_rate": 0.4}


def network(activation, depth, seed):
    """A network with biases and general rates; the seed moves its variances too."""
    rng = np.random.default_rng([seed, depth])
    weight, bias = rng.uniform(1.2, 1.8), rng.uniform(0.05, 0.3)
    return nf.MLP(depth, activation, weight_variance=weight, bias_variance=bias, **RATES)


class Remembered:
    """Expectations of one covariance, computed in one call for all recursions."""

    def __init__(self, activation, kernel, names):
        orders = {name: recursion(name).compile().moments for name in names}
        self.known = ask(activation, kernel, orders)

    def __call__(self, kernel, orders):
        return [self.known[key] for key in orders]


@functools.cache
def finite(activation, inputs, depth, seed=0):
    """The network, and finite_width's dataset for random inputs, whose widths differ from layer to layer."""
    mlp = network(LEAKY if activation == "leaky_relu" else activation, depth, seed)
    smooth = mlp.activation.smooth
    x = np.random.default_rng(seed).normal(size=(inputs, inputs + 1))
    names = FIRST_ORDER if smooth else KINKED
    # closed forms at a kink promise 1e-8 for inputs that depend on each other, which these do not
    rtol = 1e-9 if smooth else 1e-8
    known = nf.finite_width(mlp, x, ["K", "Theta", *names], rtol=rtol, widths=[5, 7, 4][: depth - 1])
    assert known.attrs["converged"]
    return mlp, known


def steps(mlp, known, names, rules=RuleSet(), engine=None):  # noqa: B008 - a frozen value
    """What compiled recursions make of finite_width's tensors one layer below: {name: [layer 2, layer 3, ...]}."""
    found = {name: [] for name in names}
    for layer, ratio in enumerate([1.0, *known.attrs["width_ratios"]]):
        below = {name: known[name].values[layer] for name in known}
        moments = Remembered(engine or mlp.activation, below["K"], names)
        for name in names:
            step = recursion(name, rules).compile()
            found[name].append(step(below["K"], below["Theta"], below, moments, ratio=ratio, scales=mlp.scales))
    return found


def disagreement(known, found):
    """Largest difference of a tensor over its largest entry, by name, in the worst of its layers."""

    def apart(a, b):
        return float(np.max(abs(a - b)) / (np.max(abs(a)) or 1.0))  # K1 and Theta1 vanish at layer 2

    return {name: max(map(apart, known[name].values[1:], arrays)) for name, arrays in found.items()}


def compare(*case, engine=None):
    mlp, known = finite(*case)
    names = [name for name in known if name in FIRST_ORDER]
    if engine is None and mlp.activation.smooth:
        engine = TrapezoidExpectations(mlp.activation)  # a witness: the default engine is finite_width's own rule
    found = steps(mlp, known, names, engine=engine)
    apart = disagreement(known, found)
    assert {name: value for name, value in apart.items() if not value < TOLERANCE} == {}
    # every tensor is there and differs between inputs, so that nothing agrees by being zero
    assert all(np.ptp(found[name][-1]) > 1e-3 for name in names)


@pytest.mark.parametrize("case", [("gelu", 2, 3), ("tanh", 2, 3), ("relu", 3, 3)], ids=str)
def test_compiled_functions_equal_finite_width(case):
    compare(*case)


@pytest.mark.slow
@pytest.mark.parametrize("case", [("tanh", 3, 4, 1), ("relu", 4, 4, 1), ("leaky_relu", 2, 4), ("gelu", 3, 4)], ids=str)
def test_compiled_functions_equal_finite_width_in_deeper_networks(case):
    compare(*case)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("case", [("gelu", 4, 3), ("relu", 5, 4), ("erf", 3, 4), ("tanh", 3, 3)], ids=str)
def test_compiled_functions_equal_finite_width_in_many_networks(case, seed):
    """Some of the covariances are large, up to 5, and ask for finer grids than the default."""
    sigma = nf.activation(case[0])
    fine = TrapezoidExpectations(sigma, (240, 240, 160, 72), (8.5, 8.5, 8.5, 7.5))
    compare(*case, seed, engine=fine if sigma.smooth else None)


@pytest.mark.exhaustive
def test_compiled_functions_equal_finite_width_at_four_inputs_of_tanh():
    """Where its poles ask most of both quadratures."""
    compare("tanh", 4, 3, engine=TrapezoidExpectations(nf.activation("tanh"), (160, 160, 96, 96), (8.5, 8.5, 8.0, 7.5)))


def test_whole_networks_agree():
    """From the first layer to the last by compiled recursions alone."""
    mlp, known = finite("relu", 3, 3)
    first = known.isel(layer=0)
    layers = propagate(
        first["K"].values, first["Theta"].values, 3, "relu", names=KINKED, ratios=[1.0, 1.4], scales=mlp.scales
    )
    found = {name: [layer[name] for layer in layers[1:]] for name in ("K", "Theta", *KINKED)}
    assert max(disagreement(known, found).values()) < TOLERANCE


@pytest.mark.parametrize("rule", ["internal:V", "internal:D", "internal:F", "symmetry", "cubic:omega"])
def test_a_broken_rule_shows(rule):
    mlp, known = finite("relu", 3, 3)
    found = steps(mlp, known, ["A", "Theta1", "F"], RuleSet().without(rule))
    assert max(disagreement(known, found).values()) > 1e-3


@pytest.mark.parametrize("name", ["R", "S", "T", "U"])
def test_what_a_kink_makes_infinite_is_refused_by_name(name):
    eye, tensors = np.eye(2), dict.fromkeys(FIRST_ORDER, np.zeros((2,) * 4))
    with pytest.raises(ValueError, match=f"recursion = '{name}' is refused: .* of relu, which its kink makes infinite"):
        recursion(name).compile()(eye, eye, tensors, "relu")
    with pytest.raises(ValueError, match="recursion = 'R' is refused"):
        propagate(eye, eye, 2, "relu")


def test_the_closed_forms_keep_the_order_of_their_factors():
    root = np.random.default_rng(4).normal(size=(3, 4))
    kernel, engine = root @ root.T / 4, ActivationExpectations(nf.activation("relu"))
    plain, turned, pair, pair_turned = engine(kernel, [(0, 0, 1, 1), (1, 0, 0, 1), (0, 2), (2, 0)])
    np.testing.assert_array_equal(turned, np.einsum("abcd->cabd", plain))
    np.testing.assert_array_equal(pair_turned, pair.T)
    # <relu'' relu> is the density of one input at zero times the mean of the other there
    variance = np.diag(kernel)
    given = variance[None, :] - kernel**2 / variance[:, None]
    exact = np.sqrt(np.maximum(given, 0) / variance[:, None]) / (2 * np.pi)
    np.testing.assert_allclose(pair_turned, exact, atol=1e-12)
