"""Mean-field networks: known numbers, grids against scrambles, what is exact, what is refused."""

import jax.numpy as jnp
import numpy as np
import pytest

import ntkfield as nf
from ntkfield.dynamics import normals
from ntkfield.dynamics.ensembles import Task, train
from ntkfield.dynamics.field import Field, Problem
from ntkfield.dynamics.finite_networks import empirical_ntk, finite_network
from ntkfield.dynamics.normals import plain

X, Q = np.array([[-1.3], [-0.5], [0.4], [1.2]]), np.array([[0.8]])
Y, TIMES = np.sin(1.5 * X[:, 0]), np.array([0.5, 1.0, 2.0, 4.0])
TANH = nf.MLP(depth=2, activation="tanh", weight_variance=1.2, bias_variance=0.3)
ERF = nf.MLP(depth=2, activation="erf", weight_variance=1.2, bias_variance=0.3)  # whose kernels are closed forms
DEEP = nf.MLP(depth=3, activation="tanh", weight_variance=1.2, bias_variance=0.3)
PLANE, TARGETS = np.array([[1.0, 0.3], [-0.4, 0.9], [0.2, -1.1]]), np.array([1.0, -0.5])
UPPER = np.triu_indices(3)
# By another program, on a finer grid: f(0.8), Theta(0.8, 0.8), Theta(-1.3, 1.2); checked on trained networks there.
KNOWN = {
    0.1: [
        [0.6127124, 0.7577570, 0.8045175, 0.8151145],
        [1.366734, 1.366030, 1.365415, 1.364609],
        [-0.614637, -0.612170, -0.611420, -0.611282],
    ],
    0.5: [
        [0.6119755, 0.7650940, 0.8199949, 0.8319102],
        [1.353228, 1.345672, 1.333749, 1.315571],
        [-0.539838, -0.520681, -0.514559, -0.512047],
    ],
    1.0: [
        [0.6154433, 0.7807283, 0.8401191, 0.8498985],
        [1.35790, 1.36025, 1.34333, 1.31411],
        [-0.49588, -0.50330, -0.50671, -0.50508],
    ],
    2.0: [[0.6389, 0.8097, 0.8557, 0.8623], [1.442, 1.480, 1.503, 1.527], [-0.580, -0.633, -0.645, -0.646]],
}
# At richness 0.1 Gauss and Hermite's rule of 100 x 100 x 16 nodes, too, finds the first kernel 6e-7 to 1.2e-6 larger.
DIGITS = {0.1: (5e-8, 1.4e-6), 0.5: (7e-8, 1e-6), 1.0: (4e-7, 2e-5), 2.0: (1e-4, 2e-3)}  # last ones, and their rule's


def compared(richness: float, rtol: float) -> None:
    found = nf.mean_field(TANH, X, Y, richness, TIMES, Q, rtol=rtol)
    f, ntk = found["output"], found["ntk"]
    for value, error, known, digits in (
        (f[:, 4], found["output_error"][:, 4], KNOWN[richness][0], DIGITS[richness][0]),
        (ntk[:, 4, 4], found["ntk_error"][:, 4, 4], KNOWN[richness][1], DIGITS[richness][1]),
        (ntk[:, 0, 3], found["ntk_error"][:, 0, 3], KNOWN[richness][2], DIGITS[richness][1]),
    ):
        assert (abs(value.values - known) <= error.values + digits).all()
        assert error.max() <= rtol * 2
    assert found.attrs["rule"] == "grid"
    assert found.attrs["converged"]


@pytest.mark.parametrize("richness", [0.1, 0.5, 1.0])
def test_known_numbers_of_one_hidden_layer(richness):
    compared(richness, 3e-4)


# At richness 2 the finest grid leaves 1.3e-3, that of the known numbers 1.7e-3; a grid's share of rtol is half.
@pytest.mark.exhaustive
@pytest.mark.parametrize(("richness", "rtol"), [(0.1, 3e-6), (0.5, 3e-6), (1.0, 1e-5), (2.0, 4e-3)])
def test_known_numbers_of_one_hidden_layer_to_more_digits(richness, rtol):
    compared(richness, rtol)


@pytest.mark.slow
def test_known_numbers_of_two_hidden_layers():
    """By another program with 2^16 sites and 4 scrambles, and its errors; trained networks agree with it there."""
    known = {
        0.5: ([0.97350, -0.47718, 0.56062], [-0.0717, -0.18090, 0.0671, 0.1420, -0.09616, 0.3415]),
        1.0: ([0.98713, -0.49217, 0.62843], [-0.1122, -0.43011, 0.1848, 0.3281, -0.26467, 1.1103]),
        2.0: ([0.99467, -0.49948, 0.72410], [-0.1124, -0.7660, 0.3797, 0.7388, -0.58658, 2.9663]),
    }
    off = {
        0.5: ([5e-5, 3e-5, 8e-5], [9e-4, 8e-5, 2e-4, 1.2e-3, 7e-5, 3e-4]),
        1.0: ([2e-5, 1e-5, 1e-4], [5e-4, 1.1e-4, 3e-4, 1e-3, 1.4e-4, 4e-4]),
        2.0: ([1e-5, 1e-5, 1.4e-4], [4e-4, 2e-4, 4e-4, 7e-4, 2.3e-4, 1.5e-3]),
    }
    start = np.asarray(DEEP.kernel(PLANE).ntk)
    scores = []
    for richness, (f, change) in known.items():
        found = nf.mean_field(DEEP, PLANE[:2], TARGETS, richness, [4.0], PLANE[2:], sites=2**11)
        moved = (found["ntk"].values[0] - start)[UPPER]
        scores.append((found["output"].values[0] - f) / np.hypot(found["output_error"].values[0], off[richness][0]))
        scores.append((moved - change) / np.hypot(found["ntk_error"].values[0][UPPER], off[richness][1]))
        assert found["output_error"].max() < 5e-3
        assert found["ntk_error"].max() < 0.01 * found["ntk"].max()
    # Errors from four scrambles are known to 40 %: 27 numbers of Student's t with 3 degrees of freedom.
    assert max(abs(np.concatenate(scores))) < 9.0
    assert np.median(abs(np.concatenate(scores))) < 1.5


def test_no_richness_is_gradient_flow():
    both = np.concatenate([X, Q])
    found, gram = nf.mean_field(ERF, X, Y, 0, [0.0, 2.0, np.inf], Q, rate=0.7), np.asarray(ERF.kernel(both).ntk)
    np.testing.assert_array_equal(found["output"], nf.gradient_flow(gram[:4, :4], gram[:, :4], Y, found["time"], 0.7))
    np.testing.assert_array_equal(found["ntk"], np.broadcast_to(gram, (3, 5, 5)))
    little = nf.mean_field(ERF, X, Y, 1e-3, [2.0], Q, rate=0.7, rtol=1e-3)
    for name in ("output", "ntk", "feature_kernel", "gradient_kernel"):  # which begin to differ by 1e-6
        exact = found[name].sel(time=2.0).values
        error = little[f"{name}_error"].sel(time=2.0).values
        assert (abs(little[name].sel(time=2.0).values - exact) <= error + 2e-6).all(), name


@pytest.mark.parametrize("activation", ["erf", "relu"])
def test_kernels_at_the_start_are_those_of_the_network(activation):
    """Means over sites at t = 0 against closed forms, layer by layer, three hidden layers; at inputs of which other
    tests have compiled the kernels."""
    network = nf.MLP(4, activation, 1.3, 0.2, weight_rate=0.9, bias_rate=0.4)
    lazy = nf.mean_field(network, X, Y, 0, [0.0], Q)
    found = nf.mean_field(network, X, Y, 0.7, [0.0], Q, sites=2**13, seed=3)
    np.testing.assert_allclose(found["output"], 0.0, atol=1e-13)  # readouts in pairs
    for name in ("ntk", "feature_kernel", "gradient_kernel"):
        off = abs(found[name] - lazy[name]) / np.maximum(found[f"{name}_error"], 1e-12)
        assert np.median(off) < 2.0, name
        assert off.max() < 12.0, name  # Student's t with 3 degrees of freedom: one number in 800
        assert abs(found[name] - lazy[name]).max() < 0.02 * abs(lazy[name]).max(), name


def test_scrambles_agree_with_the_grid(monkeypatch):
    exact = nf.mean_field(TANH, X, Y, 1.0, [1.0, 4.0], Q, rtol=3e-4)
    monkeypatch.setattr("ntkfield.dynamics.mean_field.MOST_GRIDDED", 0)
    found = nf.mean_field(TANH, X, Y, 1.0, [4.0, 1.0], Q, sites=2**12, replicas=8)
    few, again = (nf.mean_field(TANH, X, Y, 1.0, [4.0, 1.0], Q, sites=2**8, replicas=8) for _ in range(2))
    assert few.identical(again)
    assert not few["output"].equals(found["output"])
    assert found.attrs["rule"] == "sobol"
    for name in ("output", "ntk", "feature_kernel", "gradient_kernel"):
        error = found[f"{name}_error"] + exact[f"{name}_error"]  # aligned by time, whatever its order
        assert (abs(found[name] - exact[name]) < 6 * error).all(), name  # Student's t, 7 degrees: one in 1800
        assert error.max() < 0.02 * abs(exact[name]).max()


@pytest.mark.slow
@pytest.mark.parametrize("members", [200, pytest.param(2000, marks=pytest.mark.exhaustive)])
def test_plain_draws_have_the_law_of_networks_of_that_width(members):
    """Means and spreads of width 16, after training, against trained networks: every direction of 16 is revealed.

    Steps are the same for both, and by a rule that what a matrix is written in does not change: they need not be small.
    """
    width, richness, times, step = 16, 1.0, np.array([0.0, 2.0]), 0.25
    network = finite_network(DEEP, width, (2,))

    def observe(parameters, queries):
        return network.apply(parameters, queries)[:, 0], empirical_ntk(network.apply, parameters, queries)

    task = Task(*map(jnp.asarray, (PLANE[:2], TARGETS[:, None], np.ones(2), PLANE)))
    outputs, ntks = train(
        network, task, times, step, 1, range(4 * members), at_once=200, observe=observe, richness=richness
    )
    trained = np.concatenate([outputs / network.scale(richness), ntks[..., *UPPER]], axis=-1)
    problem, parts = Problem(DEEP, PLANE, TARGETS, richness, 1e-9), []
    for seed in np.random.SeedSequence(5).spawn(members):
        rule = plain(2, width, seed)
        found = Field(problem, rule, bias=np.random.default_rng(seed)).course(times, step, "")
        parts.append(np.concatenate([found["output"], found["ntk"][..., *UPPER]], axis=-1))
    sampled = np.stack(parts)
    for power in (1, 2):
        a, b = ((part - (power > 1) * part.mean(axis=0)) ** power for part in (trained, sampled))
        error = np.hypot(a.std(axis=0) / len(a) ** 0.5, b.std(axis=0) / len(b) ** 0.5)
        score = abs(a.mean(axis=0) - b.mean(axis=0)) / error
        assert score.max() < 4.0, power  # 36 numbers in all, many of them dependent: once in 400 draws
        assert np.median(score) < 1.5


def test_the_start_alone_needs_no_steps_and_no_finer_grid():
    found = nf.mean_field(TANH, X, Y, 1.0, [0.0], Q)
    assert found.attrs["converged"]
    assert found.attrs["nodes_per_axis"] <= 32
    np.testing.assert_allclose(found["output"], 0.0, atol=1e-13)


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_steps_too_large_are_halved(monkeypatch):
    """From steps at which the course overflows, of a linear network: cubic in its parameters."""
    network = nf.MLP(2, "identity", 1.2, 0.3)
    usual = nf.mean_field(network, X, Y, 1.0, [8.0], rtol=1e-2)
    monkeypatch.setattr("ntkfield.dynamics.mean_field.FIRST_STEP", 40.0)
    found = nf.mean_field(network, X, Y, 1.0, [8.0], rtol=1e-2)
    assert usual.attrs["converged"]
    assert found.attrs["converged"]
    np.testing.assert_allclose(found["output"], usual["output"], atol=2e-2)  # twice rtol


def test_no_room_for_directions_is_refused(monkeypatch):
    for module in ("normals", "revealed", "mean_field"):
        monkeypatch.setattr(f"ntkfield.dynamics.{module}.DIRECTIONS", 12)
    assert normals.DIRECTIONS == 12
    with pytest.raises(ValueError, match="number of directions that a hidden layer takes = 13 is refused"):
        nf.mean_field(DEEP, PLANE[:2], TARGETS, 1.0, [4.0], PLANE[2:], sites=2**8)


@pytest.mark.parametrize(
    ("network", "arguments", "message"),
    [
        (nf.MLP(1, "tanh"), {}, "depth = 1 is refused"),
        (nf.MLP(3, "tanh", weights="orthogonal"), {}, "weights = 'orthogonal' is refused: expected gaussian"),
        (nf.GroupCNN("c4", 1, "tanh", filter_shape=(3, 3)), {}, "an nf.MLP"),
        (TANH, {"y": np.ones((4, 1))}, r"y of shape = \(4, 1\) is refused"),
        (TANH, {"y": np.ones(3)}, r"y of shape = \(3,\) is refused"),
        (TANH, {"t": [1.0, np.inf]}, "expected finite times"),
        (TANH, {"t": [1.0, -2.0]}, "t = -2.0 is refused"),
        (TANH, {"richness": -1.0}, "richness = -1.0 is refused"),
        (TANH, {"richness": np.nan}, "richness = nan is refused"),
        (TANH, {"sites": 1000}, "sites = 1000 is refused: expected a power of two"),
        (TANH, {"replicas": 3}, "replicas = 3 is refused"),
        (TANH, {"queries": [[1.0, 2.0]]}, "queries of shape"),
        (TANH, {"rtol": 0}, "rtol = 0 is refused"),
    ],
)
def test_what_is_refused(network, arguments, message):
    with pytest.raises(ValueError, match=message):
        nf.mean_field(network, **({"x": X, "y": Y, "richness": 1.0, "t": 1.0} | arguments))


@pytest.mark.exhaustive
@pytest.mark.parametrize("depth", [2, 3])
def test_trained_networks_converge(depth):
    """Networks of widths 64 to 512 in the same scaling, pairs of opposite readouts, taken to 1/n = 0 by a parabola."""
    network, widths, members = (TANH, DEEP)[depth - 2], (64, 128, 256, 512), {2: 4096, 3: 256}[depth]
    x, y, queries = ((X, Y, Q), (PLANE[:2], TARGETS, PLANE[2:]))[depth - 2]
    richness, times, inputs = 1.0, [0.0, 0.5, 1.0, 2.0, 4.0], np.concatenate([x, queries])
    limit = nf.mean_field(network, x, y, richness, times, queries, rtol=1e-4 if depth == 2 else 1e-3)
    upper = np.triu_indices(len(inputs))
    task = Task(*map(jnp.asarray, (x, y[:, None], np.ones(len(x)), inputs)))
    values, errors = [], []
    for n in widths:  # a network of twice the width spreads by 1 / sqrt(2)
        count, finite = members * 64 // n, finite_network(network, n, (inputs.shape[1],))

        def observe(parameters, queries, finite=finite):
            return finite.apply(parameters, queries)[:, 0], empirical_ntk(finite.apply, parameters, queries)

        parts = []
        for sign in (1, -1):
            # Targets of both signs instead of readouts: f(y; -readout) = -f(-y; readout).
            signed = task._replace(y=sign * task.y)
            outputs, ntks = train(
                finite, signed, times, 0.1, n, range(count), at_once=2048 // n, observe=observe, richness=richness
            )
            moved = (ntks - ntks[:, :1])[:, 1:, *upper]
            parts.append(np.concatenate([sign * outputs[:, 1:] / finite.scale(richness), moved], axis=-1))
        pairs = 0.5 * (parts[0] + parts[1])
        values.append(pairs.mean(axis=0))
        errors.append(pairs.std(axis=0, ddof=1) / count**0.5)
    fit = np.linalg.pinv(np.vander(1 / np.array(widths), 3, increasing=True))[0]
    found, error = np.tensordot(fit, np.array(values), 1), np.sqrt(np.tensordot(fit**2, np.array(errors) ** 2, 1))
    ntk, start = limit["ntk"].values, limit["ntk"].values[0]
    known = np.concatenate([limit["output"].values[1:], (ntk[1:] - start)[:, *upper]], axis=-1)
    off = np.concatenate([limit["output_error"].values[1:], limit["ntk_error"].values[1:][:, *upper]], axis=-1)
    score = abs(found - known) / np.hypot(error, off)
    assert score.max() < 4.0  # some 70 numbers, many of them dependent: once in 100 draws
    assert np.sqrt(np.mean(score**2)) < 1.6
    moved = slice(len(inputs), None)
    assert (error[:, moved] < 0.1 * abs(known[:, moved]).max()).all()  # the kernel's change is resolved
