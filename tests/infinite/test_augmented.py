import numpy as np
import pytest
from kernels import assert_equal

import ntkfield as nf
from ntkfield.groups import finite
from ntkfield.signals.harmonics import Harmonics

# All routes are sums of products of float64 numbers of order one; they differ by rounding.
RNG = np.random.default_rng(7)
IMAGES1, IMAGES2 = RNG.normal(size=(2, 6, 6, 2)), RNG.normal(size=(3, 6, 6, 2))
SETTINGS = {"activation": "relu", "weight_variance": 1.4, "bias_variance": 0.3}


@pytest.mark.parametrize(("group", "padding"), [("c4", "SAME"), ("d4", "VALID"), ("c4", "CIRCULAR")])
def test_augmenting_the_plain_network_gives_the_equivariant_one(group, padding):
    plain, equivariant = (nf.GroupCNN(g, depth=2, padding=padding, **SETTINGS) for g in ("c1", group))
    assert_equal(nf.augmented_kernel(plain, group, IMAGES1, IMAGES2), equivariant.kernel(IMAGES1, IMAGES2))
    # relu at correlation one: the angle of an input with itself is known to 1e-7 only
    assert_equal(nf.augmented_kernel(plain, group, IMAGES1), equivariant.kernel(IMAGES1), tolerance=1e-7)


@pytest.mark.parametrize("group", ["c1", "c4", "d4"])
def test_augmenting_an_mlp_gives_the_network_with_global_filters(group):
    equivariant = nf.GroupCNN(group, depth=2, filter_shape="global", **SETTINGS)
    mlp = nf.MLP(3, **SETTINGS)
    found = equivariant.kernel(IMAGES1, IMAGES2)
    assert_equal(nf.augmented_kernel(mlp, group, IMAGES1, IMAGES2), found)
    turned = [np.rot90(IMAGES2, k, (1, 2)) for k in range(1 if group == "c1" else 4)]
    turned += [x[:, ::-1] for x in turned] if group == "d4" else []
    each = [mlp.kernel(IMAGES1.reshape(2, -1), x.reshape(3, -1)) for x in turned]
    assert_equal(found, nf.Kernels(*(np.mean(k, axis=0) for k in zip(*each, strict=True))))


def test_augmenting_an_mlp_on_the_sphere_gives_the_so3_network():
    half = RNG.normal(size=(2, 3, 3, 2)) + 1j * RNG.normal(size=(2, 3, 3, 2))
    half[:, :, 0] = half[:, :, 0].real
    half[:, np.triu_indices(3, 1)[0], np.triu_indices(3, 1)[1]] = 0
    signals = Harmonics.from_nonnegative_orders(half)
    network = nf.GroupCNN("so3", 2, "erf", bandlimit=3, quadrature=4)
    expected = network.kernel(signals)
    assert_equal(nf.augmented_kernel(nf.MLP(3, "erf"), "so3", signals, quadrature=4), expected)
    samples = signals.to_grid("dh")
    found = nf.augmented_kernel(nf.MLP(3, "erf"), "so3", samples, samples, sampling="dh", quadrature=4)
    # The quadrature over rotations is not symmetric in the two signals, so compare the same order of them.
    assert_equal(found, network.kernel(signals, signals))
    assert_equal(nf.augmented_kernel(network, "so3", signals), expected)


def test_one_weight_layer_sees_only_the_mean():
    x = RNG.normal(size=(3, 4, 1))
    found = nf.augmented_kernel(nf.MLP(1, "relu"), finite.symmetric(4), x)
    np.testing.assert_allclose(found.nngp, np.outer(x.mean((1, 2)), x.mean((1, 2))), rtol=1e-12)


def test_shifts_of_a_torus_leave_a_circular_network_alone_but_not_a_padded_one():
    pixels = np.arange(36).reshape(6, 6)
    shifts = finite.generated("shifts", [np.roll(pixels, 1, axis).ravel() for axis in (0, 1)])
    circular = nf.GroupCNN("c1", depth=1, padding="CIRCULAR", filter_shape=(2, 3), **SETTINGS)
    assert_equal(nf.augmented_kernel(circular, shifts, IMAGES1, IMAGES2), circular.kernel(IMAGES1, IMAGES2))
    with pytest.raises(ValueError, match="leaves the kernel alone"):
        nf.augmented_kernel(nf.GroupCNN("c1", depth=1, **SETTINGS), shifts, IMAGES1)


def test_a_group_may_be_written_in_capitals():
    network = nf.MLP(2, "relu")
    assert_equal(nf.augmented_kernel(network, "C4", IMAGES1), nf.augmented_kernel(network, "c4", IMAGES1))


@pytest.mark.parametrize(
    ("network", "group", "x", "complaint"),
    [
        (nf.GroupCNN("c1", 1, "relu", filter_shape=(1, 3)), "c4", IMAGES1, "leaves the kernel alone"),
        (nf.GroupCNN("c1", 1, "relu", filter_shape=2), "c4", IMAGES1, "leaves the kernel alone"),
        (nf.GroupCNN("c1", 1, "relu"), "c4", IMAGES1[:, :5], "square"),
        (nf.GroupCNN("c1", 1, "relu"), "so3", IMAGES1, "acts on the inputs"),
        (nf.GroupCNN("c1", 1, "relu"), finite.cyclic(4), IMAGES1, "36 points"),
        (nf.GroupCNN(finite.cyclic(4), 1, "relu", support=[0, 1]), finite.dihedral(4), IMAGES1[:, :4, 0], "leaves"),
        (nf.MLP(2, "relu"), "c4", IMAGES1[:, :, 0], "height, width"),
        (nf.MLP(2, "relu"), finite.cyclic(4), IMAGES1, "4 points"),
        (nf.MLP(2, "relu"), "c3", IMAGES1, "c1, c4, d4"),
    ],
)
def test_what_has_no_orbit_average_is_refused(network, group, x, complaint):
    with pytest.raises(ValueError, match=complaint):
        nf.augmented_kernel(network, group, x)
