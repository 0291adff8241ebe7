import re
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

import ntkfield as nf
from ntkfield.activations import NAMES, Activation, from_function, leaky_relu
from ntkfield.diagrams.expectations import engine
from ntkfield.gaussian.quadrature import has_derivatives
from ntkfield.groups.finite import FiniteGroup

# Every activation in NumPy, and its derivative: nothing shared with the library.
SMOOTH = {
    "erf": (special.erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-(x**2))),
    "gelu": (lambda x: x * special.ndtr(x), lambda x: special.ndtr(x) + x * np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)),
    "sin": (np.sin, np.cos),
    "cos": (np.cos, lambda x: -np.sin(x)),
    "identity": (lambda x: x, np.ones_like),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    "softplus": (lambda x: np.logaddexp(0, x), special.expit),
    "swish": (lambda x: x * special.expit(x), lambda x: special.expit(x) * (1 + x * special.expit(-x))),
    "polynomial": (lambda x: 0.3 - x + 0.5 * x**3, lambda x: -1 + 1.5 * x**2),
}
PARAMETERS = {"polynomial": {"coefficients": [0.3, -1.0, 0.0, 0.5]}, "leaky_relu": {"slope": 0.2}}
COVARIANCES = [
    (1.0, 0.3, 0.7),
    (0.6, -0.5, 1.1),
    (1.0, 0.0, 1.0),
    (1.0, 1.0, 1.0),
    (0.8, -0.8, 0.8),
    (1.0, 0.999999, 1.0),
    (1.0, -0.999999, 1.0),
    (0.0, 0.0, 1.3),
    (1.3, 0.0, 0.0),
    (0.0, 0.0, 0.0),
]


def named(name):
    return nf.activation({"name": name, **PARAMETERS.get(name, {})})


def gauss_hermite(f, q11, q12, q22, n=160):
    """<f(u) f(v)> on a product of Gauss-Hermite rules: poor near poles (1e-9 for tanh here), but another rule."""
    x, weights = np.polynomial.hermite_e.hermegauss(n)
    weights = weights / weights.sum()
    slope = q12 / np.sqrt(q11) if q11 > 0 else 0.0
    rest = np.sqrt(max(q22 - slope**2, 0.0))
    return weights @ (f(np.sqrt(q11) * x)[:, None] * f(slope * x[:, None] + rest * x)) @ weights


@pytest.mark.parametrize("q", COVARIANCES)
@pytest.mark.parametrize("name", SMOOTH)
def test_two_point_functions_against_gauss_hermite(name, q):
    function, slope = SMOOTH[name]
    tolerance = 1e-7 if name in ("tanh", "softplus", "swish") else 1e-12  # of the Gauss-Hermite rule: poles at iπ/2, iπ
    np.testing.assert_allclose(named(name).two_point(*q), gauss_hermite(function, *q), rtol=0, atol=tolerance)
    np.testing.assert_allclose(
        named(name).two_point_derivative(*q), gauss_hermite(slope, *q), rtol=0, atol=10 * tolerance
    )


@pytest.mark.parametrize("slope", [0.0, 0.2, -1.0, 1.0])
def test_leaky_relu_against_sampling(slope):
    rng = np.random.default_rng(0)
    q11, q12, q22 = 1.4, -0.5, 0.8
    z = rng.multivariate_normal([0, 0], [[q11, q12], [q12, q22]], size=1_000_000)
    products = np.prod(np.where(z > 0, z, slope * z), axis=1)
    steps = np.prod(np.where(z > 0, 1.0, slope), axis=1)
    for found, sample in (
        (leaky_relu(slope).two_point(q11, q12, q22), products),
        (leaky_relu(slope).two_point_derivative(q11, q12, q22), steps),
    ):
        # four standard errors: 1e-4 a number to fail by chance, and the seed is fixed
        assert abs(float(found) - sample.mean()) <= 4 * sample.std() / 1e3 + 1e-15


def test_leaky_relu_is_a_sum_of_relus():
    """σ = relu(x) - a relu(-x), so its kernel is that of relu at ±q12."""
    relu, a = nf.activation("relu"), 0.3
    for q11, q12, q22 in COVARIANCES:
        expected = (1 + a**2) * relu.two_point(q11, q12, q22) - 2 * a * relu.two_point(q11, -q12, q22)
        np.testing.assert_allclose(leaky_relu(a).two_point(q11, q12, q22), expected, atol=1e-15)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", *SMOOTH])
class TestTower:
    def test_values_and_derivatives(self, name):
        x = np.array([-3.0, -0.7, 0.4, 2.0])
        function = SMOOTH[name][0] if name in SMOOTH else lambda x: np.where(x > 0, x, x * 0.2 * (name != "relu"))
        np.testing.assert_allclose(named(name)(x), function(x), rtol=1e-12)
        h = 1e-5
        np.testing.assert_allclose(
            named(name).derivative()(x), (function(x + h) - function(x - h)) / (2 * h), rtol=1e-8, atol=1e-9
        )
        np.testing.assert_array_equal(named(name).derivative(0)(x), named(name)(x))

    def test_higher_derivatives(self, name):
        x, h = np.array([-3.0, -0.7, 0.4, 2.0]), 1e-5
        if not named(name).smooth:
            with pytest.raises(ValueError, match="order = 2 is refused: expected 0 or 1"):
                named(name).derivative(2)
            return
        for order in (2, 3):
            lower = named(name).derivative(order - 1)
            np.testing.assert_allclose(
                named(name).derivative(order)(x), (lower(x + h) - lower(x - h)) / (2 * h), rtol=1e-7, atol=1e-8
            )

    @pytest.mark.parametrize(
        "q", [(1.0, 1.0, 1.0), (1.0, -1.0, 1.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0)]
    )
    def test_degenerate_pairs_are_finite_and_differentiable(self, name, q):
        q = tuple(jnp.asarray(x) for x in q)
        for function in (named(name).two_point, named(name).two_point_derivative):
            assert np.isfinite(function(*q))
            assert np.isfinite(jax.grad(function, (0, 1, 2))(*q)).all()

    @pytest.mark.parametrize("q", [(1.0, 0.3, 0.7), (0.5, -0.4, 2.0)])
    def test_gradients(self, name, q):
        two_point = named(name).two_point
        found = jax.grad(two_point, (0, 1, 2))(*(jnp.asarray(x) for x in q))
        h = 1e-5
        for k in range(3):
            ahead, behind = ([x + (i == k) * s * h for i, x in enumerate(q)] for s in (1, -1))
            # differences err by h² and by rounding over h, some 1e-10 of each
            expected = (two_point(*ahead) - two_point(*behind)) / (2 * h)
            np.testing.assert_allclose(found[k], expected, rtol=1e-8, atol=1e-9)
        # Price's theorem
        np.testing.assert_allclose(named(name).two_point_derivative(*q), found[1], rtol=1e-11, atol=1e-13)

    def test_it_is_a_value(self, name):
        assert named(name) == named(name)
        assert hash(named(name)) == hash(named(name))
        assert isinstance(named(name).name, str)

    @given(st.floats(0.0, 4.0), st.floats(-1.0, 1.0), st.floats(0.0, 4.0))
    @settings(max_examples=10, deadline=None)
    def test_symmetry_and_cauchy_schwarz(self, name, q11, c, q22):
        two_point, q12 = named(name).two_point, c * np.sqrt(q11 * q22)
        value, one, other = two_point(q11, q12, q22), two_point(q11, q11, q11), two_point(q22, q22, q22)
        np.testing.assert_allclose(value, two_point(q22, q12, q11), rtol=1e-12, atol=1e-13)
        assert value**2 <= one * other * (1 + 1e-9) + 1e-9


CORRELATIONS = np.array([1.0, 0.999, 0.99, 0.9, 0.6, 0.01, -0.3, -0.9, -0.99, -1.0])


def dense_rule(f, q, c, n=4000, radius=10.0):
    """<f(u) f(v)> at equal variances q: at each correlation a rule too fine to care for poles near the axis."""
    x = np.linspace(-radius, radius, n + 1)
    weights = np.exp(-0.5 * x**2)
    weights /= weights.sum()
    root = np.sqrt(q)
    if abs(c) == 1:
        return weights @ (f(root * x) * f(c * root * x))
    return weights @ (f(root * x)[:, None] * f(root * (c * x[:, None] + np.sqrt(1 - c**2) * x))) @ weights


class TestErrorEstimate:
    @pytest.mark.parametrize("q", [1.0, 25.0, 100.0])
    def test_it_predicts_the_error_at_large_variance(self, q):
        function, slope = SMOOTH["tanh"]
        tanh = nf.activation("tanh")
        for method, f in (("two_point", function), ("two_point_derivative", slope)):
            exact = np.array([dense_rule(f, q, c) for c in CORRELATIONS])
            value, refined = (np.asarray(getattr(a, method)(q, CORRELATIONS * q, q)) for a in (tanh, tanh.refined()))
            error, estimate = abs(value - exact), abs(refined - value)
            # the error falls at least by a third from order 128 to 192; 1e-12 is rounding of the rules
            assert (error <= 3 * estimate + 1e-12).all()
            assert (estimate <= 3 * error + 1e-12).all()
            assert error.max() < {1.0: 1e-12, 25.0: 1e-3, 100.0: 0.05}[q]

    def test_it_predicts_the_error_at_a_kink(self):
        def kinked(x):
            return jnp.maximum(x, 0.2 * x)

        user, exact = from_function(kinked), leaky_relu(0.2)
        for method, size in (("two_point", 2e-3), ("two_point_derivative", 2e-2)):
            value, refined, truth = (
                np.asarray(getattr(a, method)(4.0, 4.0 * CORRELATIONS, 4.0)) for a in (user, user.refined(), exact)
            )
            # first order at worst: of an error e, order 192 leaves 2/3, and the estimate is e/3; 4 for its ripples
            error, estimate = abs(value - truth).max(), abs(refined - value).max()
            assert estimate / 3 < error < 4 * estimate
            assert 1e-5 < error < size

    def test_networks_pass_it_on(self):
        x = 12 * np.random.default_rng(0).normal(size=(4, 3))
        network = nf.MLP(2, "tanh", weight_variance=1.5, bias_variance=0.1)
        best = nf.MLP(2, from_function(jnp.tanh, order=768), weight_variance=1.5, bias_variance=0.1).kernel(x)
        for found, exact, estimate in zip(network.kernel(x), best, network.kernel_error(x), strict=True):
            assert 1e-9 < abs(found - exact).max() < np.max(estimate)
            # four times a change that is at most three times the error
            assert np.max(estimate) < 12 * abs(found - exact).max()

    def test_networks_are_not_more_wrong_at_a_kink_than_they_say(self):
        x = np.random.default_rng(0).normal(size=(6, 3))
        network = nf.MLP(2, from_function(lambda x: jnp.maximum(x, 0.2 * x)))
        best = nf.MLP(2, leaky_relu(0.2)).kernel(x)
        for found, exact, estimate in zip(network.kernel(x), best, network.kernel_error(x), strict=True):
            assert 1e-5 < abs(found - exact).max() < np.max(estimate)

    def test_closed_forms_have_none(self):
        x = np.random.default_rng(0).normal(size=(3, 3))
        for name in ("relu", "erf", "gelu", "sin", "identity"):
            assert nf.activation(name).refined() is not None
            for estimate in nf.MLP(2, name).kernel_error(x):
                assert (estimate == 0).all()


def gelu(x):
    return jax.nn.gelu(x, approximate=False)


class TestAccuracy:
    """What is said before a kernel is computed."""

    @pytest.mark.parametrize(
        ("function", "name", "variances"),
        [
            (jnp.tanh, "tanh", [4.0, 25.0, 100.0]),
            (gelu, "gelu", [4.0, 25.0, 100.0]),
            (lambda x: jnp.maximum(x, 0), "relu", [1.0]),
        ],
        ids=["tanh", "gelu", "kink"],
    )
    def test_it_bounds_the_error_at_every_correlation_and_not_by_much(self, function, name, variances):
        correlations, sigma, worst = (
            np.array([-1, -0.98, 0.9, 0.97, 0.98, 0.99, 0.995, 1.0]),
            from_function(function),
            [],
        )
        for q in variances:
            errors = []
            for method, f in zip(("two_point", "two_point_derivative"), SMOOTH.get(name, (None, None)), strict=True):
                if name == "tanh":
                    best = np.array([dense_rule(f, q, c, n=1000) for c in correlations])
                else:
                    best = np.asarray(getattr(named(name), method)(q, q * correlations, q))
                errors.append(abs(np.asarray(getattr(sigma, method)(q, q * correlations, q)) - best).max() / best[-1])
            worst.append(max(errors))
        found = sigma.accuracy(np.array(variances)).error
        assert (np.array(worst) <= found + 1e-12).all()  # 1e-12: rounding
        assert (found <= 5 * np.array(worst) + 1e-12).all()

    def test_closed_forms_have_none(self):
        assert all(named(name).accuracy(np.ones(1)) is None for name in ("erf", "gelu", "sin", "polynomial"))

    def test_a_series_that_is_too_short_is_said_with_its_remedy(self):
        """GELU by hand at variances that double from layer to layer."""
        x = np.random.default_rng(0).normal(size=(4, 3))
        with pytest.warns(RuntimeWarning, match="activation gelu: .* 128 terms .* even 512 are not") as said:
            found = nf.MLP(3, gelu, 4.0).kernel(10 * x).ntk
        stated = float(re.search(r"off by (\S+) of", str(said[0].message))[1])
        exact = nf.MLP(3, "gelu", 4.0).kernel(10 * x).ntk
        error = np.max(abs(found - exact) / np.sqrt(np.outer(np.diag(exact), np.diag(exact))))
        assert 1e-3 < error < stated < 10 * error  # the two layers' largest errors are added up
        with pytest.warns(RuntimeWarning, match=r"order=256 in from_function is enough for 0.001"):
            nf.MLP(3, gelu, 4.0).kernel(3 * x)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            nf.MLP(3, from_function(gelu, order=256), 4.0).kernel(3 * x)

    @pytest.mark.parametrize(
        ("network", "shape"),
        [
            (nf.GroupCNN("c4", 1, "tanh"), (1, 3, 3, 1)),
            (nf.GroupCNN("c4", 1, "tanh", filter_shape="global"), (1, 3, 3, 1)),
            (nf.GroupCNN(FiniteGroup("swap", [[0, 1], [1, 0]]), 1, "tanh", support=[0]), (1, 2, 1)),
            (nf.GroupCNN("so3", 1, "tanh", bandlimit=2), (1, 2, 3, 1)),
        ],
        ids=["planar", "global", "finite", "so3"],
    )
    def test_every_family_of_networks_says_so(self, network, shape):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            network.kernel(np.ones(shape))
        with pytest.warns(RuntimeWarning, match="activation tanh"):
            network.kernel(10 * np.ones(shape))

    @pytest.mark.parametrize("function", [lambda x: jnp.exp(x**2), lambda x: jnp.exp(jnp.exp(x))])
    def test_a_mean_square_that_does_not_exist_is_refused(self, function):
        with pytest.raises(ValueError, match="activation = 'odd' is refused: expected a function with a mean square"):
            nf.MLP(2, from_function(function, name="odd")).kernel(np.ones((1, 2)))

    def test_growth_that_the_gaussian_outdoes_is_not(self):
        """<exp(x^2/8)^2> = 1/sqrt(1 - q/2)."""
        sigma = from_function(lambda x: jnp.exp(x**2 / 8))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = nf.MLP(2, sigma).kernel(np.ones((1, 2))).nngp
        np.testing.assert_allclose(found, np.sqrt(2), rtol=1e-9)


class TestUserFunctions:
    @pytest.mark.parametrize("name", ["tanh", "gelu", "swish", "softplus", "erf", "sin", "polynomial"])
    def test_smooth_functions_have_their_derivatives(self, name):
        assert has_derivatives(named(name), 4)
        assert has_derivatives(lambda x: named(name)(3 * x - 1), 4)

    @pytest.mark.parametrize(
        ("function", "count"),
        [
            (lambda x: jnp.where(x > 0.3, 1.0, 0.0), 0),
            (lambda x: jnp.maximum(x, 0), 1),
            (lambda x: jnp.clip(x, -1, 1), 1),
            (jax.nn.elu, 1 + 1),  # its slope is 1 on both sides: the kink is in the slope
            (lambda x: jnp.maximum(x, 0) ** 2, 2),
            (lambda x: x * abs(x) ** 2 + abs(x) ** 3, 3),
        ],
        ids=["jump", "relu", "clip", "elu", "squared relu", "cubed relu"],
    )
    def test_derivatives_end_at_a_kink(self, function, count):
        assert [has_derivatives(function, order) for order in range(1, 5)] == [order <= count for order in range(1, 5)]

    def test_a_kink_that_autodiff_does_not_see_is_refused_where_it_matters(self):
        mine = from_function(lambda x: jnp.maximum(x, 0), name="mine")
        for compute in (
            lambda: nf.finite_width(nf.MLP(3, mine), np.eye(2), ["Theta1"]),
            lambda: nf.critical_initialization(mine),
            lambda: engine(mine),
        ):
            with pytest.raises(ValueError, match="activation = 'mine' is refused: expected a function with four"):
                compute()

    @pytest.mark.parametrize(
        "function",
        [np.tanh, lambda x: x / jnp.sum(x**2), lambda x: x if x[0] > 0 else -x, lambda x: x if x > 0 else 0 * x],
    )
    def test_what_is_not_elementwise_in_jax_is_refused(self, function):
        with pytest.raises(ValueError, match="is refused: expected a function"):
            from_function(function, name="odd")

    def test_a_function_that_exists_under_a_name_has_the_same_kernel(self):
        def mine(x):
            return jax.scipy.special.erf(x)

        for q in COVARIANCES:
            np.testing.assert_allclose(
                nf.activation(mine).two_point(*q), nf.activation("erf").two_point(*q), atol=1e-13
            )
        assert nf.activation(mine).name == "mine"
        assert from_function(mine, name="other").name == "other"

    def test_order_is_accuracy(self):
        coarse, fine = (from_function(jnp.arctan, order=k).two_point(4.0, 3.9, 4.0) for k in (16, 512))
        best = from_function(jnp.arctan, order=1024).two_point(4.0, 3.9, 4.0)
        assert abs(coarse - best) > 1e3 * abs(fine - best)

    @pytest.mark.parametrize(
        ("function", "message"),
        [
            (lambda x: jnp.sum(x), "elementwise"),
            (lambda x: jnp.outer(x, x), "elementwise"),
            (lambda x: None, "elementwise"),
        ],
    )
    def test_functions_that_are_not_elementwise_are_refused(self, function, message):
        with pytest.raises(ValueError, match=rf"activation = .* is refused: expected .*{message}"):
            nf.activation(function)

    @pytest.mark.parametrize("order", [3, 0, 2.5, True, "many"])
    def test_orders_are_checked(self, order):
        with pytest.raises(ValueError, match=rf"order = {order!r} is refused: expected a whole number, 4 or above"):
            from_function(jnp.tanh, order=order)


class TestNames:
    def test_every_name_is_tested_here(self):
        assert set(NAMES) == {*SMOOTH, "relu", "leaky_relu"}

    def test_an_activation_stands_for_itself(self):
        relu = nf.activation("relu")
        assert isinstance(relu, Activation)
        assert nf.activation(relu) is relu
        assert nf.activation({"name": "relu"}) == relu
        assert leaky_relu(0.0) == relu
        assert nf.activation({"name": "polynomial", "coefficients": [0, 1]}) == nf.activation("identity")

    @pytest.mark.parametrize("value", ["reul", "leaky_relu", "", None, 3, {"name": "reul"}, {"slope": 0.1}, {}])
    def test_unknown_ones_are_refused_with_the_known(self, value):
        with pytest.raises(
            ValueError, match=r"activation = .* is refused: expected one of relu, erf, .*leaky_relu"
        ) as e:
            nf.activation(value)
        assert repr(value) in str(e.value)
        assert "\n" not in str(e.value)

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ({"name": "leaky_relu"}, "slope"),
            ({"name": "leaky_relu", "alpha": 0.1}, "slope"),
            ({"name": "relu", "slope": 0.1}, "no parameters"),
            ({"name": "polynomial"}, "coefficients"),
        ],
    )
    def test_parameters_are_named(self, value, message):
        with pytest.raises(ValueError, match=rf"activation = .* is refused: expected {message}"):
            nf.activation(value)

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ({"name": "leaky_relu", "slope": np.nan}, "slope = nan"),
            ({"name": "leaky_relu", "slope": "steep"}, "slope = 'steep'"),
            ({"name": "polynomial", "coefficients": []}, r"coefficients = \[\]"),
            ({"name": "polynomial", "coefficients": "01"}, "coefficients = '01'"),
            ({"name": "polynomial", "coefficients": [0.0, np.inf]}, "coefficients = inf"),
        ],
    )
    def test_parameters_are_checked(self, value, message):
        with pytest.raises(ValueError, match=rf"{message} is refused: expected"):
            nf.activation(value)

    @pytest.mark.parametrize("order", [-1, 1.5])
    def test_derivative_orders_are_checked(self, order):
        with pytest.raises(ValueError, match=rf"order = {order} is refused: expected a whole number, 0 or above"):
            nf.activation("tanh").derivative(order)
