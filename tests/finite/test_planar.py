"""The first-order system of convolutional networks on small images."""

import numpy as np
import pytest

import ntkfield as nf
from ntkfield.groups.finite import cyclic
from ntkfield.tensors import TENSORS

CUBIC = {"name": "polynomial", "coefficients": [0.2, 1.0, 0.3, -0.1]}  # its moments are exact
SCALES = (1.5, 0.3, 1.3, 0.7)
RNG = np.random.default_rng(3)


@pytest.mark.parametrize(
    ("group", "shape", "filters"),
    [
        ("c1", (1, 4), {"filter_shape": (1, 3), "padding": "SAME"}),
        ("c1", (1, 5), {"filter_shape": (1, 3), "padding": "VALID"}),
        ("c1", (2, 2), {"filter_shape": (2, 1), "padding": "CIRCULAR"}),
        ("c4", (3, 3), {"filter_shape": 3, "padding": "SAME"}),
        ("c4", (4, 4), {"filter_shape": 2, "padding": "VALID"}),
        ("d4", (2, 2), {"filter_shape": 3, "padding": "CIRCULAR"}),
        ("d4", (2, 2), {"filter_shape": "global"}),
    ],
)
def test_kernels_are_those_of_infinite_width(group, shape, filters):
    """Every way in which filters read, pools and pads, by the program that never sees a position's number."""
    network = nf.GroupCNN(group, 2, CUBIC, *SCALES, **filters, head=1)
    x = RNG.normal(size=(2, *shape, 2))
    found, kernels = nf.finite_width(network, x, ["K", "Theta"]), network.kernel(x)
    np.testing.assert_allclose(found.K.isel(layer=-1), kernels.nngp, rtol=1e-12)
    np.testing.assert_allclose(found.Theta.isel(layer=-1), kernels.ntk, rtol=1e-12)
    assert ("K_hidden" in found) == (filters.get("padding") != "VALID")


def test_a_ring_of_pixels_is_the_group_of_its_shifts():
    """Circular padding on one row, against the network over the cyclic group with the same filters."""
    x = RNG.normal(size=(1, 1, 4, 1))
    image = nf.finite_width(nf.GroupCNN("c1", 2, CUBIC, *SCALES, filter_shape=(1, 3), padding="CIRCULAR"), x)
    ring = cyclic(4)
    near = [g for g in range(4) if ring.permutations[g, 0] in (0, 1, 3)]
    network = nf.GroupCNN(ring, 2, CUBIC, *SCALES, support=(0, 1, 3), group_support=near)
    found = nf.finite_width(network, x[:, 0])
    for name in TENSORS:
        np.testing.assert_allclose(image[name], found[name], atol=1e-12 * abs(found[name].values).max(), err_msg=name)


@pytest.mark.slow
def test_symmetric_filters_differ_from_the_averaged_network_in_the_means_alone():
    """Quarter turns of 2 x 2 pixels with zero padding, against the plain network averaged over the turned images."""
    x = RNG.normal(size=(2, 2, 1))
    copies = np.stack([np.rot90(x, k) for k in range(4)])
    plain, network = (nf.GroupCNN(group, 2, CUBIC, *SCALES, filter_shape=3) for group in ("c1", "c4"))
    found = nf.finite_width(network, x[None]).isel(layer=-1)
    averaged = nf.finite_width(plain, copies).isel(layer=-1).mean(["a1", "a2", "a3", "a4"])
    for name in TENSORS:
        apart = abs(found[name].item() / averaged[name].item() - 1)
        assert (apart < 1e-10) == (name not in ("K1", "Theta1")), name


def test_zeros_of_the_padding_count_in_every_tied_pair():
    """V of the second convolution is the covariance, over one channel, of what its filter reads of two pixels."""
    rng, square = np.random.default_rng(0), [0.2, 1.0, 0.1]  # mild: the cubic's products have tails too heavy to sample
    x = np.array([[0.9, -0.4, 0.6]])
    network = nf.GroupCNN(
        "c1", 2, {"name": "polynomial", "coefficients": square}, *SCALES, filter_shape=(1, 3), padding="SAME"
    )
    found = nf.finite_width(network, x[:, None, :, None], ["K", "V"])
    z = rng.multivariate_normal(np.zeros(3), found.K_hidden.values[0], size=400_000)
    values = np.pad(np.polynomial.polynomial.polyval(z, square), ((0, 0), (1, 1)))
    seen = np.stack([values[:, p : p + 3] for p in range(3)], axis=1)
    products = SCALES[0] * np.einsum("nas,nbs->nab", seen, seen) / 3
    off = (products - products.mean(0)).reshape(-1, 9)
    batches = np.stack([part.T @ part / len(part) for part in np.split(off, 50)]).reshape(50, 3, 3, 3, 3)
    error = batches.std(0) / 49**0.5
    # 21 different numbers: four errors fail once in 700 times
    assert np.all(abs(batches.mean(0) - found.V_hidden.values[1]) <= 4 * error)


def test_images_that_are_too_large_are_refused_with_the_size_that_fits():
    network = nf.GroupCNN("c4", 2, "erf", filter_shape=3)
    with pytest.raises(ValueError, match=r"inputs times positions = '1 x 100' is refused: expected at most \d\d for"):
        nf.finite_width(network, np.ones((1, 5, 5, 1)))
