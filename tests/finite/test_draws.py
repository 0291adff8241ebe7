"""Order 1/n by draws of single channels, against the recursions' quadratures and where those do not reach."""

import numpy as np
import pytest

import ntkfield as nf
from ntkfield.groups.finite import cyclic, symmetric

RNG = np.random.default_rng(7)
TENSORS = ["K1", "Theta1", "V", "D", "F", "A", "B"]
# A mean over 16 scrambles lies 5 of its standard errors off in 2 of 10,000 entries (Student's t, 15 degrees); the
# cases below have about 100 distinct ones each, and seeds that are fixed.
OFF = 5.0
ROW = {"filter_shape": (1, 3), "weight_variance": 1.5, "bias_variance": 0.2}
CASES = {
    "unequal widths": (nf.MLP(4, "gelu", 1.8, 0.1, 1.2, 0.3), RNG.normal(size=(3, 5)), {"width_ratios": [0.5, 2.0]}),
    "a kink": (nf.MLP(3, "relu", 2.0, 0.1), RNG.normal(size=(3, 5)), {}),
    "a padding": (nf.GroupCNN("c1", 2, "erf", **ROW, padding="SAME"), RNG.normal(size=(2, 1, 5, 1))[:, :, :4], {}),
    "fewer pixels": (nf.GroupCNN("c1", 2, "erf", **ROW, padding="VALID"), RNG.normal(size=(2, 1, 5, 1)), {}),
    "a head": (nf.GroupCNN(cyclic(3), 2, "erf", 2.0, 0.1, head=1), RNG.normal(size=(2, 3, 1)), {}),
}


@pytest.mark.parametrize("case", CASES)
def test_draws_agree_with_quadratures(case):
    network, x, widths = CASES[case]
    exact = nf.finite_width(network, x, TENSORS, rtol=1e-3, **widths)
    drawn = nf.finite_width(network, x, TENSORS, draws=2**12, seed=1, **widths)
    for name in TENSORS:
        error = drawn[f"{name}_error"].values
        assert drawn[name].dims == exact[name].dims
        # A tenth or less of a tensor: an error of its sign, or a term that is missing, shows.
        assert drawn[name].relative_error < 0.11
        off = abs(drawn[name] - exact[name]).values
        assert (off <= OFF * error + 1e-3 * abs(exact[name]).values.max()).all(), name


def test_a_group_that_does_not_commute_and_partial_filters():
    """Case 2 of the library's reference: one leg repeated, values from quadratures of another implementation."""
    x = np.array([[[0.7, -0.3], [1.1, 0.4], [-0.6, 0.9]]])
    group = symmetric(3)
    network = nf.GroupCNN(group, 2, "gelu", 2.0, 0.1, 1.0, 0.5, support=(0, 1), group_support=(0, 1, 3))
    known = {"K1": 0.06229986, "Theta1": 0.31482759, "V": 1.98316823, "D": 2.11943109, "F": 1.47671465}
    known |= {"A": 2.63859553, "B": 1.55937048}
    drawn = nf.finite_width(network, x, list(known), draws=2**14).isel(layer=-1)
    for name, value in known.items():
        assert drawn[name].relative_error < 0.03
        assert abs(drawn[name].item() - value) < OFF * drawn[f"{name}_error"].item()


def test_convolutional_networks_beyond_the_reach_of_quadratures():
    """There the theorem is the witness: fluctuations of the invariant network are those of averaged outputs."""
    images = 1 + RNG.normal(size=(1, 8, 8, 1))
    form = {"weight_variance": 2.0, "bias_variance": 0.0, "filter_shape": 3, "padding": "VALID"}
    with pytest.raises(ValueError, match="or draws, which need none of them but for P to U"):
        nf.finite_width(nf.GroupCNN("c4", 2, "erf", **form), images, ["V"])
    turned = np.concatenate([np.rot90(images, k, axes=(1, 2)) for k in range(4)])
    names = ["K", "Theta", "V", "A"]
    invariant = nf.finite_width(nf.GroupCNN("c4", 2, "erf", **form), images, names, draws=2**10).isel(layer=-1)
    copies = nf.finite_width(nf.GroupCNN("c1", 2, "erf", **form), turned, names, draws=2**10, seed=5).isel(layer=-1)
    for name in ("K", "Theta"):
        assert invariant[name].item() == pytest.approx(copies[name].values.mean(), rel=1e-12)
    for name in ("V", "A"):
        # The copies' errors are taken as if they were of one sign, which they are not: an upper bound.
        error = invariant[f"{name}_error"].item() + copies[f"{name}_error"].values.mean()
        assert invariant[name].relative_error < 0.05
        assert abs(invariant[name].item() - copies[name].values.mean()) < OFF * error


@pytest.mark.parametrize("case", ["gelu", "a group"])
def test_tensors_of_the_derivatives(case):
    """P to U take arrays over four positions, and no quadrature."""
    network, x = {
        "gelu": (nf.MLP(3, "gelu", 1.8, 0.1, 1.2, 0.3), RNG.normal(size=(2, 3))),
        "a group": (nf.GroupCNN(cyclic(3), 2, "erf", 1.8, 0.1, 1.2, 0.3), RNG.normal(size=(1, 3, 1))),
    }[case]
    names = ["K1", *"PQRSTU"]
    exact = nf.finite_width(network, x, names, rtol=1e-3)
    drawn = nf.finite_width(network, x, names, draws=2**13)
    for name in names:
        assert drawn[name].dims == exact[name].dims
        assert drawn[name].relative_error < 0.11
        off, largest = abs(drawn[name] - exact[name]).values, abs(exact[name]).values.max()
        assert (off <= OFF * drawn[f"{name}_error"].values + 1e-3 * largest).all(), name


def test_a_seed_is_a_result():
    network, x = CASES["a kink"][:2]
    first, again, other = (nf.finite_width(network, x, ["K1"], draws=64, seed=seed) for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first["K1"].equals(other["K1"])
    assert set(first) == {"K1", "K1_error"}


def test_inputs_of_no_variance():
    """A blank input without biases: a channel is the activation at zero, and nothing fluctuates but the NTK."""
    network = nf.MLP(3, "gelu", 1.5)
    found = nf.finite_width(network, np.zeros((1, 3)), ["K1", "Theta1", "V", "A", "R"], draws=32)
    exact = nf.finite_width(network, np.zeros((1, 3)), ["K1", "Theta1", "V", "A", "R"])
    for name in exact:
        np.testing.assert_allclose(found[name], exact[name], atol=1e-12)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"draws": 100}, "draws = 100 is refused: expected a power of two, 32 or above"),
        ({"draws": 16}, "draws = 16 is refused"),
        ({"draws": 64, "seed": -1}, "seed = -1 is refused"),
        ({"draws": 64, "tensors": ["S"]}, "tensors = 'S' is refused: expected tensors other than R, S, T, U"),
    ],
)
def test_bad_input_is_refused(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        nf.finite_width(*CASES["a kink"][:2], **change)


def test_what_draws_cannot_do_is_refused():
    with pytest.raises(ValueError, match="None with orthogonal weights"):
        nf.finite_width(nf.MLP(3, "tanh", weights="orthogonal"), np.eye(2), draws=64)
    with pytest.raises(ValueError, match="number of inputs times positions = '20 x 324' is refused: expected at"):
        nf.finite_width(
            nf.GroupCNN("c1", 2, "erf", filter_shape=3, padding="VALID"), np.ones((20, 20, 20, 1)), draws=64
        )
