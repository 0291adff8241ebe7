"""Orthogonal weights: known values, exact laws, and the limits of large depth."""

import numpy as np
import pytest

import ntkfield as nf
from ntkfield.tensors import TENSORS

X = np.array([[1.0, 0.5, -0.3], [0.2, -0.8, 1.1]])
TANH = {"activation": "tanh", "weight_variance": 1.5, "bias_variance": 0.2, "weight_rate": 1.3, "bias_rate": 0.7}
GELU = {"activation": "gelu", "weight_variance": 1.8, "bias_variance": 0.1, "weight_rate": 1.0, "bias_rate": 0.5}
ENTRIES = ["V_0000", "V_0101", "F_0000", "F_0011", "B_0000", "B_0011", "D_0101", "A_0101", "K1_01", "Theta1_00"]
# By two codes written apart from this one, with a quadrature error below 1e-10.
KNOWN = """
tanh 2 -0.40727217 -0.00192800 -0.29877241 +0.00697726 +0.45474414 +0.04048562 +0.30797855 +0.31344732 0 0
tanh 3 -0.39046551 -0.01969604 -0.50701972 -0.04245817 +1.48260735 +0.18107146 +0.30352815 +0.62372940 -0.03083416 +0.10522022
tanh 4 -0.37038579 -0.05949032 -0.67377370 -0.13346731 +2.98636607 +0.46504106 +0.22239565 +0.86219126 -0.04586871 +0.27511812
gelu 3 +2.90215734 +0.18849108 +1.77295913 +0.31772179 +2.23903337 +0.24666159 +0.69903700 +0.88001546 -0.20792350 +0.24691463
gelu 4 +3.10178682 +0.64942064 +2.55211891 +0.62386703 +4.24549793 +0.62446436 +1.30454191 +2.05823920 -0.29569967 +0.98922237
"""  # noqa: E501
DIFFERENTIALS = {
    (0, 0, 0, 0): (-1.28852673, -0.71265500, -14.96682355, +8.22517281, +1.81996610, +3.56122415),
    (0, 1, 1, 0): (-0.30014753, -0.26177175, -1.24457720, +0.50570914, -0.55495005, +0.08999867),
}


def orthogonal(depth, fields, **change):
    return nf.MLP(depth, **{"weights": "orthogonal"} | fields | change)


def entry(result, layer, label):
    name, _, index = label.partition("_")
    return float(result[name].sel(layer=layer).values[tuple(map(int, index))])


@pytest.fixture(scope="module")
def solved():
    names = sorted({label.partition("_")[0] for label in ENTRIES})
    both = {"tanh": TANH, "gelu": GELU}
    return {key: nf.finite_width(orthogonal(4, fields), X, names, rtol=1e-8) for key, fields in both.items()}


@pytest.mark.parametrize("line", KNOWN.strip().splitlines())
def test_known_values(solved, line):
    key, layer, *values = line.split()
    for label, value in zip(ENTRIES, values, strict=True):
        assert entry(solved[key], int(layer), label) == pytest.approx(float(value), abs=1e-7), label


@pytest.mark.parametrize(
    ("change", "options", "known"),
    [
        (
            {"readout_weights": "gaussian"},
            {},
            {"V_0000": +0.13248804, "F_0000": +0.42783735, "B_0000": +7.81281298, "A_0101": +0.86219126},
        ),
        ({"weights": "gaussian"}, {}, {"V_0000": +0.21452398, "F_0000": +0.55081607, "B_0000": +9.81391383}),
        (
            {"first_weights": "orthogonal"},
            {},
            {"V_0101": -0.10233783, "D_0101": +0.07926122, "A_0101": +0.37234066, "K1_01": -0.15421557}
            | {"Theta1_00": +0.04932841},
        ),
        (
            {},
            {"widths": [2, 4, 2]},
            {"V_0000": -0.34227046, "F_0000": -0.63764545, "B_0000": +2.77478554, "D_0101": +0.25316428}
            | {"A_0101": +0.92019658, "Theta1_00": +0.14845880},
        ),
    ],
)
def test_known_values_of_other_first_layers_readouts_and_widths(change, options, known):
    names = sorted({label.partition("_")[0] for label in known})
    result = nf.finite_width(orthogonal(4, TANH, **change), X, names, rtol=1e-8, **options)
    for label, value in known.items():
        assert entry(result, 4, label) == pytest.approx(value, abs=1e-7), label


def test_known_values_of_the_ntks_derivatives():
    result = nf.finite_width(orthogonal(3, TANH), X, list("PQRSTU"), rtol=1e-8).sel(layer=3)
    for index, values in DIFFERENTIALS.items():
        for name, value in zip("PQRSTU", values, strict=True):
            assert float(result[name].values[index]) == pytest.approx(value, abs=1e-7), (name, index)


ROUNDING = 3e-13  # of K^2 at every layer: a moment of four factors is a sum of thousands of terms


def crossed(k):
    return np.einsum("ac,bd->abcd", k, k) + np.einsum("ad,bc->abcd", k, k)


def test_a_rotated_gaussian_vector_is_gaussian():
    network = nf.MLP(6, "identity", weights="orthogonal")
    result = nf.finite_width(network, X)
    both = crossed(X @ X.T / 3)
    for layer in range(2, 7):
        here = result.sel(layer=layer)
        for name in "VFB":
            assert abs(here[name].values).max() < ROUNDING * layer**2 * both.max()  # B's terms are Theta's squares
        # What stays is the norm that the first layer drew.
        np.testing.assert_allclose(here["D"], (layer - 1) * both, rtol=0, atol=ROUNDING * layer * both.max())
        np.testing.assert_allclose(here["A"], (layer - 1) ** 2 * both, rtol=0, atol=ROUNDING * layer**2 * both.max())
    assert result.attrs["converged"] is True


def test_an_isometry_keeps_the_inputs_products():
    network = nf.MLP(6, "identity", weights="orthogonal", first_weights="orthogonal")
    result = nf.finite_width(network, X)
    both = crossed(X @ X.T / 3)
    for layer in range(1, 7):
        atol = ROUNDING * layer**3 * both.max()  # Theta, of the order of the layer, gathers rounding over the layers
        np.testing.assert_allclose(result["V"].sel(layer=layer), -both, rtol=0, atol=atol)
        for name in "DA":  # and so the NTK is deterministic
            np.testing.assert_allclose(result[name].sel(layer=layer), 0, atol=atol)


def test_a_first_layer_narrower_than_the_inputs_keeps_less_of_them():
    network = nf.MLP(2, "identity", weights="orthogonal", first_weights="orthogonal")
    v = [nf.finite_width(network, X, ["V"], widths=[n])["V"].sel(layer=2) for n in (1, 3, 8)]
    np.testing.assert_allclose(v[0], v[1] / 3, rtol=1e-12)  # n_1 / n_0
    np.testing.assert_array_equal(v[1], v[2])


def test_orthogonal_layers_that_are_not_there_change_nothing():
    for depth, fields in (
        (1, {"weights": "orthogonal"}),
        (2, {"weights": "orthogonal", "readout_weights": "gaussian"}),
    ):
        network, plain = nf.MLP(depth, "tanh", **fields), nf.MLP(depth, "tanh")
        assert network.orthogonal == frozenset()
        assert nf.finite_width(network, X).equals(nf.finite_width(plain, X))


@pytest.mark.parametrize("slope", [0.0, 0.1, 1.0])
def test_scale_invariant_laws(slope):
    critical = 2 / (1 + slope**2)
    activation = {"name": "leaky_relu", "slope": slope}
    network = nf.MLP(30, activation, critical, weight_rate=1.0, weights="orthogonal")
    result = nf.finite_width(network, X[:1], ["K", "Theta", "V", "B"])
    layers, k, theta = (result[name].values.squeeze() for name in ("layer", "K", "Theta"))
    ratio = 3 * 0.5 * (1 + slope**4) / (0.5 * (1 + slope**2)) ** 2
    expected = (ratio - 3) * (layers - 1) * k**2
    np.testing.assert_allclose(result["V"].values.squeeze(), expected, rtol=1e-12, atol=30 * ROUNDING * max(k) ** 2)
    b = np.concatenate([[0.0], (ratio / 3 - 1) * np.cumsum(theta[:-1] ** 2)])  # C_W <s's'> = 1 carries both
    np.testing.assert_allclose(result["B"].values.squeeze(), b, rtol=1e-11, atol=30 * ROUNDING * max(theta) ** 2)


def test_a_known_error_grows_where_orthogonal_weights_cancel():
    def error(slope, **fields):
        network = nf.MLP(3, {"name": "leaky_relu", "slope": slope}, 1.0, **fields)
        return nf.finite_width(network, X[:1], ["V", "A"], rtol=1.0)

    plain, near, far = error(0.9), error(0.9, weights="orthogonal"), error(0.0, weights="orthogonal")
    assert near["V"].attrs["relative_error"] > 10 * plain["V"].attrs["relative_error"]
    assert far["V"].attrs["relative_error"] < 3 * plain["V"].attrs["relative_error"]
    assert near["A"].attrs["relative_error"] == plain["A"].attrs["relative_error"]


DEEP = """
2 0.39429449 -1.372709 -0.319158 -0.031121 +0.170661 +0.009821 +0.000000 +0.000000
8 0.07448020 -1.809606 -0.545481 -0.028544 +0.152107 +0.005814 +0.960047 +0.439982
32 0.01659780 -1.933625 -0.635250 -0.006836 +0.056570 +0.001268 +1.561367 +0.900063
256 0.00197435 -1.990064 -0.664256 -0.000351 +0.007893 +0.000045 +1.904945 +1.232452
"""


@pytest.fixture(scope="module")
def deep():
    """One input of mean square 1 at criticality, as multiples of the tensors' scales."""
    network = nf.MLP(256, "tanh", bias_rate=0.0, weights="orthogonal")
    names = ["K", "Theta", "V", "F", "D", "B", "A", "K1", "Theta1"]
    result = nf.finite_width(network, np.ones((1, 1)), names, rtol=1e-5)
    assert result.attrs["converged"] is True
    k, theta, v, f, d, b, a, k1, theta1 = (result[name].values.reshape(256) for name in names)
    scales = (k, v / k**2, f / (k * theta), d / (k * theta), b / theta**2, a / theta**2, k1 / k, theta1 / theta)
    return dict(zip(("K", "V", "F", "D", "B", "A", "K1", "Theta1"), scales, strict=True))


@pytest.mark.parametrize("line", DEEP.strip().splitlines())
def test_known_values_of_deep_networks(deep, line):
    layer, *known = line.split()
    for (name, values), value in zip(deep.items(), known, strict=True):
        # Half a unit of the last digit printed, and the quadrature's rtol.
        unit = 10.0 ** -len(value.partition(".")[2])
        assert values[int(layer) - 1] == pytest.approx(float(value), abs=0.51 * unit + 1e-5 * abs(float(value))), name


def test_tensors_saturate_where_the_fixed_point_vanishes(deep):
    limits = {"V": -2.0, "F": -2 / 3, "D": 0.0, "B": 0.0, "A": 0.0, "K1": 2.0, "Theta1": 4 / 3}
    for name, limit in limits.items():
        # Halving 1 / depth brings each nearer, and what is left falls like 1 / depth but for logarithms.
        at = {depth: abs(deep[name][depth - 1] - limit) for depth in (64, 128, 256)}
        assert at[256] < at[128] < at[64], name
        assert at[256] < 0.11, name
    assert 256 * deep["B"][-1] == pytest.approx(2.0, rel=0.05)


def test_prediction_at_a_width_reads_the_same_tensors():
    """The initial variance holds K1, which orthogonal weights change; the course of training holds the others."""
    fields = {"weights": "orthogonal", "first_weights": "orthogonal"}
    plain, network = nf.MLP(3, "tanh", 1.5, 0.2), nf.MLP(3, "tanh", 1.5, 0.2, **fields)
    x, y, queries = X[:1], np.array([0.7]), X[1:]
    found = {n: nf.predict(n, x, y, queries, [0.0, 1.0], width=50.0) for n in (plain, network)}
    k1 = nf.finite_width(network, queries, ["K1"]).isel(layer=-1)["K1"].values[0, 0]
    assert float(found[network]["variance_1"][0, 0]) == pytest.approx(k1, rel=1e-4)
    np.testing.assert_array_equal(found[network]["mean_0"], found[plain]["mean_0"])
    assert abs(found[network]["mean_1"] - found[plain]["mean_1"])[1].max() > 1e-3


def test_every_tensor_of_the_table_keeps_its_symmetries():
    result = nf.finite_width(orthogonal(3, TANH, first_weights="orthogonal"), X)
    for name, tensor in TENSORS.items():
        x = result[name].values
        for permutation in tensor.symmetries:
            moved = x.transpose(0, *(1 + p for p in permutation))
            np.testing.assert_allclose(x, moved, atol=1e-13 * abs(x).max(), err_msg=name)
