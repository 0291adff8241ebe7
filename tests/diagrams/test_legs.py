"""Diagrams of convolutions and of pooled channels: written out, drawn, and against nf.finite_width and known values."""

import numpy as np
import pytest

import ntkfield as nf
from ntkfield.diagrams import FIRST_ORDER, TrapezoidExpectations, cumulant, recursion
from ntkfield.groups.finite import cyclic, symmetric

CUBIC = {"name": "polynomial", "coefficients": [0.2, 1.0, 0.3, -0.1]}  # its moments are exact on either road
SCALES = (1.5, 0.3, 1.3, 0.7)


def test_each_vertex_of_a_convolution_has_a_step_of_its_own():
    assert recursion("F", layer="convolution").latex().splitlines()[1:3] == [
        r"\bigl[F_{1324}\bigr]^{(\ell+1)} &= \frac{1}{|T|^{2}} \sum_{h,k} \Bigl\{ C_W^{2} \Theta_{3h,4k} "
        r"\langle \sigma_{1h}\sigma'_{3h}\sigma_{2k}\sigma'_{4k}\rangle \\",
        r"&\quad + r C_W^{2} \sum_{\beta} F_{\beta_{1} 3h \beta_{2} 4k} \langle \partial_{\beta_{1}}"
        r"(\sigma_{1h}\sigma'_{3h})\rangle \langle \partial_{\beta_{2}}(\sigma_{2k}\sigma'_{4k})\rangle \Bigr\}",
    ]
    assert r"\sigma''_{0h}\sigma_{3h}" in recursion("P", layer="convolution").latex()  # its pairs are (03) and (12)
    assert r"\frac{1}{|T|} \sum_{h} \Bigl\{" in recursion("K1", layer="convolution").latex("expanded")


def test_each_leg_of_pooled_channels_has_a_position_of_its_own():
    text = recursion("K1", layer="pooling").latex()
    assert r"\frac{1}{|G|^{2}} \sum_{g_1,g_2} \Bigl\{" in text
    assert r"\sigma_{1g_1}\sigma_{2g_2}" in text


def test_a_dense_layer_is_what_is_left_without_steps():
    """The diagrams are the same, and so is what is averaged, but for the labels."""
    dense = recursion("Theta1")
    for layer in ("convolution", "pooling"):
        moved = recursion("Theta1", layer=layer)
        assert moved.diagrams == dense.diagrams
        assert moved.polynomial == dense.polynomial
        assert str(moved.expression) != str(dense.expression)
    assert cumulant(["z", "z", "Theta"], layer="convolution")["F"] == recursion("F", layer="convolution")


def test_steps_are_drawn_beside_their_vertices():
    for layer, wanted in (("dense", 0), ("convolution", 2), ("pooling", 0)):
        for axes in recursion("P", layer=layer).draw().axes:
            assert sum(text.get_text() in ("$h$", "$k$") for text in axes.texts) == wanted


def stacked(inputs, reads, below):
    """What a filter reads at every position of every input."""
    return (np.arange(inputs)[:, None, None] * below + reads).reshape(-1, reads.shape[-1])


def known(network, x, **options):
    found = nf.finite_width(network, x, **options)
    names = [name for name in found if not name.endswith("_hidden")]
    hidden = [{name: found[f"{name}_hidden"].values[k] for name in names} for k in range(network.depth)]
    return hidden, {name: found[name].values[-1] for name in names}


def assert_steps(below, above, reads, network, layer, names=FIRST_ORDER, ratio=1.0, rtol=1e-11):
    for name in names:
        step = recursion(name, layer=layer).compile()
        engine = network.activation
        made = step(below["K"], below["Theta"], below, engine, scales=network.scales, ratio=ratio, reads=reads)
        np.testing.assert_allclose(made, above[name], rtol=0, atol=rtol * np.max(abs(above[name])), err_msg=name)


def test_compiled_they_equal_finite_width_on_a_group_that_does_not_commute():
    """All tensors, local filters, one convolution and the readout; both roads exact but for rounding."""
    group, steps = symmetric(3), [0, 1, 3]
    network = nf.GroupCNN(group, 3, CUBIC, *SCALES, support=(0, 1), group_support=steps)
    hidden, output = known(network, np.array([[[0.7, -0.3], [1.1, 0.4], [-0.6, 0.9]]]), width_ratios=[0.5, 2.0])
    assert_steps(hidden[1], hidden[2], group.products[:, steps], network, "convolution", ratio=0.5)
    assert_steps(hidden[2], output, np.arange(6)[None], network, "pooling", ratio=2.0)
    # what a slip would give, one step for both vertices: a test of V alone on pooled channels would not see it
    below, step = hidden[1], recursion("V").compile()
    dense = np.asarray(step(below["K"], below["Theta"], below, network.activation, scales=network.scales, ratio=0.5))
    common = np.mean([dense[np.ix_(*[group.products[:, h]] * 4)] for h in steps], axis=0)
    assert np.max(abs(common - hidden[2]["V"])) > 1e-3 * np.max(abs(hidden[2]["V"]))


def test_several_inputs_and_a_zero_padding():
    """A row of pixels: filters of three reach beyond its ends, where an image is zero."""
    network = nf.GroupCNN("c1", 2, CUBIC, *SCALES, filter_shape=(1, 3), padding="SAME")
    hidden, _ = known(
        network, np.random.default_rng(4).normal(size=(2, 1, 3, 1)), tensors=["K", "Theta", "V", "F", "B", "P"]
    )
    reads = stacked(2, np.arange(3)[:, None] + np.array([-1, 0, 1]), 3)
    reads[[0, 3], 0] = reads[[2, 5], 2] = -1
    assert_steps(hidden[0], hidden[1], reads, network, "convolution", names=["V", "F", "P"])


@pytest.mark.exhaustive
def test_known_values_of_a_readout():
    """Printed by another program, from the second layer of nf.finite_width and by the trapezoid rule."""
    network = nf.GroupCNN(cyclic(3), 2, "erf", *SCALES, support=(0, 1), group_support=(0, 1))
    x = np.array([[0.9, -0.4, 1.2], [-0.5, 0.8, 0.3]])[:, :, None]
    hidden, _ = known(network, x, tensors=["K", "Theta", "V", "F", "B"], rtol=1e-6)
    engine, below = TrapezoidExpectations(network.activation), hidden[1]
    for name, value in {"V": 0.21648414, "F": 0.42293957, "B": 2.35932726}.items():
        step = recursion(name, layer="pooling").compile()
        made = step(below["K"], below["Theta"], below, engine, scales=network.scales, reads=np.arange(6).reshape(2, 3))
        assert abs(made[0, 1, 0, 1] - value) < 1e-6 * np.max(abs(made)), name  # as exact as the layer below


@pytest.mark.parametrize(
    ("layer", "reads", "message"),
    [
        ("dense", np.zeros((2, 1), int), "nothing for a dense layer"),
        ("convolution", None, "an array"),
        ("convolution", np.zeros(2, int), "an array"),
        ("pooling", [[0, 2]], "0 to 1"),
        ("pooling", [[0.0, 1.0]], "whole|rows of the kernel"),
    ],
)
def test_what_legs_read_is_checked(layer, reads, message):
    step = recursion("V", layer=layer).compile()
    with pytest.raises(ValueError, match=f"reads.*({message})"):
        step(np.eye(2), np.eye(2), {"V": np.zeros((2,) * 4)}, "relu", reads=reads)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"layer": "attention"}, "layer = 'attention'"), ({"layer": "pooling", "weights": "orthogonal"}, "weights")],
)
def test_layers_without_rules_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        recursion("V", **options)
