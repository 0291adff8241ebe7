"""The lazy term of mean-field networks: known numbers, m1's and k1's own powers of the targets, what is refused."""

import itertools

import numpy as np
import pytest

import ntkfield as nf
from ntkfield.dynamics.field import Field, Problem
from ntkfield.dynamics.normals import grid

X, Q = np.array([[-1.3], [-0.5], [0.4], [1.2]]), np.array([[0.8]])
Y, TIMES = np.sin(1.5 * X[:, 0]), np.array([0.5, 1.0, 2.0, 4.0])
TANH = nf.MLP(depth=2, activation="tanh", weight_variance=1.2, bias_variance=0.3)
PLANE = np.array([[1.0, 0.3], [-0.4, 0.9], [0.2, -1.1]])  # the last is no training input


@pytest.fixture(scope="module", name="lazy")
def lazy_term():
    return nf.lazy_correction(TANH, X, Y, TIMES, Q, rtol=1e-6)


@pytest.mark.slow
def test_known_numbers_of_one_hidden_layer(lazy):
    """From the tensors by another program; they agree with particles to 7e-6 after extrapolation in the richness."""
    found = lazy
    assert found["ntk_2"].dims == ("time", "input", "other_input")
    known = {(4, 4): [-0.105201, -0.178518, -0.239737, -0.318175], (0, 3): [0.551656, 0.814553, 0.892698, 0.903309]}
    for (a, b), values in known.items():  # rtol, and six digits behind the point
        np.testing.assert_allclose(found["ntk_2"][:, a, b], values, atol=2e-6)
        np.testing.assert_allclose(found["ntk_2"][:, b, a], found["ntk_2"][:, a, b], atol=1e-14)
    np.testing.assert_allclose(found["output_2"][:, 4], [-0.0082618, 0.0378642, 0.0926534, 0.1038429], atol=3e-7)
    assert (found["ntk_2_error"] < 1e-6).all()
    assert (found["output_2_error"] < 2e-7).all()


@pytest.mark.slow
def test_it_is_that_of_particles(lazy):
    """Romberg's extrapolation in the squared richness of particles, on one grid.

    Beside steps of 1/40, nodes of 64 and one more rung it is off by 5e-6, of which 4e-6 are those of the steps.
    """
    lazy = lazy.isel(time=slice(2))
    points = {"output": [], "ntk": []}
    rungs, nodes, step, times = [0.1, 0.05, 0.025], 56, 1 / 30, TIMES[:2]
    inputs = np.concatenate([X, Q])
    gram = np.asarray(TANH.kernel(inputs).ntk)
    start = {"output": nf.gradient_flow(gram[:4, :4], gram[:, :4], Y, times), "ntk": np.stack([gram] * 2)}
    limit = Field(Problem(TANH, inputs, Y, 1e-4, 1e-4), grid(3, nodes)).course(times, step, "")
    for richness in rungs:
        found = Field(Problem(TANH, inputs, Y, richness, 1e-4), grid(3, nodes)).course(times, step, "")
        for name, some in points.items():
            some.append((found[name] - limit[name]) / (richness**2 - 1e-8))
    for name, table in points.items():
        while len(table) > 1:
            power = 4 ** (len(rungs) - len(table) + 1)
            table = [(power * fine - coarse) / (power - 1) for coarse, fine in itertools.pairwise(table)]
        np.testing.assert_allclose(table[0], lazy[f"{name}_2"], atol=1e-5)
        np.testing.assert_allclose(limit[name], start[name], atol=5e-7)  # the grid's and the steps' own errors


def test_known_numbers_of_two_hidden_layers():
    network = nf.MLP(depth=3, activation="tanh", weight_variance=1.2, bias_variance=0.3)
    found = nf.lazy_correction(network, PLANE[:2], [1.0, -0.5], 4.0, PLANE[2:], rtol=1e-6)["ntk_2"].values[0]
    known = [-0.603291, -1.035142, 0.326301, 0.979911, -0.491582, 1.520891]
    np.testing.assert_allclose(found[np.triu_indices(3)], known, atol=2e-6)  # rtol times the largest


def test_they_are_the_highest_powers_of_the_targets_in_order_1_over_n():
    """m1 is odd and cubic in the targets, k1 even and quadratic: two scales of the targets separate the powers."""
    quadratic = {"name": "polynomial", "coefficients": [0.1, 1.0, 0.2]}  # whose moments are exact
    network = nf.MLP(depth=3, activation=quadratic, weight_variance=0.9, bias_variance=0.3)
    x, y, times = PLANE[:2], np.array([1.0, -0.7]), [0.7, 3.0, np.inf]
    lazy = nf.lazy_correction(network, x, y, times, PLANE[2:], rate=0.8)
    one, two = (
        nf.predict(network, x, c * y, PLANE, times, width=1e6, rate=0.8, ntk=True, covariance=True) for c in (1, 2)
    )
    cubic = (two["mean_1"] - 2 * one["mean_1"]).values / 6
    square = (two["ntk_1"] - one["ntk_1"]).values / 3
    for name, powers, all_ in (("output_2", cubic, two["mean_1"]), ("ntk_2", square, two["ntk_1"])):
        # rounding, of powers that are small beside all of m1 and k1
        np.testing.assert_allclose(lazy[name], powers, atol=1e-11 * float(abs(all_).max()))
        assert abs(lazy[name]).max() > 1e-2


def test_the_output_is_the_kernels_work():
    """f2' = Theta2 Delta - Theta f2, integrated here by Simpson's rule on the coefficients at many times."""
    times = np.linspace(0.0, 2.0, 401)
    found = nf.lazy_correction(TANH, X, Y, times, Q)
    gram = np.asarray(TANH.kernel(np.concatenate([X, Q])).ntk)
    delta = Y - np.asarray(nf.gradient_flow(gram[:4, :4], gram[:4, :4], Y, times))
    slope = np.einsum("tab,tb->ta", found["ntk_2"].values[:, :, :4], delta)
    slope = slope - np.einsum("ab,tb->ta", gram[:, :4], found["output_2"].values[:, :4])
    weights = np.ones(401)
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    whole = np.einsum("t,ta->a", weights, slope) * (times[1] / 3)
    np.testing.assert_allclose(found["output_2"].values[-1], whole, atol=1e-8)  # Simpson: (5e-3)^4 times slopes


def test_outputs_share_the_kernel_and_none_is_alone():
    two = nf.lazy_correction(TANH, X, np.stack([Y, 0 * Y], axis=1), [1.0])
    one = nf.lazy_correction(TANH, X, Y, [1.0])
    assert two["ntk_2"].dims == ("time", "input", "other_input", "output", "other_output")
    np.testing.assert_allclose(two["output_2"][..., 0], one["output_2"], atol=1e-13)
    np.testing.assert_allclose(two["ntk_2"][..., 0, 0], one["ntk_2"], atol=1e-13)
    assert abs(two["ntk_2"][..., 1, 1]).max() > 1e-2  # the other output's features are learned with it


@pytest.mark.parametrize(
    ("network", "arguments", "message"),
    [
        (nf.MLP(2, "relu"), {}, "activation = 'relu' is refused: expected a smooth function"),
        (nf.MLP(1, "tanh"), {}, "depth = 1 is refused"),
        (nf.GroupCNN("c4", 1, "tanh", filter_shape=(3, 3)), {}, "an nf.MLP"),
        (TANH, {"queries": [[1.0, 2.0]]}, "queries of shape"),
        (TANH, {"rtol": 0}, "rtol = 0 is refused"),
    ],
)
def test_what_is_refused(network, arguments, message):
    with pytest.raises(ValueError, match=message):
        nf.lazy_correction(network, X, Y, 1.0, **arguments)
