"""Group networks of finite width during training: against the MLP, averages over copies, and the theorem on both."""

import numpy as np
import pytest

import ntkfield as nf
from ntkfield.dynamics.hierarchy import COVARIANCES, Hierarchy, Integrals, Modes
from ntkfield.dynamics.symmetry import KINDS, mean_series
from ntkfield.groups.finite import FiniteGroup, cyclic

RING = cyclic(2)  # every position of every input is one of a tensor's: few, and the time of the tests is seconds
X = np.array([[0.9, -0.4], [-0.5, 0.8]])[..., None] + np.array([0.0, 0.7])[:, None, None]
QUERIES = np.array([[0.2, 1.0], [1.0, 0.2]])[..., None]  # the second is the first, turned
Y, TIMES = np.array([1.0, -0.7]), np.array([0.0, 0.7, 3.0, np.inf])
SCALES = {"weight_variance": 1.5, "bias_variance": 0.3, "weight_rate": 1.3, "bias_rate": 0.7}
SQUARE = {"name": "polynomial", "coefficients": [0.1, 1.0, 0.3]}  # whose moments are exact: errors are rounding


def predicted(network, y=Y, queries=QUERIES, times=TIMES, **options):
    return nf.predict(network, X, y, queries, times, width=100, **options)


def test_the_trivial_group_is_an_mlp():
    one = FiniteGroup("one", [[0, 1]])
    found = predicted(nf.GroupCNN(one, 2, SQUARE, **SCALES), width_ratios=[2.0], covariance=True)
    plain = nf.predict(
        nf.MLP(3, SQUARE, **SCALES),
        X[..., 0],
        Y,
        QUERIES[..., 0],
        TIMES,
        width=100,
        width_ratios=[2.0],
        covariance=True,
    )
    for name in ("mean_0", "mean_1", "variance_1", "covariance_1"):
        np.testing.assert_allclose(found[name], plain[name], atol=1e-11 * abs(plain[name]).max())  # rounding


def test_training_a_group_network_is_training_the_mean_over_the_group():
    """With T = {e} a network of two convolutions is the MLP's output averaged over copies, whose tensors are means."""
    group, order = RING, RING.order
    network = nf.GroupCNN(group, 2, SQUARE, group_support=(0,), **SCALES)
    found = predicted(network, queries=QUERIES[:1], ntk=True)
    copies = group.orbit(np.concatenate([X, QUERIES[:1]])[..., 0]).reshape(-1, 2)
    plain = nf.finite_width(nf.MLP(3, SQUARE, **SCALES), copies, COVARIANCES).isel(layer=-1)
    tensors = {}
    for name in COVARIANCES:
        value = plain[name].values
        shape = (len(copies) // order, order) * value.ndim
        tensors[name] = value.reshape(shape).mean(axis=tuple(range(1, 2 * value.ndim, 2)))
    modes = Modes.of(tensors["Theta"][:2, :2], Y[:, None])
    trained = Hierarchy(tensors, modes, Integrals.at(TIMES, modes.rates))
    expected = {
        "mean": sum(trained.mean().values())[..., 0],
        "variance": trained.covariance()[:, 0, :, 0, 0],
        "ntk": trained.ntk()[..., 0, 0],
    }
    for name, value in expected.items():
        np.testing.assert_allclose(found[f"{name}_1"], value, atol=1e-10 * abs(value).max())


def test_the_means_of_equivariant_and_averaged_networks_differ_by_theta1_alone():
    inputs = np.concatenate([X, QUERIES[:1]])
    means, firsts = [], []
    for support in (None, (0,)):
        network = nf.GroupCNN(RING, 2, SQUARE, group_support=support, **SCALES)
        means.append(predicted(network, queries=QUERIES[:1])["mean_1"].values)
        tensors = nf.finite_width(network, inputs, ["Theta", "Theta1"]).isel(layer=-1)
        firsts.append(tensors["Theta1"].values)
    theta, delta = tensors["Theta"].values, firsts[0] - firsts[1]
    weights = np.linalg.solve(theta[:2, :2], Y)
    ended = (delta[2:, :2] - theta[2:, :2] @ np.linalg.solve(theta[:2, :2], delta[:2, :2])) @ weights
    size = abs(means[0][-1]).max()
    np.testing.assert_allclose((means[0] - means[1])[-1], ended, atol=1e-10 * size)
    assert abs(ended).max() > 0.02 * size  # of which there is something to see


def test_predictions_are_invariant_and_odd():
    network = nf.GroupCNN(RING, 1, SQUARE, **SCALES)
    found = predicted(network, covariance=True)
    for name in ("mean_1", "variance_1"):
        np.testing.assert_allclose(found[name][:, 0], found[name][:, 1], atol=1e-9 * abs(found[name]).max())
    opposite, nothing = predicted(network, -Y), predicted(network, 0 * Y)
    np.testing.assert_allclose(opposite["mean_1"], -found["mean_1"], atol=1e-12)
    assert not nothing["mean_1"].any()
    assert abs(nothing["variance_1"]).max() > 1e-3


def test_images():
    """C4 with filters that reach the whole image is C4 on its pixels as a finite group."""
    rng = np.random.default_rng(0)
    images, y = rng.normal(size=(1, 2, 2, 1)), np.array([0.4])
    planar = nf.GroupCNN("c4", 1, SQUARE, filter_shape="global", **SCALES)
    turns = FiniteGroup("turns", [[0, 1, 2, 3], [1, 3, 0, 2], [3, 2, 1, 0], [2, 0, 3, 1]])
    finite = nf.GroupCNN(turns, 1, SQUARE, **SCALES)
    found = nf.predict(planar, images, y, images[:1] + 0.3, [1.0], width=50)
    other = nf.predict(finite, images.reshape(1, 4, 1), y, images.reshape(1, 4, 1)[:1] + 0.3, [1.0], width=50)
    for name in ("mean", "variance"):
        np.testing.assert_allclose(found[name], other[name], atol=1e-10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": nf.GroupCNN("so3", 1, "tanh", bandlimit=2)}, "network = 'SphereCNN' is refused: expected an nf.M"),
        ({"network": nf.GroupCNN(RING, 1, "relu")}, "activation = 'relu' is refused: expected a smooth function"),
        ({"queries": np.ones((1, 4, 1))}, r"queries of shape = \(1, 4, 1\) is refused: .* as those in x, \(2, 1\)"),
        ({"x": np.stack([X[0], np.roll(X[0], 1)])}, "smallest eigenvalue of the NTK between inputs in x = .* apart"),
        ({"network": nf.GroupCNN(cyclic(48), 1, SQUARE), "x": np.ones((2, 48, 1)), "t": 1.0}, "queries of shape"),
    ],
)
def test_refusals(change, message):
    options = {"network": nf.GroupCNN(RING, 1, SQUARE), "x": X, "y": Y, "queries": QUERIES, "t": np.inf} | change
    with pytest.raises(ValueError, match=message):
        nf.predict(**options, width=64)


def test_too_many_positions():
    network, x = nf.GroupCNN(cyclic(48), 1, SQUARE), np.random.default_rng(0).normal(size=(3, 48, 1))
    with pytest.raises(ValueError, match="number of inputs times positions = '3 x 48' is refused: expected at most"):
        nf.predict(network, x[:2], Y, x, 1.0, width=64)


def test_three_ways_to_learn_by_symmetry():
    network = nf.GroupCNN(RING, 2, SQUARE, **SCALES)
    found = mean_series(network, X, Y, QUERIES, TIMES, rate=0.8)
    limit = nf.gradient_flow(network.kernel(X).ntk, network.kernel(QUERIES, X).ntk, Y, TIMES, rate=0.8)
    for kind in KINDS:  # one function at infinite width, which does not change under the group at any width
        np.testing.assert_allclose(found["mean_0"].sel(kind=kind), limit, atol=1e-12)
        np.testing.assert_allclose(
            found["mean_1"].sel(kind=kind)[:, 0], found["mean_1"].sel(kind=kind)[:, 1], atol=1e-9
        )
    one = nf.predict(network, X, Y, QUERIES, TIMES, rate=0.8, width=1000)
    np.testing.assert_allclose(found["mean_1"].sel(kind="equivariant"), one["mean_1"], atol=1e-12)
    assert abs(found["mean_1"] - one["mean_1"]).max(["time", "query"]).values[1:].min() > 0.01
    with pytest.raises(ValueError, match=r"network = .* is refused: expected an nf.GroupCNN of a finite group"):
        mean_series(nf.MLP(3, "erf"), X, Y, QUERIES, TIMES)
