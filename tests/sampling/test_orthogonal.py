"""Networks of orthogonal weights: both samplers against each other, exact laws, and the first-order system."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_networks import draws, p_values

import ntkfield as nf
from ntkfield.networks.haar import semi_orthogonal
from ntkfield.sampling import products, weights

X = np.array([[1.0, 0.5, -0.3], [0.2, -0.8, 1.1]])
TANH = {"activation": "tanh", "weight_variance": 1.5, "bias_variance": 0.2, "weight_rate": 1.3, "bias_rate": 0.7}
GELU = {"activation": "gelu", "weight_variance": 1.8, "bias_variance": 0.1, "weight_rate": 1.0, "bias_rate": 0.5}
RELU = {"activation": "relu", "weight_variance": 2.0}
ALL = frozenset(range(1, 5))


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (1, 6)])
def test_matrices_are_haar(shape):
    draws = np.asarray(semi_orthogonal(jnp.asarray(np.random.default_rng(0).normal(size=(20_000, *shape)))))
    few, many = sorted(shape)
    rows = draws if shape[0] == few else draws.transpose(0, 2, 1)
    products_ = np.einsum("nij,nkj->nik", rows, rows)
    np.testing.assert_allclose(products_, np.broadcast_to(many * np.eye(few), products_.shape), atol=1e-12)
    squares = (draws**2).reshape(len(draws), -1)
    assert abs(squares.mean() - 1) < 1e-12  # an entry keeps its variance
    # First entries after a turn of rows and of columns: as before, four standard errors. Without its signs QR fails.
    for moment in (1, 3):
        value = draws[:, 0, 0] ** moment
        assert abs(value.mean()) < 4 * value.std() / len(value) ** 0.5


@pytest.mark.parametrize("draws", [semi_orthogonal, jax.vmap(jax.vmap(semi_orthogonal))])
def test_lapack_takes_one_matrix_at_a_time(draws):
    """Calls for many matrices, two at once on two threads, wait for each other's threads for ever."""
    program = jax.jit(draws).lower(jnp.zeros((3, 7, 5, 4))).compile().as_text()
    calls = re.findall(r"= \(?f64\[([\d,]+)\].*custom_call_target=\"lapack", program)
    assert calls == ["5,4", "5,4"]  # a factorisation, and the product of its reflections


@pytest.mark.parametrize(
    ("name", "x", "widths", "orthogonal"),
    [
        ("tanh", X, (4, 4, 4), {2, 3, 4}),  # square
        ("tanh", X, (3, 6, 4), {1, 2, 3, 4}),  # wider and narrower, with a square first layer
        ("relu", X[[0, 0, 1]], (5, 4, 5), {2, 3}),  # a repeated input, a Gaussian readout
        ("gelu", np.random.default_rng(0).normal(size=(4, 2)), (2, 3, 2), {1, 2, 3, 4}),  # more inputs than channels
    ],
)
def test_products_and_weights_have_one_distribution(name, x, widths, orthogonal):
    a, b = (draws(s, name, x, widths, 6000, k, orthogonal) for k, s in enumerate((products, weights), 1))
    # 32 tests at fixed seeds: all above 1e-3 unless the distributions differ (once in 30 choices of seeds).
    assert {label: p for label, p in p_values(a, b).items() if p < 1e-3} == {}
    gaussian = draws(products, name, x, widths, 6000, 1)
    assert min(p_values(gaussian, a).values()) < 1e-3  # or the test would pass a sampler that ignores what it is asked


def sampled(network, width, count, names, **options):
    return nf.sample_statistics(network, X, width, count, 0, names, batch=64, progress=False, **options).isel(layer=0)


@pytest.mark.parametrize("method", ["products", "weights"])
def test_exact_values_of_the_second_layer(method):
    """At any width, V, F and B are n / (n + 2) times their limits, and D and A known."""
    network = nf.MLP(2, weights="orthogonal", **TANH)
    theory = nf.finite_width(network, X, list("VFB")).isel(layer=-1)
    result = sampled(network, 8, 40_000 if method == "products" else 10_000, list("VDFAB"), method=method)
    exact = {name: np.broadcast_to(0.8 * theory[name].values, (2,) * 4) for name in "VFB"}
    for name, value in exact.items():
        # 48 numbers, fewer of them independent: one beyond 4 errors once in 300 choices of seeds
        assert np.all(abs(result[name] - value) <= 4 * result[f"{name}_error"]), name
    for name, value in (("D", -0.06066363), ("A", 0.00049686)):
        found, error = (float(result[key][0, 0, 0, 0]) for key in (name, f"{name}_error"))
        assert abs(found - value) <= 4 * error, name
    assert result["V_error"].max() < 0.02  # far from the limit, -0.4073 for -0.3258 at the first entry


def test_a_rotated_gaussian_vector_is_gaussian():
    result = sampled(nf.MLP(4, "identity", weights="orthogonal"), 6, 20_000, list("VFB"))
    for name in "VFB":  # where an orthogonal matrix leaves nothing to chance, rounding
        assert np.all(abs(result[name]) <= 4 * result[f"{name}_error"] + 1e-12), name


def agree(network, names, widths, counts, precision):
    """Extrapolated in 1/n by the parabola through three widths in ratio 1 : 2 : 4."""
    theory = nf.finite_width(network, X, names, rtol=1e-4).isel(layer=-1)
    found = [sampled(network, n, count, names) for n, count in zip(widths, counts, strict=True)]
    coefficients, pulls = (1 / 3, -2, 8 / 3), []
    for name in names:
        value = sum(c * s[name].values for c, s in zip(coefficients, found, strict=True))
        squares = (c**2 * s[f"{name}_error"].values ** 2 for c, s in zip(coefficients, found, strict=True))
        error, expected = np.sqrt(sum(squares)), theory[name].values
        pulls.append(((value - expected) / (error + 1e-12)).ravel())
        relative = np.median(error) / abs(expected).max()
        print(name, abs(pulls[-1]).max(), np.mean(pulls[-1] ** 2) ** 0.5, relative)
        assert relative < precision, name  # or agreement would mean nothing
    pulls = np.concatenate(pulls)
    # Some 50 numbers that differ: one in 15 such sets has one beyond 3.2 errors, one in 300 beyond 4.
    assert abs(pulls).max() < 4
    if len(pulls) > 16:  # the eight numbers of two kernels move together: their mean square says no more
        assert np.mean(pulls**2) < 2


NETWORKS = {
    "tanh": nf.MLP(4, weights="orthogonal", **TANH),
    "orthogonal first layer": nf.MLP(3, weights="orthogonal", first_weights="orthogonal", **TANH),
    "gaussian readout": nf.MLP(3, weights="orthogonal", readout_weights="gaussian", **TANH),
    "gelu": nf.MLP(3, weights="orthogonal", **GELU),
    "relu": nf.MLP(3, weights="orthogonal", **RELU),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", NETWORKS)
def test_covariances_agree_with_theory(name):
    agree(NETWORKS[name], list("VDFAB"), (8, 16, 32), (50_000, 100_000, 300_000), 0.15)


@pytest.mark.slow
def test_deep_covariances_agree_with_theory_where_the_parabola_is_coarse():
    agree(NETWORKS["tanh"], list("VDFAB"), (8, 16, 32), (10_000, 20_000, 40_000), 0.5)


@pytest.mark.exhaustive
@pytest.mark.parametrize("fields", [TANH, GELU], ids=["tanh", "gelu"])
def test_derivatives_of_the_ntk_agree_with_theory(fields):
    agree(nf.MLP(3, weights="orthogonal", **fields), list("PQRSTU"), (4, 8, 16), (4_000, 8_000, 12_000), 0.2)


# What the parabola leaves is of relative order 1/(8 * 16 * 32) times a number of order ten: below the errors.
@pytest.mark.exhaustive
@pytest.mark.parametrize("fields", [TANH, GELU, RELU], ids=["tanh", "gelu", "relu"])
def test_mean_kernels_agree_with_theory(fields):
    network = nf.MLP(3, weights="orthogonal", **fields)
    agree(network, ["K1", "Theta1"], (8, 16, 32), (64_000, 128_000, 400_000), 0.5)


@pytest.mark.exhaustive
def test_a_first_layer_narrower_than_the_inputs_agrees_with_exact_values():
    """Of 6 inputs' channels the first layer keeps 4 of a square's: with a linear second one V is known at any width."""
    x = np.random.default_rng(3).normal(size=(2, 6))
    network = nf.MLP(2, "identity", weights="orthogonal", first_weights="orthogonal")
    found = nf.sample_statistics(network, x, 4, 200_000, 0, ["V"], batch=64, progress=False).isel(layer=0)
    k = x @ x.T / 6
    # E[z z z z] of z = O z', z' four rows of a rotation of x: the Weingarten function of 6 in both pairings
    crossed = np.einsum("ac,bd->abcd", k, k) + np.einsum("ad,bc->abcd", k, k)
    straight = np.einsum("ab,cd->abcd", k, k)
    weingarten = 36 / (6 * 5 * 8)
    exact = 4 * (weingarten * (7 * straight - crossed) - straight)
    assert np.all(abs(found["V"] - exact) <= 4 * found["V_error"])
    assert found["V_error"].max() < 0.02 * abs(exact).max()


def test_a_width_too_small_for_two_orthogonal_rows_is_refused():
    with pytest.raises(ValueError, match="width = 1 is refused: expected a last width of 2 or above"):
        nf.sample_statistics(nf.MLP(2, "tanh", weights="orthogonal"), X, 1, 32, 0)
