"""What networks of finite width predict: against the limit, an exact solution, trained ensembles; what is refused."""

import jax.numpy as jnp
import numpy as np
import pytest

import ntkfield as nf
from ntkfield.dynamics.ensembles import Task, train
from ntkfield.dynamics.finite_networks import empirical_ntk, finite_network

RNG = np.random.default_rng(4)
X, QUERIES = np.array([[1, 0.2], [-0.4, 1.1], [0.3, -0.9]]), np.array([[0.8, 0.7], [-0.9, 0.1]])
Y = np.array([1.0, -0.7, 0.4])
TIMES = np.array([0.0, 0.7, 3.0, np.inf])
ERF = nf.MLP(depth=3, activation="erf", weight_variance=1.5, bias_variance=0.3)


@pytest.fixture(scope="module")
def found():
    return nf.predict(ERF, X, Y, QUERIES, TIMES, width=200, rate=0.8, errors=True, covariance=True, ntk=True)


def test_the_limit_is_that_of_infinite_width(found):
    limit = nf.predict(ERF, X, Y, QUERIES, TIMES, rate=0.8, covariance=True)
    for name in ("mean", "variance", "covariance"):
        np.testing.assert_allclose(found[f"{name}_0"], limit[name], atol=1e-14)
        np.testing.assert_allclose(found[name], found[f"{name}_0"] + found[f"{name}_1"] / 200, atol=1e-14)
    np.testing.assert_allclose(found["ntk"].values, found["ntk_0"].values + found["ntk_1"].values / 200, atol=1e-14)
    np.testing.assert_array_equal(found["ntk_0"], ERF.kernel(QUERIES).ntk)
    assert found["mean_1"].dims == ("time", "query")
    assert found["ntk_1"].dims == ("time", "query", "other_query")
    assert found["ntk_0"].dims == ("query", "other_query")


def test_errors_cover_what_finer_rules_find(found):
    finer = nf.predict(ERF, X, Y, QUERIES, TIMES, width=200, rate=0.8, covariance=True, ntk=True, rtol=1e-6)
    for name in ("mean", "variance", "covariance", "ntk"):
        off = abs(found[f"{name}_1"] - finer[f"{name}_1"])
        size = abs(finer[f"{name}_1"]).max()  # which the finer ones know to 1e-6
        assert (off <= found[f"{name}_1_error"] + 1e-6 * size).all()
        assert found[f"{name}_1_error"].max() < 1e-4 * size


def test_queries_alone_are_as_together(found):
    alone = nf.predict(ERF, X, Y, QUERIES, TIMES, width=200, rate=0.8)
    for name in ("mean_1", "variance_1"):  # from other families: other sets' quadratures, each to rtol
        np.testing.assert_allclose(alone[name], found[name], atol=1e-4)


def test_several_outputs_are_each_their_own_up_to_the_width():
    two = nf.predict(ERF, X, np.stack([Y, 0 * Y], axis=1), QUERIES, [0.7], width=200)
    one = nf.predict(ERF, X, Y, QUERIES, [0.7], width=200)
    np.testing.assert_allclose(two["mean_0"][..., 0], one["mean_0"], atol=1e-13)
    assert not two["mean_1"][..., 1].any()  # an output with no target has none to learn
    assert abs(two["mean_1"][..., 0] - one["mean_1"]).max() > 1e-3  # but another output moves the NTK
    assert two["variance"].dims == ("time", "query", "output")


def test_unequal_widths(found):
    narrow = nf.predict(ERF, X, Y, QUERIES, TIMES, width=200, rate=0.8, width_ratios=[4.0])
    assert (abs(narrow["mean_1"] - found["mean_1"]) > 1e-3).any()  # a narrower layer before adds its own fluctuations


def test_a_linear_network_of_depth_two_by_its_own_equations():
    """Output w.U x / sqrt(n d): M = (n + 1 variables) closed equations whose mean at order 1/n is integrated here.

    With a = U^T w / sqrt(n), S = U^T U / n and q = w.w / n the flow is a' = -(q 1 + S) g, S' = -(a g^T + g a^T) / n,
    q' = -2 a.g / n, g the gradient by a. Their initial values are sampled, which is the only random part.
    """
    network = nf.MLP(depth=2, activation="identity")
    x, y, queries, n, count = X[:2] * 1.3, np.array([0.9, -0.5]), QUERIES, 64, 40_000
    d, t, steps = x.shape[1], 1.0, 60
    rng = np.random.default_rng(0)
    u, w = rng.normal(size=(count, n, d)), rng.normal(size=(count, n))
    a, s, q = np.einsum("cnd,cn->cd", u, w) / n**0.5, np.einsum("cnd,cne->cde", u, u) / n, np.mean(w**2, axis=1)

    def flow(a, s, q):
        g = (a @ x.T / d**0.5 - y) @ x / d**0.5
        da = -(q[:, None] * g + np.einsum("cde,ce->cd", s, g))
        outer = np.einsum("cd,ce->cde", a, g)
        return da, -(outer + np.swapaxes(outer, 1, 2)) / n, -2 * np.sum(a * g, axis=1) / n

    start, mirrored = (a, s, q), (-a, s, q)

    def trained(state):
        for _ in range(steps):
            k1 = flow(*state)
            k2 = flow(*(z + 0.5 * t / steps * k for z, k in zip(state, k1, strict=True)))
            k3 = flow(*(z + 0.5 * t / steps * k for z, k in zip(state, k2, strict=True)))
            k4 = flow(*(z + t / steps * k for z, k in zip(state, k3, strict=True)))
            state = tuple(
                z + t / steps / 6 * (p + 2 * r + 2 * v + k) for z, p, r, v, k in zip(state, k1, k2, k3, k4, strict=True)
            )
        return state[0] @ queries.T / d**0.5

    pairs = 0.5 * (trained(start) + trained(mirrored))  # of opposite readouts: what is linear in them cancels
    found = nf.predict(network, x, y, queries, [t], width=n)
    mean, error = pairs.mean(axis=0), pairs.std(axis=0) / count**0.5
    assert (abs(found["mean_1"][0]) / n > 5 * error).all()  # resolved
    # The next order, 1/n^2, is some (correction / limit)^2 of the limit.
    beyond = (found["mean_1"][0] / n) ** 2 / abs(found["mean_0"][0])
    assert (abs(mean - found["mean"][0]) < 3 * error + 3 * beyond).all()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "network",
    [
        nf.MLP(depth=2, activation="tanh", weight_variance=1.5, bias_variance=0.3),
        nf.MLP(depth=3, activation="gelu", weight_variance=2.0, bias_variance=0.1, weight_rate=1.3, bias_rate=0.7),
    ],
    ids=["tanh, depth 2", "gelu, depth 3"],
)
def test_trained_networks(network):
    """n (mean - m0), n (variance - c0) and n (NTK - Theta) of trained networks at four widths, taken to 1/n = 0."""
    times, inputs, members, widths = [0.5, 2.0], np.concatenate([X, QUERIES]), 2**14, (16, 32, 64, 128)
    exact = nf.predict(network, X, Y, inputs, times, width=10_000, covariance=True, ntk=True)
    gram = np.asarray(network.kernel(inputs).ntk)
    task = Task(*map(jnp.asarray, (X, Y[:, None], np.ones(3), inputs)))
    # 1 - A_t: how the infinitely wide network carries its start.
    answers = (nf.gradient_flow(gram[:3, :3], gram[:, :3], np.eye(3), t) for t in times)
    response = np.stack([np.eye(5) - np.pad(answer, ((0, 0), (0, 2))) for answer in answers])
    step = 0.5 / np.linalg.eigvalsh(gram[:3, :3])[-1]
    estimates = {"mean": [], "variance": [], "ntk": []}
    for n in widths:
        finite = finite_network(network, n, (2,))

        def observe(parameters, queries, finite=finite):
            ntk = empirical_ntk(finite.apply, parameters, queries)
            return {"output": finite.apply(parameters, queries)[:, 0], "ntk": jnp.diagonal(ntk)}

        found = train(finite, task, [0.0, *times], step, seed=n, members=range(members), observe=observe)
        start, trained = found["output"][:, 0], found["output"][:, 1:]
        # The infinitely wide network from the same start has mean m0 and takes most of the spread away.
        lazy = np.einsum("tab,cb->cta", response, start)
        off = trained - exact["mean_0"].values
        samples = {
            "mean": off - lazy,
            "variance": off**2 - lazy**2,
            "ntk": found["ntk"][:, 1:] - np.diagonal(gram),
        }
        for name, values in samples.items():
            estimates[name].append((n * values.mean(axis=0), n * values.std(axis=0) / members**0.5))
    variance = exact["variance_1"].values
    # The lazy network's variance is not c0 but that of the true covariance at the start, K + K1/n.
    k1 = nf.finite_width(network, inputs, ["K1"])["K1"].values[-1]
    expected = {
        "mean": exact["mean_1"].values,
        "variance": variance - np.einsum("tab,bc,tac->ta", response, k1, response),
        "ntk": np.diagonal(exact["ntk_1"].values, axis1=1, axis2=2),
    }
    fit = np.linalg.pinv(np.vander(1 / np.array(widths), 3, increasing=True))[0]
    for name, parts in estimates.items():
        values, errors = (np.array([part[k] for part in parts]) for k in (0, 1))
        first, error = np.tensordot(fit, values, 1), np.sqrt(np.tensordot(fit**2, errors**2, 1))
        assert (abs(first - expected[name]) < 3.5 * error).all(), name  # ten numbers: once in 200 draws


def test_large_corrections_are_warned_of():
    near = np.array([[1.0, 0.2], [1.0, 0.21], [-0.5, 0.4]])  # two inputs almost one: a small eigenvalue
    with pytest.warns(RuntimeWarning, match=r"_ratio = .* the correction of order 1/n is not small"):
        nf.predict(ERF, near, Y, QUERIES, [1000.0], width=8, rtol=0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": nf.MLP(3, "relu")}, "activation = 'relu' is refused: expected a smooth function beside a width"),
        ({"x": X[[0, 0, 1]]}, "smallest eigenvalue of the NTK between inputs in x = .* or a finite t"),
        ({"queries": np.ones((2, 3))}, r"queries of shape = \(2, 3\) is refused: expected inputs shaped as those in x"),
        ({"width_ratios": [0.0]}, "width_ratios = 0.0 is refused: expected a finite number above 0"),
        ({"width": 0}, "width = 0 is refused"),
        ({"diag_reg": 1e-3}, "diag_reg = 0.001 is refused: expected 0 beside a width"),
        ({"kernel": "nngp"}, "kernel = 'nngp' is refused: expected ntk beside a width"),
        ({"width": None, "ntk": True}, "ntk = True is refused: expected a width beside it"),
        ({"width_ratios": [1.0, 2.0]}, "width_ratios = .* is refused: expected 1 ratios for depth 3"),
        ({"rtol": -1.0}, "rtol = -1.0 is refused"),
    ],
)
def test_refusals(change, message):
    options = {"network": ERF, "x": X, "y": Y, "queries": QUERIES, "t": np.inf, "width": 64} | change
    with pytest.raises(ValueError, match=message):
        nf.predict(**options)


def test_too_many_training_inputs():
    with pytest.raises(ValueError, match="number of training inputs = 49 is refused: expected at most 48"):
        nf.predict(ERF, RNG.normal(size=(49, 2)), np.zeros(49), QUERIES, 1.0, width=64)
