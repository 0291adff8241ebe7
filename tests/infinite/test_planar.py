import itertools

import numpy as np
import pytest
from kernels import assert_equal, both

import ntkfield as nf
from ntkfield.groups import finite
from ntkfield.infinite import pairs

# Sums of float64 products of order one in another order: a few hundred roundings.
# relu at correlation one: the angle of an input with itself is known to the square root of rounding only.
RELU_WITH_ITSELF = 1e-7
SETTINGS = {"weight_variance": 1.3, "bias_variance": 0.4}
RNG = np.random.default_rng(3)
X1, X2 = RNG.normal(size=(2, 6, 6, 2)), RNG.normal(size=(1, 6, 6, 2))

EVERY = list(itertools.product(("c4", "d4"), ("SAME", "VALID", "CIRCULAR"), (1, 2, 3), ("relu", "erf")))
# One of each value against each value of the others; the rest is slow.
QUICK = [
    ("c4", "SAME", 1, "relu"),
    ("c4", "VALID", 2, "erf"),
    ("c4", "CIRCULAR", 3, "relu"),
    ("d4", "SAME", 2, "erf"),
    ("d4", "VALID", 3, "relu"),
    ("d4", "CIRCULAR", 1, "erf"),
]
CASES = [case if case in QUICK else pytest.param(*case, marks=pytest.mark.exhaustive) for case in EVERY]


def turned(x, group):
    copies = [np.rot90(x, k, (1, 2)) for k in range(1 if group == "c1" else 4)]
    return copies + [copy[:, ::-1] for copy in copies] if group == "d4" else copies


def plain(stax, depth, activation, filter_shape, padding, head=0):
    """The network in neural-tangents' own layers, with global average pooling."""
    sigma = {"relu": stax.Relu, "erf": stax.Erf}[activation]()
    scale = {"W_std": SETTINGS["weight_variance"] ** 0.5, "b_std": SETTINGS["bias_variance"] ** 0.5}
    convolutions = [stax.Conv(1, filter_shape, padding=padding, **scale), sigma] * depth
    dense = [stax.Dense(1, **scale), *[sigma, stax.Dense(1, **scale)] * head]
    return stax.serial(*convolutions, stax.GlobalAvgPool(), *dense)


@pytest.mark.parametrize(("group", "padding", "depth", "activation"), CASES)
def test_three_routes_agree(neural_tangents, group, padding, depth, activation):
    filter_shape = 2 if (padding, depth) == ("VALID", 3) else 3
    network = nf.GroupCNN(group, depth, activation, filter_shape=filter_shape, padding=padding, **SETTINGS)
    fast = network.kernel(X1, X2)
    kernel_fn = both(plain(neural_tangents.stax, depth, activation, (filter_shape,) * 2, padding))
    copies = [kernel_fn(X1, copy) for copy in turned(X2, group)]
    assert_equal(fast, nf.Kernels(*(np.mean(k, axis=0) for k in zip(*copies, strict=True))))
    assert_equal(both(network.to_stax(1))(X1, X2), fast)


@pytest.mark.parametrize("padding", ["SAME", "VALID", "CIRCULAR"])
def test_c1_is_the_plain_network_for_any_filter_and_image(neural_tangents, padding):
    x1, x2 = X1[:, :5], X2[:, :5]
    network = nf.GroupCNN("c1", 2, "erf", filter_shape=(2, 3), padding=padding, head=1, **SETTINGS)
    expected = both(plain(neural_tangents.stax, 2, "erf", (2, 3), padding, head=1))(x1, x2)
    assert_equal(network.kernel(x1, x2), expected)


def test_a_head_acts_on_the_means_over_the_group(neural_tangents):
    network = nf.GroupCNN("c4", 1, "erf", padding="VALID", head=2, **SETTINGS)
    assert_equal(network.kernel(X1, X2), both(network.to_stax(1))(X1, X2))
    between, gram = network.kernel(X1, X1), network.kernel(X1)
    assert_equal(gram, between)


def test_on_a_torus_it_is_the_network_of_the_finite_group_of_shifts_and_turns():
    """The full recursion over shifts and quarter turns as permutations of 16 pixels."""
    pixels = np.arange(16).reshape(4, 4)
    shifts = [np.roll(pixels, 1, axis).ravel() for axis in (0, 1)]
    group = finite.generated("p4", [*shifts, np.rot90(pixels).ravel()])
    assert group.order == 64
    centre, patch = 5, pixels[:3, :3].ravel()
    # An element reaches over itself followed by all that take the centre into the patch.
    local = np.flatnonzero(np.isin(group.permutations[:, centre], patch))
    # Quarter turns of the patch about its centre are in the group, so the patch is symmetric under them.
    full = nf.GroupCNN(group, 2, "relu", support=patch, group_support=local, **SETTINGS)
    x1, x2 = X1[:, :4, :4], X2[:, :4, :4]
    found = full.kernel(x1.reshape(2, 16, 2), x2.reshape(1, 16, 2))
    assert_equal(nf.GroupCNN("c4", 2, "relu", padding="CIRCULAR", **SETTINGS).kernel(x1, x2), found)


def test_the_kernel_is_invariant_symmetric_and_positive():
    network = nf.GroupCNN("d4", 1, "relu", padding="SAME", **SETTINGS)
    expected = network.kernel(X1, X2)
    assert_equal(network.kernel(np.rot90(X1, 1, (1, 2)), X2[:, ::-1]), expected)
    gram = network.kernel(np.concatenate([X1, X2]))
    for k in gram:
        assert np.array_equal(k, k.T)
        assert np.linalg.eigvalsh(k).min() > 0
    assert_equal(nf.Kernels(*(k[:2, 2:] for k in gram)), expected, RELU_WITH_ITSELF)


def test_chunks_of_pairs_change_nothing(monkeypatch):
    network = nf.GroupCNN("c4", 1, "erf", **SETTINGS)
    expected = network.kernel(X1, X2)
    monkeypatch.setattr(pairs, "at_once", lambda numbers: 3)
    assert_equal(network.kernel(X1, X2), expected)


def test_blank_images_are_no_trouble():
    network = nf.GroupCNN("c4", 2, "relu", padding="VALID")
    kernels = network.kernel(np.concatenate([np.zeros((1, 6, 6, 2)), X1]))
    assert all(np.isfinite(k).all() for k in kernels)
    assert (kernels.ntk[0] == 0).all()


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"group": "c4", "filter_shape": 2}, "odd number"),
        ({"group": "d4", "filter_shape": 4, "padding": "CIRCULAR"}, "odd number"),
        ({"group": "c4", "filter_shape": (1, 3)}, "square filter"),
        ({"group": "c4", "padding": "same"}, "SAME, VALID, CIRCULAR"),
        ({"group": "c4", "filter_shape": "local"}, "or global"),
        ({"group": "c4", "filter_shape": (1, 2, 3)}, "one or two"),
        ({"group": "c4", "filter_shape": 0}, "1 or above"),
        ({"group": "c4", "filter_shape": "global", "padding": "SAME"}, "no padding"),
        ({"group": "c4", "bandlimit": 3}, "no bandlimit for group c4"),
        ({"group": "c4", "sampling": "dh"}, "no sampling for group c4"),
        ({"group": "c4", "support": (1,)}, "no support for group c4"),
        ({"group": "c4", "head": -1}, "0 or above"),
        ({"group": "c8"}, "c1, c4, d4, so3"),
        ({"group": finite.cyclic(3), "padding": "SAME"}, "no padding"),
        ({"group": finite.cyclic(3), "support": [3]}, "0 to 2"),
        ({"group": finite.cyclic(3), "group_support": []}, "at least one"),
    ],
)
def test_bad_networks_are_refused(fields, complaint):
    with pytest.raises(ValueError, match=complaint):
        nf.GroupCNN(**{"depth": 1, "activation": "relu"} | fields)


@pytest.mark.parametrize(
    ("network", "x1", "x2", "complaint"),
    [
        (nf.GroupCNN("c4", 1, "relu"), X1[:, :5], None, "square images"),
        (nf.GroupCNN("c1", 3, "relu", padding="VALID"), X1, None, "7 x 7"),
        (nf.GroupCNN("c1", 1, "relu"), X1, X2[:, :5], "shaped as x1"),
        (nf.GroupCNN("c1", 1, "relu"), X1[0], None, "rank 4"),
        (nf.GroupCNN(finite.cyclic(4), 1, "relu"), X1[:, 0], None, "4 points"),
    ],
)
def test_bad_inputs_are_refused(network, x1, x2, complaint):
    with pytest.raises(ValueError, match=complaint):
        network.kernel(x1, x2)
