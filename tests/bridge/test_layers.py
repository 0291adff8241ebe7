import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from kernels import assert_equal

import ntkfield as nf
from ntkfield.groups import finite
from ntkfield.groups.finite import point_action, point_group

pytestmark = pytest.mark.usefixtures("neural_tangents")
# Sums of float64 products of order one in another order.
RNG = np.random.default_rng(11)
BOTH = ("nngp", "ntk")
CORNER = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0]], dtype=bool)  # a filter that no turn or reflection keeps
SCALE = {"W_std": 1.2, "b_std": 0.5}


@pytest.fixture(scope="module")
def bridge(neural_tangents):
    from ntkfield import bridge

    return bridge


@pytest.fixture(scope="module")
def stax(neural_tangents):
    return neural_tangents.stax


def kernels(layer, x1, x2):
    return jax.jit(lambda a, b: layer[2](a, b, BOTH))(x1, x2)


def planar_features(bridge, stax, group, shape, padding, support=None, out=3, **options):
    form = (group, out, shape, padding, support)
    return stax.serial(
        bridge.PlanarLifting(*form, **SCALE, **options), stax.Erf(), bridge.PlanarConv(*form, **SCALE, **options)
    )


@pytest.mark.parametrize("padding", ["SAME", "VALID", "CIRCULAR"])
@pytest.mark.parametrize(
    ("group", "shape", "support"),
    [("c4", (3, 3), None), ("d4", (3, 3), CORNER), ("d4", (1, 3), None), ("c4", (2, 2), CORNER[:2, :2])],
)
def test_planar_layers_are_equivariant(bridge, stax, group, padding, shape, support):
    if shape == (2, 2) and padding != "VALID":
        with pytest.raises(ValueError, match="odd sides"):
            planar_features(bridge, stax, group, shape, padding, support)
        return
    init_fn, apply_fn, _ = planar_features(bridge, stax, group, shape, padding, support)
    x = jnp.asarray(RNG.normal(size=(2, 6, 6, 2)))
    _, params = init_fn(jax.random.key(1), x.shape)
    features = apply_fn(params, x)
    n, height, width, order, channels = features.shape
    flat = features.reshape(n, height * width, order, channels)
    pixels, elements = (point_action(group, side, side) for side in (6, height)), point_group(group, 2, 2)
    on_inputs, on_outputs = pixels
    for g in range(order):
        inverse = elements.inverses[g]
        turned = x.reshape(n, 36, 2)[:, on_inputs[inverse]].reshape(x.shape)
        expected = flat[:, on_outputs[inverse]][:, :, elements.products[inverse]]
        np.testing.assert_allclose(apply_fn(params, turned).reshape(flat.shape), expected, atol=1e-12)


@pytest.mark.parametrize("lifting", [True, False])
@pytest.mark.parametrize(
    ("group", "padding", "support"),
    [("c4", "SAME", None), ("d4", "SAME", CORNER), ("c4", "VALID", CORNER), ("d4", "CIRCULAR", None)],
)
def test_a_planar_layer_is_its_table(bridge, stax, group, padding, support, lifting):
    """The network, by windows times weights, against a sum over the steps that the kernel is computed from."""
    from ntkfield.bridge.planar import Filter

    place = (1, 5, 5) if lifting else (1, 5, 5, 8 if group == "d4" else 4)
    x, b = RNG.normal(size=(*place, 2)), RNG.normal(size=3)
    layer = (bridge.PlanarLifting if lifting else bridge.PlanarConv)(group, 3, 3, padding, support, 1.2, 0.5)
    _, (w, _) = layer[0](jax.random.key(0), x.shape)
    table = Filter(group, 3, padding, support).table(5, 5, lifting)[0]
    padded = np.concatenate([x.reshape(-1, 2), np.zeros((1, 2))])
    expected = 1.2 * np.einsum("gsc,sco->go", padded[table], w) / np.sqrt(w.shape[0] * w.shape[1]) + 0.5 * b
    np.testing.assert_allclose(layer[1]((w, b), x).reshape(-1, 3), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("parameterization", "padding"),
    [("ntk", "SAME"), ("standard", "VALID"), ("standard", "CIRCULAR")],
)
def test_under_c1_the_layers_are_those_of_neural_tangents(bridge, stax, parameterization, padding):
    x1, x2 = RNG.normal(size=(2, 5, 4, 2)), RNG.normal(size=(1, 5, 4, 2))
    options = {**SCALE, "parameterization": parameterization}
    ours = stax.serial(
        bridge.PlanarLifting("c1", 6, (2, 3), padding, **options),
        stax.Relu(),
        bridge.PlanarConv("c1", 6, (2, 1), padding, **options),
        stax.Relu(),
        bridge.GroupPool(),
        bridge.Dense(1, **options),
    )
    theirs = stax.serial(
        stax.Conv(6, (2, 3), padding=padding, **options),
        stax.Relu(),
        stax.Conv(6, (2, 1), padding=padding, **options),
        stax.Relu(),
        stax.GlobalAvgPool(),
        stax.Dense(1, **options),
    )
    assert_equal(kernels(ours, x1, x2), kernels(theirs, x1, x2))


def test_group_layers_are_equivariant(bridge, stax):
    group = finite.octahedral("edges")
    init_fn, apply_fn, _ = stax.serial(
        bridge.GroupLifting(group, 3, [0, 5], **SCALE), stax.Relu(), bridge.GroupConv(group, 2, [0, 1, 7], **SCALE)
    )
    x = RNG.normal(size=(2, 12, 2))
    _, params = init_fn(jax.random.key(0), x.shape)
    features = apply_fn(params, x)
    orbit = group.orbit(x)
    for g in (1, 5, 17):
        expected = features[:, group.products[group.inverses[g]]]
        np.testing.assert_allclose(apply_fn(params, orbit[:, g]), expected, atol=1e-12)


@pytest.mark.parametrize("rates", [None, (0.7, 0.2), (0.0, 0.3), (0.7, 0.0)])
@pytest.mark.parametrize("parameterization", ["ntk", "standard"])
def test_the_tangent_kernel_of_a_lifting_layer_is_exact(bridge, rates, parameterization):
    """With one weight layer it depends on no parameter: neither a doubled NTK nor a wrong rate gets past it."""
    layer = bridge.PlanarLifting("d4", 1, 3, "SAME", CORNER, **SCALE, parameterization=parameterization, rates=rates)
    x1, x2 = RNG.normal(size=(2, 1, 3, 3, 2))
    _, params = layer[0](jax.random.key(0), x1.shape)
    left, right = (jax.tree.leaves(jax.jacobian(lambda p, x=x: layer[1](p, x).reshape(-1))(params)) for x in (x1, x2))
    tangent = sum(a.reshape(72, -1) @ b.reshape(72, -1).T for a, b in zip(left, right, strict=True))
    k = layer[2](x1, x2, "ntk").reshape(3, 3, 3, 3, 8, 8).transpose(0, 2, 4, 1, 3, 5).reshape(72, 72)
    np.testing.assert_allclose(tangent, k, rtol=1e-12, atol=1e-12)


WIDTH, PLACES = 32, slice(None, None, 23)


def sampled(layer, x1, x2, draws):
    """Products of outputs and tangent kernels of many networks, [draws, ...], at the first output channel."""

    def draw(key):
        _, params = layer[0](key, x1.shape)

        def out(params, x):
            return layer[1](params, x)[..., 0].reshape(-1)[PLACES]

        left, right = (jax.tree.leaves(jax.jacrev(out)(params, x)) for x in (x1, x2))
        tangent = sum(
            jnp.einsum("ai,bi->ab", a.reshape(len(a), -1), b.reshape(len(b), -1))
            for a, b in zip(left, right, strict=True)
        )
        return jnp.outer(out(params, x1), out(params, x2)), tangent

    keys = jax.random.split(jax.random.key(3), draws)
    return [np.asarray(k) for k in jax.jit(lambda keys: jax.lax.map(draw, keys, batch_size=10))(keys)]


@pytest.mark.slow
@pytest.mark.parametrize(("layers", "draws"), [(1, 400), (2, 400), (3, 900)])
def test_sampled_networks_have_these_kernels_at_every_layer(bridge, stax, layers, draws):
    """Means of many networks against the kernels, within three standard errors of the mean over places.

    Chance would fail one of the six comparisons once in sixty seeds; the seed is fixed. A width of 32 shifts the
    means by less than one of these errors. An NTK that counts the first layer's twice lies more than
    four errors off, so that three cannot hold it.
    """
    form = ("c4", WIDTH, 3, "CIRCULAR", CORNER)
    parts = [
        (bridge.PlanarLifting(*form, **SCALE),),
        (stax.Relu(), bridge.PlanarConv(*form, **SCALE)),
        (stax.Relu(), bridge.GroupPool(), stax.Dense(1, **SCALE)),
    ]
    layer = stax.serial(*(piece for part in parts[:layers] for piece in part))
    rest = stax.serial(*(piece for part in parts[1:layers] for piece in part)) if layers > 1 else stax.Identity()
    x1 = RNG.normal(size=(1, 3, 3, 2))
    x2 = x1 + 0.5 * RNG.normal(size=x1.shape)
    exact = kernels(layer, x1, x2)
    first = parts[0][0][2](x1, x2)
    doubled = rest[2](first.replace(ntk=2 * first.ntk)).ntk

    def mean(k):
        return (k if layers == 3 else k[0, 0].transpose(0, 2, 4, 1, 3, 5).reshape(36, 36)[PLACES, PLACES]).mean()

    for name, samples, k in zip(BOTH, sampled(layer, x1, x2, draws), exact, strict=True):
        means = samples.mean((1, 2))
        error = means.std(ddof=1) / draws**0.5
        assert abs(means.mean() - mean(k)) <= 3 * error + 1e-12
        if name == "ntk":
            assert abs(means.mean() - mean(doubled)) > 4 * error


def test_batching_changes_nothing(bridge, stax, neural_tangents):
    network = nf.GroupCNN("c4", 1, "erf", filter_shape=3, padding="VALID", bias_variance=0.1)
    x = RNG.normal(size=(4, 4, 4, 1))
    kernel_fn = network.to_stax(8)[2]
    batched = neural_tangents.batch(kernel_fn, batch_size=2, device_count=0)
    assert_equal(batched(x, None, BOTH), kernel_fn(x, None, BOTH))
    assert_equal(batched(x, x[:2], BOTH), network.kernel(x, x[:2]), 1e-7)  # an input with itself: see test_planar


def test_pooling_can_keep_positions(bridge, stax):
    lifting = bridge.PlanarLifting("c4", 5, 3, "SAME", **SCALE)
    one = stax.serial(lifting, stax.Relu(), bridge.GroupPool(keep_positions=True), stax.GlobalAvgPool())
    both = stax.serial(lifting, stax.Relu(), bridge.GroupPool())
    x1, x2 = RNG.normal(size=(2, 2, 4, 4, 2))
    assert_equal(kernels(one, x1, x2), kernels(both, x1, x2))
    _, params = one[0](jax.random.key(0), x1.shape)
    np.testing.assert_allclose(one[1](params, x1), both[1](params, x1), atol=1e-12)


def test_layers_follow_a_plain_convolution(bridge, stax):
    """After one convolution neural-tangents keeps the axes of its kernel in reverse order."""
    first = stax.Conv(3, (1, 3), padding="SAME", **SCALE)
    ours = stax.serial(first, stax.Erf(), bridge.PlanarLifting("c1", 3, (3, 2), "VALID", **SCALE), stax.Erf(),
                       bridge.GroupPool())  # fmt: skip
    theirs = stax.serial(first, stax.Erf(), stax.Conv(3, (3, 2), **SCALE), stax.Erf(), stax.GlobalAvgPool())
    x1, x2 = RNG.normal(size=(2, 2, 4, 5, 2))
    assert_equal(kernels(ours, x1, x2), kernels(theirs, x1, x2))


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (nf.MLP(3, "gelu", 1.3, 0.4, weight_rate=1.0, bias_rate=0.0), (2, 7)),
        (nf.MLP(1, "relu", 1.3, 0.4), (2, 7)),
        (nf.GroupCNN("c1", 1, "erf", filter_shape="global", head=1), (2, 3, 4, 2)),
        (nf.GroupCNN("d4", 2, "erf", filter_shape="global", bias_variance=0.2), (2, 4, 4, 2)),
    ],
)
def test_networks_keep_their_kernel(network, shape):
    x1, x2 = RNG.normal(size=(2, *shape))
    layer = network.to_stax(4)
    assert_equal(kernels(layer, x1, x2), network.kernel(x1, x2))
    out, params = layer[0](jax.random.key(0), shape)
    assert layer[1](params, x1).shape == out == (2, 1)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda b: b.PlanarLifting("c4", 1, 2, "SAME"), "odd sides"),
        (lambda b: b.PlanarLifting("c4", 1, (1, 2), "VALID"), "both odd or both even"),
        (lambda b: b.PlanarLifting("c4", 1, 3, "same"), "SAME, VALID, CIRCULAR"),
        (lambda b: b.PlanarLifting("c4", 1, 3, "SAME", np.zeros((3, 3))), "at least one pixel"),
        (lambda b: b.PlanarLifting("c4", 0, 3), "out_chan"),
        (lambda b: b.PlanarLifting("c4", 1, 3, parameterization="mup"), "ntk, standard"),
        (lambda b: b.PlanarLifting("c4", 1, 3)[0](jax.random.key(0), (1, 3, 4, 1)), "square"),
        (lambda b: b.PlanarLifting("c1", 1, 5)[0](jax.random.key(0), (1, 4, 4, 1)), "5 x 5"),
        (lambda b: b.PlanarConv("c4", 1, 3)[0](jax.random.key(0), (1, 4, 4, 3, 1)), "4, channels"),
        (lambda b: nf.MLP(2, "relu").to_stax(0), "width"),
    ],
)
def test_bad_arguments_are_refused(bridge, make, complaint):
    with pytest.raises(ValueError, match=complaint):
        make(bridge)


def test_neural_tangents_can_be_imported_after_the_bridge():
    """In an interpreter of its own: by itself it asks for TensorFlow."""
    code = """
import ntkfield.bridge
import neural_tangents
from neural_tangents import stax
assert ntkfield.bridge.neural_tangents is neural_tangents
assert ntkfield.bridge.stax is stax
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_orthogonal_weights_are_drawn_as_such():
    network = nf.MLP(3, "tanh", 1.5, 0.2, weights="orthogonal")
    init, apply, kernel = network.to_stax(6)
    x = np.random.default_rng(0).normal(size=(2, 3))
    _, parameters = init(jax.random.PRNGKey(1), (2, 3))
    first, hidden, readout = (layer[0][0] for layer in parameters[::2])
    assert abs(first.T @ first / 6 - np.eye(6)).max() > 0.1  # Gaussian
    np.testing.assert_allclose(hidden.T @ hidden, 6 * np.eye(6), atol=1e-13)
    np.testing.assert_allclose(readout.T @ readout, [[6.0]], rtol=1e-13)
    assert apply(parameters, x).shape == (2, 1)
    np.testing.assert_allclose(kernel(x).nngp, network.kernel(x).nngp, rtol=1e-12)
