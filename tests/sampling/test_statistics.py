"""Sampled statistics: both samplers against each other, and against the first-order system."""

import dataclasses

import numpy as np
import pytest
from drawn_networks import draws, p_values

import ntkfield as nf
from ntkfield.activations import activation
from ntkfield.networks import Scales
from ntkfield.sampling import merge, products, weights
from ntkfield.sampling.draws import Setting

INPUTS = np.array([[0.9, -0.6], [-0.2, 1.1]])
NETWORKS = {
    "tanh": nf.MLP(3, "tanh", 1.6, 0.1, weight_rate=1.3, bias_rate=0.7),
    "gelu": nf.MLP(3, "gelu", 2.0, 0.0, weight_rate=1.0, bias_rate=0.0),
}


@pytest.mark.parametrize(
    ("name", "x", "widths"),
    [
        ("tanh", INPUTS, (4, 3, 5)),
        ("relu", np.array([[0.9, -0.6], [0.9, -0.6], [0.1, 0.3]]), (5, 4)),  # a repeated input
        ("gelu", np.random.default_rng(0).normal(size=(4, 2)), (2, 3, 2)),  # more inputs than channels
    ],
)
def test_products_and_weights_have_one_distribution(name, x, widths):
    a, b = draws(products, name, x, widths, 6000, 1), draws(weights, name, x, widths, 6000, 2)
    # 24 tests at fixed seeds: all above 1e-3 unless the distributions differ (once in 40 choices of seeds).
    assert {label: p for label, p in p_values(a, b).items() if p < 1e-3} == {}


def test_a_wrong_distribution_would_be_seen():
    a, b = draws(products, "tanh", INPUTS, (4, 4), 6000, 1), draws(weights, "tanh", INPUTS, (6, 6), 6000, 2)
    assert p_values(a, b)["ntk"] < 1e-3


def extrapolated(network, names, widths, n_networks):
    """Values at 1/n = 0 of the parabola through three widths in ratio 1 : 2 : 4, and their standard errors.

    Batches of 64, so that the errors come from more than 30 estimates each.
    """
    samples = [
        nf.sample_statistics(network, INPUTS, n, count, 0, names, batch=64, progress=False).isel(layer=0)
        for n, count in zip(widths, n_networks, strict=True)
    ]
    coefficients = (1 / 3, -2, 8 / 3)
    for name in names:
        value = sum(c * s[name].values for c, s in zip(coefficients, samples, strict=True))
        squares = (c**2 * s[f"{name}_error"].values ** 2 for c, s in zip(coefficients, samples, strict=True))
        yield name, value, np.sqrt(sum(squares))


def agree(network, precision, widths, n_networks):
    theory = nf.finite_width(network, INPUTS, list(precision), rtol=1e-4).isel(layer=-1)
    for name, value, error in extrapolated(network, list(precision), widths, n_networks):
        expected = theory[name].values
        deviation = (value - expected) / (error + 1e-12)
        print(name, abs(deviation).max(), np.sqrt(np.mean(deviation**2)), np.median(error) / abs(expected).max())
        # Some 200 numbers in all the tests: one in four such sets has one beyond 3 errors, one in 80 beyond 4.
        assert np.all(abs(deviation) <= 4), (name, deviation)
        assert np.mean(deviation**2) <= 3**2 / 2, name
        assert np.median(error) <= precision[name] * abs(expected).max(), name  # or agreement would mean nothing


# What the parabola leaves is of relative order 1/(4 * 8 * 16) times a number of order ten: 2 %, below the errors.
@pytest.mark.exhaustive
@pytest.mark.parametrize("name", NETWORKS)
def test_covariances_of_kernels_agree_with_theory(name):
    agree(NETWORKS[name], dict.fromkeys("VDFAB", 0.15), (4, 8, 16), (50_000, 100_000, 200_000))


# Control variates keep the error of n (mean - limit) from growing with n: at these widths the parabola leaves 1e-3.
@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_mean_kernels_agree_with_theory(name):
    agree(NETWORKS[name], {"K1": 0.15, "Theta1": 0.5}, (16, 32, 64), (2_000, 4_000, 16_000))


@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_control_variates_have_mean_zero_and_take_the_leading_noise_away(name):
    setting, scales = Setting(activation(name), (3, 4, 3)), Scales(1.6, 0.1, 1.3, 0.7)
    x = np.array([[0.9, -0.6], [0.9, -0.6], [0.1, 0.3]])  # a repeated input

    def sample(setting, count):
        noise = np.random.default_rng(5).normal(size=(count, products.noise_size(setting, *x.shape)))
        found = products.draw(setting, scales, x, noise, True)
        diagonal = 0.5 * (found.ntk[:, 0, 0] + found.ntk[:, 1, 1])
        return (found.kernel, found.kernel_control), (diagonal, found.ntk_control)

    for _, control in sample(setting, 5_000):
        mean, error = control.mean(0), control.std(0) / len(control) ** 0.5
        assert np.all(error > 0)
        assert np.all(abs(mean) <= 4 * error)  # 9 numbers, at widths where any bias of order 1/n would show
    for value, control in sample(dataclasses.replace(setting, widths=(200, 200, 200)), 500):
        # what is left is of relative order 1 / sqrt(200), of numbers of order one: the variance falls by 200 / 10
        assert np.all((value - control).var(0) < value.var(0) / 20)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", NETWORKS)
def test_derivatives_of_the_ntk_agree_with_theory(name):
    agree(NETWORKS[name], dict.fromkeys("PQRSTU", 0.15), (4, 8, 16), (4_000, 8_000, 12_000))


def test_a_call_continues_where_another_stopped():
    network, names = NETWORKS["tanh"], ["K", "V", "F"]
    options = {"seed": 3, "batch": 8, "tensors": names, "progress": False}
    whole = nf.sample_statistics(network, INPUTS, 6, 256, **options)
    parts = [nf.sample_statistics(network, INPUTS, 6, 128, skip=skip, **options) for skip in (0, 128)]
    merged = merge(*parts)
    for name in whole:
        np.testing.assert_allclose(merged[name], whole[name], rtol=1e-12)
    assert merged.attrs["networks"] == 256
    np.testing.assert_array_equal(nf.sample_statistics(network, INPUTS, 6, 128, **options)["V"], parts[0]["V"])
    with pytest.raises(ValueError, match="skip"):
        merge(parts[0], parts[0])


def test_every_variable_says_whether_it_is_of_finite_or_infinite_width():
    network, names = nf.MLP(3, "relu"), ["K", "Theta", "K1", "Theta1", "V"]
    theory = nf.finite_width(network, INPUTS, names)
    options = {"seed": 0, "batch": 2, "tensors": names, "progress": False}
    sampled = nf.sample_statistics(network, INPUTS, 4, 32, **options)
    assert theory.attrs["title"] != sampled.attrs["title"]
    for name in names:
        for key in ("long_name", "description"):
            assert theory[name].attrs[key] != sampled[name].attrs[key]
        assert "width n" in sampled[name].attrs["long_name"]
        assert sampled[f"{name}_error"].attrs["long_name"] == f"standard error of {name}"
    merged = merge(sampled, nf.sample_statistics(network, INPUTS, 4, 32, skip=32, **options))
    assert {name: merged[name].attrs for name in merged} == {name: sampled[name].attrs for name in sampled}


def test_first_hidden_layer_has_no_correction():
    result = nf.sample_statistics(nf.MLP(2, "relu", 2.0), INPUTS, 10, 20_000, 0, ["K1", "Theta1"], progress=False)
    for name in ("K1", "Theta1"):
        # 8 numbers: 4 errors; where the control variates leave nothing to chance, rounding
        assert np.all(abs(result[name]) <= 4 * result[f"{name}_error"] + 1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 0}, "width"),
        ({"width": [4, 4, 4]}, "2 of them for depth 3"),
        ({"n_networks": 0}, "n_networks"),
        ({"seed": 0.5}, "seed"),
        ({"tensors": ["X"]}, "tensors"),
        ({"tensors": ["P"], "method": "products"}, "weights"),
        ({"method": "exact"}, "products, weights"),
        ({"inputs": [[np.inf, 0.0]]}, "finite"),
        ({"network": nf.MLP(1, "tanh")}, "hidden layer"),
        ({"network": nf.MLP(3, "relu"), "tensors": ["S"]}, "kink"),
        ({"batch": 8, "skip": 3}, "multiple of the batch"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(change, message):
    arguments = {"network": NETWORKS["tanh"], "inputs": INPUTS, "width": 4, "n_networks": 32, "seed": 0}
    with pytest.raises(ValueError, match="refused") as caught:
        nf.sample_statistics(**arguments | change)
    assert message in str(caught.value)
