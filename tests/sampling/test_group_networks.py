"""Sampled group networks: the trivial group against the MLP, and every tensor against the recursions."""

import numpy as np
import pytest

import ntkfield as nf
from ntkfield.groups.finite import FiniteGroup, cyclic, symmetric
from ntkfield.tensors import NAMES

SCALES = {"weight_variance": 1.5, "bias_variance": 0.3, "weight_rate": 1.3, "bias_rate": 0.7}
SQUARE = {"name": "polynomial", "coefficients": [0.1, 1.0, 0.3]}  # whose theory is exact
X = np.array([[0.9, -0.4, 1.2], [-0.5, 0.8, 0.3]])


def test_the_trivial_group_is_an_mlp():
    one = FiniteGroup("one", [[0, 1, 2]])
    options = {"width": [6, 4], "n_networks": 64, "seed": 3, "tensors": ["K1", "Theta1", "B"]}
    found = nf.sample_statistics(nf.GroupCNN(one, 2, "erf", **SCALES), X[..., None], **options)
    plain = nf.sample_statistics(nf.MLP(3, "erf", **SCALES), X, method="weights", **options)
    for name in options["tensors"]:
        np.testing.assert_allclose(found[name], plain[name], rtol=1e-9, atol=1e-10)  # the same networks
    assert found.attrs["group"] == "one"


def deviations(found, theory):
    """In standard errors, of every entry of every tensor, over which symmetric ones are repeated."""
    off = {name: (found[name] - theory[name]).values / found[f"{name}_error"].values for name in theory}
    return {name: float(abs(value).max()) for name, value in off.items()}


def test_one_convolution_has_its_tensors_at_every_width():
    """Channels of one hidden layer are independent: n times a cumulant is the tensor, with nothing of order 1/n."""
    network, x = nf.GroupCNN(symmetric(3), 1, SQUARE, support=(0, 1), **SCALES), X[:1, :, None]
    theory = nf.finite_width(network, x).isel(layer=[-1])
    names = [name for name in NAMES if name not in ("K1", "Theta1")]
    found = nf.sample_statistics(network, x, 4, 4096, 0, names)
    # Thirteen numbers, each within four standard errors but once in 16,000.
    assert max(deviations(found, theory[names]).values()) < 4
    sizes = {name: float(abs(theory[name] / found[f"{name}_error"]).max()) for name in names}
    assert min(sizes[name] for name in ("V", "D", "F", "A", "B", "S")) > 5  # resolved


@pytest.mark.exhaustive
@pytest.mark.parametrize("activation", ["erf", "gelu"])
@pytest.mark.parametrize(("group", "depth"), [(symmetric(3), 2), (cyclic(3), 3)], ids=["S3", "C3"])
def test_every_tensor_after_extrapolation(group, depth, activation):
    network, x = nf.GroupCNN(group, depth, activation, **SCALES), X[:1, :, None]
    theory = nf.finite_width(network, x, rtol=1e-3).isel(layer=[-1])
    widths, values, errors = np.array([8, 16, 32]), [], []
    for n, count in zip(widths.tolist(), (2**15, 2**14, 2**13), strict=True):
        found = nf.sample_statistics(network, x, n, count, n, NAMES)
        values.append([found[name].item() for name in NAMES])
        errors.append([found[f"{name}_error"].item() for name in NAMES])
    fit = np.linalg.pinv(np.vander(1 / widths, 3, increasing=True))[0]
    off = fit @ np.array(values) - [theory[name].item() for name in NAMES]
    assert (abs(off[2:]) < 3.5 * np.sqrt(fit**2 @ np.array(errors)[:, 2:] ** 2)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": nf.GroupCNN("c4", 1, "erf")}, "network = 'PlanarCNN' is refused: expected an nf.MLP, or an nf.Gr"),
        ({"network": nf.GroupCNN(cyclic(3), 1, "erf", head=1)}, "network.head = 1 is refused"),
        ({"method": "products"}, "method = 'products' is refused: expected weights"),
        ({"inputs": np.ones((1, 4, 1))}, "inputs of shape"),
        ({"width": [4, 4]}, "width = .* is refused: expected one hidden width, or 1 of them"),
    ],
)
def test_refusals(change, message):
    options = {"network": nf.GroupCNN(cyclic(3), 1, "erf"), "inputs": X[..., None], "width": 4} | change
    with pytest.raises(ValueError, match=message):
        nf.sample_statistics(**options, n_networks=16, seed=0)
