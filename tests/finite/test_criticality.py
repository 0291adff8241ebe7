"""Critical initialisations against the published ones and against the kernels of deep networks."""

import numpy as np
import pytest

import ntkfield as nf
from ntkfield.finite import susceptibilities


@pytest.mark.parametrize(
    ("activation", "weight_variance", "bias_variance", "variance"),
    [
        ("relu", 2, 0, None),
        ({"name": "leaky_relu", "slope": 0.1}, 2 / 1.01, 0, None),
        ("identity", 1, 0, None),
        ("tanh", 1, 0, 0),
        ("sin", 1, 0, 0),
        ("erf", np.pi / 4, 0, 0),
        ("gelu", 1.98305826, 0.17292239, (3 + np.sqrt(17)) / 2),
        ("swish", 1.98800468, 0.55514317, 14.32017362),
    ],
)
def test_published_values(activation, weight_variance, bias_variance, variance):
    found = nf.critical_initialization(activation)
    # Eight decimals are printed in Roberts, Yaida and Hanin (2022), section 5.3.
    assert found.weight_variance == pytest.approx(weight_variance, abs=5e-9)
    assert found.bias_variance == pytest.approx(bias_variance, abs=5e-9)
    assert found.variance == (variance if not variance else pytest.approx(variance, abs=5e-9))
    assert found.chi_parallel == pytest.approx(1, abs=1e-12)
    assert found.chi_perp == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("activation", ["softplus", "cos", {"name": "polynomial", "coefficients": [0, 0, 1]}])
def test_without_criticality_is_refused(activation):
    with pytest.raises(ValueError, match="critical initialisation"):
        nf.critical_initialization(activation)


def test_susceptibilities_are_derivatives_of_the_layer_map():
    cw, q, step = 1.7, 0.8, 1e-5
    network = nf.MLP(2, "tanh", cw)

    def layer(x):
        return np.asarray(network.kernel(x).nngp)

    root = np.sqrt(q / cw)
    up, down = (layer([[np.sqrt(root**2 + s / cw)]])[0, 0] for s in (step, -step))
    found = susceptibilities("tanh", cw, q)
    # Central differences of step 1e-5: 1e-10 by truncation, 1e-11 by rounding.
    assert found.parallel == pytest.approx((up - down) / (2 * step), rel=1e-8)
    angle = 1e-4
    k = layer(np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]]) * root * np.sqrt(2))
    assert found.perp == pytest.approx((k[0, 0] - k[0, 1]) / (q * (1 - np.cos(angle))), rel=1e-6)
    with pytest.raises(ValueError, match="variance"):
        susceptibilities("tanh", cw, -1.0)
