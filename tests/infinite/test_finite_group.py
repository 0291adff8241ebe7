import numpy as np
import pytest
from kernels import assert_equal, both

import ntkfield as nf
from ntkfield.groups import finite
from ntkfield.infinite import finite_group

# Sums of float64 products of order one in another order.
SETTINGS = {"activation": "erf", "weight_variance": 1.3, "bias_variance": 0.4, "weight_rate": 0.7, "bias_rate": 0.2}
RNG = np.random.default_rng(5)
GROUPS = [finite.cyclic(6), finite.dihedral(6), finite.octahedral("faces"), finite.symmetric(3)]


def inputs(group):
    return RNG.normal(size=(2, group.points, 2)), RNG.normal(size=(3, group.points, 2))


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_the_orbit_identity_is_the_full_recursion(group):
    x1, x2 = inputs(group)
    network = nf.GroupCNN(group, 2, **SETTINGS)
    fast = network.kernel(x1, x2)
    i, j = (index.ravel() for index in np.indices((2, 3)))
    full = finite_group.pair_kernels(network, x1, x2, i, j)
    assert_equal(fast, nf.Kernels(*(k.reshape(2, 3) for k in full)))
    # Filters on the group may be local: their means are over one and the same number.
    local = nf.GroupCNN(group, 2, group_support=[0, 1], **SETTINGS)
    assert_equal(local.kernel(x1, x2), fast)
    full = finite_group.pair_kernels(local, x1, x2, i, j)
    assert_equal(fast, nf.Kernels(*(k.reshape(2, 3) for k in full)))


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_the_kernel_is_invariant(group):
    x1, x2 = inputs(group)
    for fields in ({}, {"support": [0, 1], "group_support": [0, 1]}):
        network = nf.GroupCNN(group, 2, head=1, **fields, **SETTINGS)
        turned = group.orbit(x2)[:, group.order - 1]
        assert_equal(network.kernel(x1, turned), network.kernel(x1, x2))


def test_local_filters_by_hand():
    """One convolution after the lifting, written out as sums over elements."""
    group, support, steps = finite.dihedral(4), [0, 1], [0, 3, 5]
    x = RNG.normal(size=(2, 4, 1))
    act, (cw, cb) = nf.activation("erf"), (1.3, 0.4)
    order, product, move = group.order, group.products, group.permutations
    k = np.zeros((2, 2, order, order))
    for g, h in np.ndindex(order, order):
        terms = [np.outer(x[:, move[g, s], 0], x[:, move[h, s], 0]) for s in support]
        k[:, :, g, h] = cb + cw * np.mean(terms, axis=0)
    theta = k.copy()
    for layer in range(2):
        if layer:
            sums = (
                np.mean([m[:, :, product[:, s]][:, :, :, product[:, s]] for s in steps], axis=0) for m in (k, theta)
            )
            k, theta = sums
            k = cb + cw * k
            theta = k + cw * theta
        own = np.einsum("aagg->ag", k)
        covariances = own[:, None, :, None], k, own[None, :, None, :]
        theta = theta * np.asarray(act.two_point_derivative(*covariances))
        k = np.asarray(act.two_point(*covariances))
    nngp = cb + cw * k.mean((2, 3))
    expected = nf.Kernels(nngp, nngp + cw * theta.mean((2, 3)))
    network = nf.GroupCNN(group, 2, "erf", weight_variance=cw, bias_variance=cb, support=support, group_support=steps)
    assert_equal(network.kernel(x), expected)


@pytest.mark.parametrize("fields", [{}, {"support": [0, 2], "group_support": [0, 1, 4]}])
def test_the_bridge_agrees(neural_tangents, fields):
    group = finite.dihedral(5)
    x1, x2 = inputs(group)
    network = nf.GroupCNN(group, 2, head=1, **fields, **SETTINGS)
    assert_equal(both(network.to_stax(1))(x1, x2), network.kernel(x1, x2))
