"""Corrections of order 1/n from draws of channels, against those from quadratures over four inputs."""

import numpy as np
import pytest

import ntkfield as nf
from ntkfield.gaussian.drawn import Draws
from ntkfield.gaussian.tower import Tower
from ntkfield.groups.finite import cyclic

RNG = np.random.default_rng(4)
SCALES = {"weight_variance": 1.5, "bias_variance": 0.3, "weight_rate": 1.3, "bias_rate": 0.7}
# A mean over 16 scrambles lies 5 of its standard errors off in 2 of 10,000 entries (Student's t, 15 degrees).
OFF = 5.0
TYPES = ("0000", "0011", "1111", "0112", "1113", "1122")


def test_moments_of_four_factors():
    sigma, root = nf.activation("tanh"), RNG.normal(size=(4, 4))
    k, families = root @ root.T, np.array([[0, 2], [1, 3]])
    exact = sigma.four_point_families(k, TYPES, 48, families)
    drawn = [
        list(Draws(2**10, seed).four_point_families(Tower(sigma.derivative), k, TYPES, families)) for seed in range(16)
    ]
    for family, known in enumerate(exact):
        for type_ in TYPES:
            found = np.array([one[family][type_] for one in drawn])
            error = found.std(axis=0, ddof=1) / 4
            assert (abs(found.mean(axis=0) - known[type_]) < OFF * error + 1e-7).all()  # a quadrature's error
            assert np.median(error) < 0.02 * abs(known[type_]).max()


CASES = {
    "gelu": (nf.MLP(3, "gelu", **SCALES), RNG.normal(size=(4, 3)), RNG.normal(size=(2, 3))),
    "a group": (nf.GroupCNN(cyclic(2), 2, "erf", **SCALES), RNG.normal(size=(2, 2, 1)), RNG.normal(size=(1, 2, 1))),
}


@pytest.mark.parametrize("case", CASES)
def test_predictions_agree_with_quadratures(case):
    network, x, queries = CASES[case]
    y, options = RNG.normal(size=(len(x), 2)), {"t": [0.4, 3.0], "width": 200, "covariance": True, "ntk": True}
    exact = nf.predict(network, x, y, queries, rtol=1e-3, **options)
    drawn = nf.predict(network, x, y, queries, draws=2**13, **options)
    for name in ("mean", "variance", "covariance", "ntk"):
        np.testing.assert_allclose(drawn[f"{name}_0"], exact[f"{name}_0"], rtol=1e-9, atol=1e-12)
        error, size = drawn[f"{name}_1_error"].values, abs(exact[f"{name}_1"]).values.max()
        assert (abs(drawn[f"{name}_1"] - exact[f"{name}_1"]).values < OFF * error + 1e-3 * size).all(), name
        assert error.max() < 0.11 * size  # a missing term shows
    np.testing.assert_allclose(drawn["mean"], drawn["mean_0"] + drawn["mean_1"] / 200, rtol=1e-12)
    assert (drawn.attrs["draws"], drawn.attrs["seed"]) == (2**13, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"draws": 100}, "draws = 100 is refused: expected a power of two, 32 or above"),
        ({"draws": 64, "seed": -1}, "seed = -1 is refused"),
        ({"draws": 64, "width": None}, "draws = 64 is refused: expected a width beside it"),
    ],
)
def test_refusals(change, message):
    network, x, queries = CASES["gelu"]
    with pytest.raises(ValueError, match=message):
        nf.predict(network, x, x[:, 0], queries, **{"width": 64} | change)
