"""The first-order system against known values, exact laws and symmetries."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import published
import pytest
from jax.nn import gelu as approximate_gelu

import ntkfield as nf
from ntkfield.activations import ClosedForm
from ntkfield.gaussian import closed_forms
from ntkfield.tensors import TENSORS

INPUTS = published.INPUTS_GELU


def paper(depth, activation="gelu", variance=published.WEIGHT_VARIANCE_GELU):
    return nf.MLP(depth, activation, variance, weight_rate=1.0, bias_rate=0.0)


@pytest.fixture(scope="module")
def gelu():
    return nf.finite_width(paper(4), INPUTS)


def test_known_values(gelu):
    for (name, index), printed in published.LAYER_4.items():
        found = float(gelu[name].sel(layer=4).values[index])
        assert found == pytest.approx(float(printed), abs=published.unit(printed)), (name, index)


def test_result_is_labelled_and_says_its_error(gelu):
    assert set(gelu) == set(TENSORS)
    assert gelu["K"].dims == ("layer", "a1", "a2")
    assert gelu["U"].dims == ("layer", "a1", "a2", "a3", "a4")
    assert (gelu["F"].attrs["subscripts"], gelu["U"].attrs["subscripts"]) == ("1324", "1423")
    assert gelu.attrs["converged"] is True
    assert all(0 < gelu[name].attrs["relative_error"] <= 1e-6 for name in TENSORS if name not in ("K", "Theta"))
    assert all(np.all(gelu[name].sel(layer=1) == 0) for name in TENSORS if name not in ("K", "Theta"))


def test_estimated_error_bounds_the_true_one(gelu):
    names = ["Theta1", "V", "A", "B"]
    finer = nf.finite_width(paper(4), INPUTS, names, rtol=1e-9)
    for name in names:
        difference = abs(finer[name] - gelu[name]).max() / abs(finer[name]).max()
        assert difference <= gelu[name].attrs["relative_error"]


def test_first_layers_are_the_infinite_width_kernels(gelu):
    for layer in (1, 4):
        kernel = paper(layer).kernel(INPUTS)
        np.testing.assert_allclose(gelu["K"].sel(layer=layer), kernel.nngp, rtol=1e-13)
        np.testing.assert_allclose(gelu["Theta"].sel(layer=layer), kernel.ntk, rtol=1e-13)


def test_symmetries_are_exact(gelu):
    for name, tensor in TENSORS.items():
        for permutation in tensor.symmetries:
            x = gelu[name].values
            moved = x.transpose(0, *(1 + p for p in permutation))
            # Rounding of a few hundred products; the quadrature itself keeps every symmetry.
            np.testing.assert_allclose(x, moved, atol=1e-13 * abs(x).max(), err_msg=name)


def test_covariances_are_positive(gelu):
    for layer in range(2, 5):
        v, d, a = (gelu[name].sel(layer=layer).values.reshape(16, 16) for name in "VDA")
        joint = np.block([[v, d], [d.T, a]])
        assert np.linalg.eigvalsh(joint).min() > -1e-9 * np.linalg.eigvalsh(joint).max()


def test_linear_networks_are_exact():
    depth, ratios = 5, np.array([0.5, 2.0, 1.5])
    result = nf.finite_width(paper(depth, "identity", 1.3), INPUTS, width_ratios=ratios)
    k, v, b = result["K"].values[0] / 1.3, result["V"].values, result["B"].values
    both = np.einsum("ac,bd->abcd", k, k) + np.einsum("ad,bc->abcd", k, k)
    total = 0.0
    for layer in range(2, depth + 1):
        # V / K^2 counts the hidden layers, each in units of the last width.
        total = 1 + total * (1.0 if layer == 2 else ratios[layer - 3])
        np.testing.assert_allclose(v[layer - 1], total * 1.3 ** (2 * layer) * both, rtol=1e-12)
    for name in ("K1", "Theta1", "P", "U"):
        assert abs(result[name].values).max() < 1e-13
    assert abs(b[1:]).min() > 0


@pytest.mark.parametrize("slope", [0.0, 0.1, 1.0])
def test_scale_invariant_laws(slope):
    critical = 2 / (1 + slope**2)
    network = nf.MLP(30, {"name": "leaky_relu", "slope": slope}, critical, 0.0, weight_rate=1.0)
    result = nf.finite_width(network, published.INPUTS_RELU, ["K", "Theta", "K1", "Theta1", "V"])
    layers = result["layer"].values
    norms = np.sum(published.INPUTS_RELU**2, axis=1)
    ratio = 3 * 0.5 * (1 + slope**4) / (0.5 * (1 + slope**2)) ** 2 - 1
    for a in range(4):
        k = result["K"].values[:, a, a]
        np.testing.assert_allclose(result["V"].values[:, a, a, a, a], ratio * (layers - 1) * k**2, rtol=1e-12)
        np.testing.assert_allclose(result["Theta"].values[:, a, a], norms[a] * layers / 2, rtol=1e-12)
        assert abs(result["K1"].values[:, a, a]).max() < 1e-12
        assert abs(result["Theta1"].values[:, a, a]).max() < 1e-12


@pytest.mark.parametrize(("activation", "bias"), [("relu", 0.0), ("relu", 0.1), ("gelu", 0.0)])
def test_degenerate_inputs(activation, bias):
    """Repeated, opposite and zero inputs, five in two dimensions, against the two of them that differ."""
    names = ["K1", "Theta1", "V", "D", "F", "A", "B"]
    x = np.array([[0.6, -1.3], [0.6, -1.3], [-0.6, 1.3], [0.0, 0.0], [0.4, 0.2]])
    network = nf.MLP(3, activation, 1.5, bias)
    result = nf.finite_width(network, x, names, rtol=1e-5)
    alone = nf.finite_width(network, x[[0, 4]], names)
    for name in names:
        found, expected = result[name].values, alone[name].values
        assert np.isfinite(found).all()
        size = abs(found).max(axis=tuple(range(1, found.ndim)), keepdims=True)
        for chosen in ([0, 4], [1, 4]):
            block = found[np.ix_(range(3), *[chosen] * (found.ndim - 1))]
            assert np.all(abs(block - expected) <= 1e-5 * size), name  # rtol
        mixed = np.take(found, 0, axis=1) - np.take(found, 1, axis=1)
        assert np.all(abs(mixed) <= 1e-5 * size[:, 0]), name


def test_relu_is_homogeneous():
    x = np.array([[0.6, -1.3], [1.2, -2.6], [0.4, 0.2]])
    result = nf.finite_width(nf.MLP(4, "relu", 1.5), x, ["V", "K1", "Theta1", "F"])
    for name in result:
        y = result[name].values
        # Parallel inputs are dependent to rounding, which leaves 1e-8 of the largest entry.
        last = (2,) * (y.ndim - 2)
        np.testing.assert_allclose(y[:, 1, *last], 2 * y[:, 0, *last], atol=1e-7 * abs(y).max(), err_msg=name)


def test_relu_is_the_limit_of_smooth_functions():
    names, inputs = ["K1", "Theta1", "V", "D", "F", "A", "B", "P", "Q"], published.INPUTS_RELU[:2]
    exact = nf.finite_width(nf.MLP(3, "relu", 1.7, 0.2), inputs, names).isel(layer=-1)

    def distance(width):
        # x Phi(x / width) tends to relu
        def narrow(x):
            return width * approximate_gelu(x / width, approximate=False)

        def pair(*q):
            return width**2 * closed_forms.gelu(*(x / width**2 for x in q))

        activation = ClosedForm("narrow gelu", narrow, pair)
        smooth = nf.finite_width(nf.MLP(3, activation, 1.7, 0.2), inputs, names, rtol=1e-2).isel(layer=-1)
        return {name: float(abs(smooth[name] - exact[name]).max() / abs(exact[name]).max()) for name in names}

    wide, narrow = distance(0.3), distance(0.15)
    for name in names:
        assert narrow[name] < 0.12, (name, wide, narrow)
        assert narrow[name] < 0.7 * wide[name], (name, wide, narrow)  # of first order in the width: one half


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": [[1.0, np.nan]]}, "inputs"),
        ({"inputs": [1.0, 2.0]}, "rank 2"),
        ({"rtol": 0}, "rtol"),
        ({"rtol": -1e-3}, "rtol"),
        ({"tensors": ["V", "X"]}, "tensors = 'X'"),
        ({"widths": [10, 10]}, "3 hidden widths"),
        ({"widths": [10, 0, 10]}, "widths"),
        ({"width_ratios": [1.0]}, "2 ratios"),
        ({"widths": [1, 1, 1], "width_ratios": [1.0, 1.0]}, "beside widths"),
        ({"network": nf.MLP(4, "relu"), "tensors": ["V", "S"]}, "kink"),
        ({"network": "gelu"}, "nf.MLP"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(change, message):
    with pytest.raises(ValueError, match="refused") as caught:
        nf.finite_width(**{"network": paper(4), "inputs": [[1.0, 2.0]]} | change)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unmet_tolerance_is_said():
    # Poles so near the real axis that the quadrature converges slowly.
    with pytest.warns(RuntimeWarning, match="rtol = 1e-12 is not met"):
        result = nf.finite_width(nf.MLP(2, lambda x: jnp.tanh(30 * x)), [[1.0, 0.5], [0.2, -0.7]], ["V"], rtol=1e-12)
    assert result.attrs["converged"] is False


@pytest.fixture(scope="module")
def compiled():
    """The seconds of every compilation since, one entry each."""
    seconds = []

    def listen(event, duration, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            seconds.append(duration)

    jax.monitoring.register_event_duration_secs_listener(listen)
    return seconds


def test_programs_depend_on_shapes_alone(compiled):
    """After one activation, another compiles its own functions only: never a quadrature, a layer or a slope."""
    x = [[1.0, 0.5], [0.2, -0.7]]

    def count(activation, *arguments):
        before = len(compiled)
        nf.finite_width(nf.MLP(3, activation), x, *arguments)
        return len(compiled) - before

    count("sin"), count({"name": "leaky_relu", "slope": 0.3})
    assert count("erf") <= 2  # its values, and its two-point function's derivatives
    assert count("erf", ["R", "B"], 1e-7) == 0
    assert count({"name": "leaky_relu", "slope": 0.4}, ["V", "P"]) == 0
    assert count({"name": "leaky_relu", "slope": 0.5}) == 0
    before = len(compiled)
    jnp.arange(17) + before
    assert len(compiled) > before  # the listener hears


def test_leaky_relu_of_slope_one_is_the_linear_network():
    x = [[1.0, 0.5], [0.2, -0.7]]
    found, linear = (nf.finite_width(nf.MLP(3, a), x) for a in ({"name": "leaky_relu", "slope": 1}, "identity"))
    assert set(found) == set(TENSORS)
    assert found.equals(linear)


def test_widths_are_ratios():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        a = nf.finite_width(nf.MLP(4, "relu"), [[1.0, 0.5]], ["A"], widths=[10, 20, 5])
        b = nf.finite_width(nf.MLP(4, "relu"), [[1.0, 0.5]], ["A"], width_ratios=[2.0, 0.25])
    np.testing.assert_array_equal(a["A"], b["A"])
