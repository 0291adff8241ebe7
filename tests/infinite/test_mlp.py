import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ntkfield as nf


def layer(stax, activation):
    """The same activation in neural-tangents."""
    return {
        "relu": lambda: stax.Relu(),
        "leaky_relu": lambda: stax.LeakyRelu(0.2),
        "absolute": lambda: stax.Abs(),
        "erf": lambda: stax.Erf(),
        "gelu": lambda: stax.Gelu(approximate=False),
        "sin": lambda: stax.Sin(),
        "cos": lambda: stax.Cos(),
        "identity": lambda: stax.Identity(),
        "polynomial": lambda: stax.Polynomial([0.3, -1.0, 0.0, 0.5]),
    }[activation]()


OURS = {
    "leaky_relu": {"name": "leaky_relu", "slope": 0.2},
    "absolute": {"name": "leaky_relu", "slope": -1.0},
    "polynomial": {"name": "polynomial", "coefficients": [0.3, -1.0, 0.0, 0.5]},
}
ACTIVATIONS = ["relu", "leaky_relu", "absolute", "erf", "gelu", "sin", "cos", "identity", "polynomial"]


def inputs(n=6, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


@pytest.mark.parametrize("activation", ACTIVATIONS)
class TestAgainstNeuralTangents:
    @pytest.mark.parametrize(
        ("depth", "weight_variance", "bias_variance"), [(1, 1.3, 0.2), (2, 1.0, 0.0), (3, 1.7, 0.3)]
    )
    def test_kernels(self, neural_tangents, activation, depth, weight_variance, bias_variance):
        stax = neural_tangents.stax

        def dense():
            return stax.Dense(1, weight_variance**0.5, bias_variance**0.5 or None)

        hidden = [part for _ in range(depth - 1) for part in (dense(), layer(stax, activation))]
        _, _, theirs = stax.serial(*hidden, dense())
        network = nf.MLP(depth, OURS.get(activation, activation), weight_variance, bias_variance)
        x1, x2 = inputs(6, seed=1), inputs(3, seed=2)
        for other in (None, x2):
            for ours, expected in zip(network.kernel(x1, other), theirs(x1, other, ("nngp", "ntk")), strict=True):
                # two codes for one formula: a few hundred roundings apart
                np.testing.assert_allclose(ours, expected, rtol=1e-11, atol=1e-12 * np.abs(expected).max())

    @pytest.mark.parametrize("bias_variance", [0.0, 0.3])
    def test_degenerate_pairs(self, neural_tangents, activation, bias_variance):
        """Repeated, antiparallel, parallel and (given a bias) zero inputs."""
        stax = neural_tangents.stax
        x = inputs(3, seed=3)
        x = np.concatenate([x, x[:1], -x[:1], 2 * x[1:2]] + ([0 * x[:1]] if bias_variance else []))
        parts = [stax.Dense(1, 1.1, bias_variance**0.5 or None) for _ in range(3)]
        _, _, theirs = stax.serial(parts[0], layer(stax, activation), parts[1], layer(stax, activation), parts[2])
        network = nf.MLP(3, OURS.get(activation, activation), 1.1**2, bias_variance)
        for x2 in (None, x):
            for ours, expected in zip(network.kernel(x, x2), theirs(x, x2, ("nngp", "ntk")), strict=True):
                scale = np.abs(expected).max()
                # at a kink an angle of zero turns into the square root of rounding, 1e-8, unless taken for zero
                np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9 * scale)


@pytest.mark.parametrize("activation", ["relu", "absolute", "erf", "gelu", "tanh", "cos"])
@pytest.mark.parametrize("bias_variance", [0.0, 0.2])
def test_zero_and_repeated_inputs_are_finite_and_consistent(activation, bias_variance):
    x = inputs(2)
    x = np.concatenate([x, 0 * x[:1], x[:1]])
    network = nf.MLP(2, OURS.get(activation, activation), 1.4, bias_variance)
    for k in network.kernel(x):
        assert np.isfinite(k).all()
        # rounding, and for kinks a relative angle of 1e-8 that rounding alone cannot make
        np.testing.assert_allclose(k[0], k[3], rtol=1e-12, atol=1e-13)


class TestRates:
    def test_empirical_kernel_of_a_sampled_wide_network(self):
        """E of the empirical NTK, each weight derivative weighed by its rate, at width 128 over 200 networks."""
        cw, cb, rate_w, rate_b, width, draws = 1.5, 0.2, 0.7, 1.3, 128, 200
        x = inputs(3, 4, seed=4)

        def network(parameters, x):
            (w1, b1), (w2, b2), (w3, b3) = parameters
            z = x @ w1 / np.sqrt(x.shape[1]) + b1
            z = jnp.tanh(z) @ w2 / np.sqrt(width) + b2
            return (jnp.tanh(z) @ w3 / np.sqrt(width) + b3)[:, 0]

        @jax.jit
        def empirical(key):
            keys, shapes = jax.random.split(key, 6), [(4, width), (width, width), (width, 1)]
            parameters = [
                (cw**0.5 * jax.random.normal(kw, shape), cb**0.5 * jax.random.normal(kb, shape[1:]))
                for kw, kb, shape in zip(keys[::2], keys[1::2], shapes, strict=True)
            ]
            f = network(parameters, x)
            ntk = 0.0
            for weight, bias in jax.jacobian(network)(parameters, x):
                weight, bias = weight.reshape(len(x), -1), bias.reshape(len(x), -1)
                ntk += rate_w * weight @ weight.T + rate_b * bias @ bias.T
            return jnp.outer(f, f), ntk

        samples = jax.lax.map(empirical, jax.random.split(jax.random.key(0), draws))
        analytic = nf.MLP(3, "tanh", cw, cb, rate_w, rate_b).kernel(x)
        upper = np.triu_indices(3)
        for sample, expected in zip(samples, analytic, strict=True):
            error = np.asarray(sample.std(0) / draws**0.5)[upper]
            # six correlated numbers within 3.5 standard errors (chance failure below 0.3 %), width corrections of
            # order 1/128 of the kernel on top
            difference = np.abs(np.asarray(sample.mean(0) - expected)[upper])
            assert (difference < 3.5 * error + np.abs(np.asarray(expected)[upper]) / width).all()
        defaults = nf.MLP(3, "tanh", cw, cb).kernel(x).ntk  # what a lost rate would give
        assert (np.abs(samples[1].mean(0) - defaults) > 0.1 * np.abs(defaults)).all()

    def test_linear_networks_by_hand(self):
        x, cw, cb, rate_w, rate_b = inputs(4), 1.5, 0.3, 0.6, 0.9
        k = x @ x.T / x.shape[1]
        network = nf.MLP(3, "identity", cw, cb, rate_w, rate_b)
        first = cb + cw * k
        second = cb + cw * first
        ntk = rate_b + rate_w * k
        ntk = rate_b + rate_w * first + cw * ntk
        ntk = rate_b + rate_w * second + cw * ntk
        np.testing.assert_allclose(network.kernel(x).nngp, cb + cw * second, rtol=1e-13)
        np.testing.assert_allclose(network.kernel(x).ntk, ntk, rtol=1e-13)

    def test_the_kernel_is_linear_in_the_rates_and_frozen_parameters_have_none(self):
        x = inputs(4)

        def ntk(weight_rate, bias_rate):
            return nf.MLP(3, "erf", 1.2, 0.3, weight_rate, bias_rate).kernel(x).ntk

        assert (ntk(0.0, 0.0) == 0).all()
        np.testing.assert_allclose(ntk(0.7, 0.4), 0.7 * ntk(1.0, 0.0) + 0.4 * ntk(0.0, 1.0), rtol=1e-13)
        np.testing.assert_allclose(ntk(1.2, 0.3), nf.MLP(3, "erf", 1.2, 0.3).kernel(x).ntk, rtol=1e-14)


class TestShapes:
    @pytest.mark.parametrize("n", [1, 5, 17])
    def test_padding_to_buckets_leaves_no_trace(self, n):
        x1, x2 = inputs(n, seed=5), inputs(3, seed=6)
        network = nf.MLP(2, "relu", 2.0, 0.1)
        for whole, gram in zip(network.kernel(x1, x2), network.kernel(x1), strict=True):
            assert whole.shape == (n, 3)
            assert gram.shape == (n, n)
        one_by_one = [[float(network.kernel(a[None], b[None]).ntk[0, 0]) for b in x2] for a in x1[:5]]
        np.testing.assert_allclose(network.kernel(x1, x2).ntk[:5], one_by_one, rtol=1e-13)

    @pytest.mark.parametrize("activation", ["relu", "erf", "tanh"])
    def test_gram_matrices_are_symmetric_and_are_those_of_both_arguments_given(self, activation):
        x, network = inputs(7), nf.MLP(2, activation, 1.5, 0.1)
        for gram, full in zip(network.kernel(x), network.kernel(x, x), strict=True):
            np.testing.assert_array_equal(gram, gram.T)
            np.testing.assert_allclose(gram, full, rtol=1e-12)
            assert gram.dtype == jnp.float64

    @given(st.floats(1e-3, 1e3))
    @settings(max_examples=10, deadline=None)
    def test_relu_networks_without_bias_are_homogeneous(self, a):
        x, network = inputs(3), nf.MLP(3, "relu", 2.0)
        for scaled, plain in zip(network.kernel(a * x, x), network.kernel(x, x), strict=True):
            np.testing.assert_allclose(scaled, a * plain, rtol=1e-10, atol=1e-12 * a)


class TestRefusals:
    @pytest.mark.parametrize(
        ("x1", "x2", "message"),
        [
            (np.ones(3), None, r"x1 of shape = \(3,\) is refused: expected an array of rank 2, \[n, d\]"),
            (np.ones((2, 3)), np.ones((2, 4)), r"x2 of shape = \(2, 4\) is refused: .*dimension as x1, 3"),
            (np.ones((2, 3)), np.ones(3), r"x2 of shape = \(3,\) is refused: expected an array of rank 2"),
            (np.ones((0, 3)), None, r"x1 of shape = \(0, 3\) is refused: expected no axis of length 0"),
            (np.ones((2, 3)) * 1j, None, r"x1 = .* is refused: expected a real array"),
            ([[1.0, np.nan]], None, r"x1\[0, 1\] = nan is refused: expected finite"),
            ([[1.0]], [[np.inf]], r"x2\[0, 0\] = inf is refused: expected finite"),
            ([["a"]], None, r"x1 = \[\['a'\]\] is refused: expected a real array"),
            ([[1.0], [1.0, 2.0]], None, r"x1 = .* is refused: expected a real array"),
            (None, None, r"x1"),
        ],
    )
    def test_inputs(self, x1, x2, message):
        with pytest.raises(ValueError, match=message) as error:
            nf.MLP(2, "relu").kernel(x1, x2)
        assert "\n" not in str(error.value)
