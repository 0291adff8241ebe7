r"""Activations :math:`\sigma` with their derivative tower and their Gaussian two-point functions.

An :class:`Activation` is a frozen value: hashable, so that JAX compiles one program per activation. Where the
two-point function is known in closed form it is used; otherwise a quadrature takes its place, and
:meth:`Activation.refined` gives the same activation with a finer rule, so that every result has an error estimate.
"""

import abc
import dataclasses
import functools
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.checks import Array
from ntkfield.gaussian import closed_forms, multipoint, orthant, quadrature
from ntkfield.gaussian.choices import Families, Moves, Rows, Types
from ntkfield.gaussian.tower import Tower, derivatives

DEFAULT_ORDER = 128
PAIRS = tuple((i, n - i) for n in (0, 2, 4, 6) for i in range(n // 2, min(n, 5) + 1))
"""Orders of the two-point moments that the first-order system reads, the larger one first."""


class Activation(abc.ABC):
    """A pointwise nonlinearity: callable, differentiable, with Gaussian two-point functions."""

    name: str  # a field or a property, as suits each

    @abc.abstractmethod
    def __call__(self, x: jax.Array) -> jax.Array:
        """Values of the activation, elementwise."""

    @abc.abstractmethod
    def two_point(self, q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
        r"""Expectation :math:`\langle\sigma(u)\sigma(v)\rangle` for covariances that broadcast against each other."""

    @property
    def smooth(self) -> bool:
        """Whether all derivatives are functions (no kink)."""
        return True

    @property
    def four_point_error(self) -> float | None:
        """Relative error of moments of four factors where no order improves them; None where one does."""
        return None

    @property
    def caution(self) -> float:
        """How many times its change under :meth:`refined` an expectation may be off."""
        return 1.0

    def derivative(self, order: int = 1) -> Callable[[jax.Array], jax.Array]:
        r"""The function :math:`\sigma^{(k)}`, elementwise.

        Raises:
            ValueError: if that derivative is not a function (a kink differentiated twice).
        """
        return derivatives(self, checks.whole("order", order, 0))[-1]

    def two_point_derivative(self, q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
        r"""Expectation :math:`\langle\sigma'(u)\sigma'(v)\rangle`, by Price's theorem two_point's q12-derivative."""
        q12 = jnp.asarray(q12, jnp.result_type(q12, 1.0))  # single precision stays single
        return jax.jvp(lambda q: self.two_point(q11, q, q22), (q12,), (jnp.ones_like(q12),))[1]

    def two_point_moment(self, i: int, j: int, q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
        r"""Expectation :math:`\langle\sigma^{(i)}(u)\sigma^{(j)}(v)\rangle`, i + j even, by Price's theorem.

        On the two-point function :math:`\partial_{q_{12}}` raises both orders by one, :math:`2\partial_{q_{11}}` the
        first by two, :math:`2\partial_{q_{22}}` the second by two. At a kink and
        correlation :math:`\pm1` the derivatives that are infinite are given as zero: along fluctuations that keep the
        correlation, homogeneity makes their sum zero.
        """
        if (i + j) % 2:
            raise checks.refuse("orders", (i, j), "two orders with an even sum")
        mixed = min(i, j)
        moment = self.two_point if mixed == 0 else self.two_point_derivative
        slots = [1] * (mixed - 1) + [0] * ((i - mixed) // 2) + [2] * ((j - mixed) // 2)
        factor = 2.0 ** ((i + j) // 2 - mixed)
        q = tuple(jnp.asarray(x, jnp.float64) for x in (q11, q12, q22))
        return factor * functools.reduce(_partial, slots, moment)(*q)

    def two_point_moments(self, k: Array) -> Mapping[tuple[int, int], Array]:
        r"""Expectations :math:`\langle\sigma^{(i)}_a\sigma^{(j)}_b\rangle` at all inputs, for all :data:`PAIRS` (i, j).

        Args:
            k: covariance [m, m] of the preactivations of m inputs.

        Returns:
            One array [m, m] per pair of orders.
        """
        return _by_price(self, k)

    def four_point_moments(self, k: Array, types: tuple[str, ...], order: int) -> Mapping[str, Array]:
        r"""Expectations :math:`\langle\sigma^{(i)}_a\sigma^{(j)}_b\sigma^{(k)}_c\sigma^{(l)}_d\rangle` at all inputs.

        Args:
            k: covariance [m, m] of the preactivations of m inputs.
            types: the orders i, j, k, l in rising sequence, as in "0011".
            order: fineness of the quadrature, in nodes per axis; of no effect where no quadrature is needed.

        Returns:
            One array [m, m, m, m] per type.
        """
        return next(iter(self.four_point_families(k, types, order, np.arange(len(k))[None])))

    def four_point_families(self, k: Array, types: Types, order: int, families: Rows, moves: Moves = ()) -> Families:
        """Moments of four factors within families of inputs, of which what families share is computed once.

        Args:
            k: covariance [n, n] of the preactivations of n inputs.
            types: as for one list of inputs.
            order: as for one list of inputs.
            families: inputs of each family in rising order, [families, m].
            moves: permutations of a family's inputs, a group, that keep its covariance; they spare what is alike.

        Yields:
            For each family one array [m, m, m, m] per type.
        """
        tower, rule = Tower(self.derivative), multipoint.trapezoid
        return multipoint.four_point_moments(tower, types, rule, order, k, families, moves)

    def accuracy(self, q: np.ndarray) -> quadrature.Accuracy | None:
        r"""Mean squares at variances `q` [n], and how far the two-point functions of :math:`\sigma` and
        :math:`\sigma'` may be off there at any correlation, relative to their values at equal inputs; None where they
        are exact.
        """
        return None

    def refined(self) -> "Activation":
        """The same activation with a finer rule for its expectations; itself where they are exact."""
        return self


def _price(sigma: Activation, k: jax.Array) -> dict[tuple[int, int], jax.Array]:
    variance = jnp.diagonal(k)
    return {pair: sigma.two_point_moment(*pair, variance[:, None], k, variance[None, :]) for pair in PAIRS}


_by_price = jax.jit(_price, static_argnums=0)


def _partial(f: Callable, slot: int) -> Callable:
    """The partial derivative of an elementwise function of three arrays."""

    def derivative(*q: jax.Array) -> jax.Array:
        return jax.jvp(lambda x: f(*q[:slot], x, *q[slot + 1 :]), (q[slot],), (jnp.ones_like(q[slot]),))[1]

    return derivative


@dataclasses.dataclass(frozen=True)
class LeakyRelu(Activation):
    r"""Leaky ReLU: :math:`x` for :math:`x > 0`, ``slope`` :math:`\cdot x` below (slope 0: ReLU, -1: absolute value)."""

    slope: float = 0.0

    @property
    def name(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return "relu" if self.slope == 0 else f"leaky_relu({self.slope:g})"

    @property
    def smooth(self) -> bool:
        return False

    @property
    def four_point_error(self) -> float:
        return 1e-8  # for inputs that depend on each other; 1e-12 otherwise

    def __call__(self, x: jax.Array) -> jax.Array:
        return jnp.where(x > 0, x, self.slope * x)

    def derivative(self, order: int = 1) -> Callable[[jax.Array], jax.Array]:
        if checks.whole("order", order, 0) > 1:
            raise checks.refuse("order", order, f"0 or 1 for {self.name}, whose derivative jumps at zero")
        return self if order == 0 else self._step

    def _step(self, x: jax.Array) -> jax.Array:
        return jnp.where(x > 0, 1.0, jnp.where(x < 0, self.slope, 0.5 * (1 + self.slope)))

    def two_point(self, q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
        kink = (1 - self.slope) ** 2
        return self.slope * q12 + kink * closed_forms.relu(q11, q12, q22)

    def two_point_derivative(self, q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
        return self.slope + (1 - self.slope) ** 2 * closed_forms.step(q11, q12, q22)

    def two_point_moments(self, k: Array) -> dict[tuple[int, int], jax.Array]:
        return _by_price_at_slope(self.slope, k)

    def four_point_families(self, k: Array, types: Types, order: int, families: Rows, moves: Moves = ()) -> Families:
        for rows in families:
            own = np.asarray(k)[np.ix_(rows, rows)]
            yield orthant.four_point_moments(0.5 * (1 + self.slope), 0.5 * (1 - self.slope), types, own, moves)


@jax.jit
def _by_price_at_slope(slope: float, k: jax.Array) -> dict[tuple[int, int], jax.Array]:
    """One program for all slopes."""
    return _price(LeakyRelu(slope), k)


@dataclasses.dataclass(frozen=True)
class ClosedForm(Activation):
    """A smooth activation whose two-point function is known in closed form."""

    name: str
    function: Callable[[jax.Array], jax.Array]
    pair: Callable[[jax.Array, jax.Array, jax.Array], jax.Array]

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.function(x)

    def two_point(self, q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
        return self.pair(q11, q12, q22)


@dataclasses.dataclass(frozen=True)
class Polynomial(Activation):
    r"""Polynomial :math:`\sum_k c_k x^k` with ``coefficients`` :math:`(c_0, c_1, \dots)`."""

    coefficients: tuple[float, ...]

    @property
    def name(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        identity = self.coefficients == (0.0, 1.0)
        return "identity" if identity else f"polynomial({', '.join(f'{c:g}' for c in self.coefficients)})"

    def __call__(self, x: jax.Array) -> jax.Array:
        return jnp.polyval(jnp.asarray(self.coefficients[::-1]), x)

    @property
    def four_point_error(self) -> float:
        return 1e-14

    def two_point(self, q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
        return closed_forms.polynomial(self.coefficients, q11, q12, q22)

    def four_point_families(self, k: Array, types: Types, order: int, families: Rows, moves: Moves = ()) -> Families:
        # A Gauss-Hermite rule with n nodes is exact up to degree 2n - 1, and four factors have four times the degree.
        order = 2 * len(self.coefficients) - 1
        exact = multipoint.gauss_hermite(order)
        return multipoint.four_point_moments(Tower(self.derivative), types, lambda _: exact, order, k, families, moves)


@dataclasses.dataclass(frozen=True)
class Quadrature(Activation):
    """Any elementwise JAX function; expectations by ``order`` terms of Mehler's series (:mod:`ntkfield.gaussian`).

    Converges fast for a function analytic near the real axis, the slower the nearer its poles and the larger the
    variance. For a function with a kink it converges only algebraically.
    """

    name: str
    function: Callable[[jax.Array], jax.Array]
    order: int = DEFAULT_ORDER

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.function(x)

    def two_point(self, q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
        return quadrature.pair_expectation(self.function, self.function, self.order, q11, q12, q22)

    def two_point_derivative(self, q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
        return self.two_point_moment(1, 1, q11, q12, q22)

    def two_point_moment(self, i: int, j: int, q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
        return quadrature.pair_expectation(self.derivative(i), self.derivative(j), self.order, q11, q12, q22)

    def two_point_moments(self, k: Array) -> dict[tuple[int, int], np.ndarray]:
        return quadrature.pair_moments(Tower(self.derivative), PAIRS, self.order, k)

    @property
    def smooth(self) -> bool:
        return quadrature.has_derivatives(self.function, 4)

    @property
    def caution(self) -> float:
        # A series longer by half takes only a third off an error that falls like 1/order, as at a kink.
        return 4.0

    def accuracy(self, q: np.ndarray) -> quadrature.Accuracy:
        value, slope = (quadrature.accuracy(self.derivative(k), self.order, q) for k in range(2))
        return value._replace(error=np.maximum(value.error, slope.error))

    def refined(self) -> "Quadrature":
        return dataclasses.replace(self, order=3 * self.order // 2)


def _gelu(x: jax.Array) -> jax.Array:
    return jax.nn.gelu(x, approximate=False)


def relu() -> Activation:
    r"""ReLU, :math:`\max(x, 0)`."""
    return LeakyRelu(0.0)


def leaky_relu(slope: float) -> Activation:
    r"""Leaky ReLU, ``slope`` :math:`\cdot x` below zero; the identity for slope 1, which has no kink."""
    return identity() if checks.finite("slope", slope) == 1 else LeakyRelu(float(slope))


def polynomial(coefficients: tuple[float, ...]) -> Activation:
    r"""Polynomial :math:`\sum_k c_k x^k`, lowest order first."""
    if not coefficients or isinstance(coefficients, str):
        raise checks.refuse("coefficients", coefficients, "at least one finite number, lowest order first")
    return Polynomial(tuple(checks.finite("coefficients", c) for c in coefficients))


def identity() -> Activation:
    """The identity: a linear network."""
    return Polynomial((0.0, 1.0))


def from_function(function: Callable[[jax.Array], jax.Array], name: str = "", order: int = DEFAULT_ORDER) -> Activation:
    """An activation from any elementwise JAX function.

    Args:
        function: maps an array to an array of the same shape, elementwise, differentiable by JAX.
        name: how results call it; the function's own name if empty.
        order: terms of the series for its expectations.

    Raises:
        ValueError: if it cannot be called, is not made of JAX's operations, or does not act on each entry by itself.
    """
    if not callable(function):
        raise checks.refuse("activation", function, "a function of one array")
    label, x = name or getattr(function, "__name__", function), jnp.array([-1.3, 0.4, 2.1])
    try:
        whole = jax.jit(function)(x)
        single = [jax.jit(function)(x[k : k + 1]) for k in range(3)]
    except (TypeError, ValueError, jax.errors.JAXTypeError) as error:
        accepted = "a function of one array made of operations of jax.numpy (jnp.where in place of an if)"
        raise checks.refuse("activation", label, accepted) from error
    if getattr(whole, "shape", None) != (3,) or not jnp.allclose(whole, jnp.concatenate(single), equal_nan=True):
        raise checks.refuse("activation", label, "a function that acts elementwise")
    return Quadrature(name or getattr(function, "__name__", "user"), function, checks.whole("order", order, 4))


def differentiable(sigma: Activation) -> Activation:
    """`sigma` itself, refused if its derivatives are not all functions and not known in closed form either.

    Raises:
        ValueError: for a function with a kink or a jump.
    """
    if sigma.smooth or sigma.four_point_error is not None:
        return sigma
    accepted = "a function with four derivatives (JAX does not see what a kink adds to them), or relu or leaky_relu"
    raise checks.refuse("activation", sigma.name, accepted)


_PLAIN: dict[str, Callable[[], Activation]] = {
    "relu": relu,
    "erf": lambda: ClosedForm("erf", jax.scipy.special.erf, closed_forms.erf),
    "gelu": lambda: ClosedForm("gelu", _gelu, closed_forms.gelu),
    "sin": lambda: ClosedForm("sin", jnp.sin, closed_forms.sine),
    "cos": lambda: ClosedForm("cos", jnp.cos, closed_forms.cosine),
    "identity": identity,
    "tanh": lambda: Quadrature("tanh", jnp.tanh),
    "softplus": lambda: Quadrature("softplus", jax.nn.softplus),
    "swish": lambda: Quadrature("swish", jax.nn.swish),
}
_WITH_PARAMETERS: dict[str, Callable[..., Activation]] = {"leaky_relu": leaky_relu, "polynomial": polynomial}
NAMES = (*_PLAIN, *_WITH_PARAMETERS)
"""The activations that are known by name."""


def activation(value: "str | Mapping | Activation | Callable") -> Activation:
    """The activation meant by `value`.

    Args:
        value: a name of :data:`NAMES` without parameters; a mapping with its name and parameters, as in a config,
            ``{"name": "leaky_relu", "slope": 0.1}``; an :class:`Activation`; or an elementwise JAX function.

    Raises:
        ValueError: naming the value and the accepted names.
    """
    if isinstance(value, Activation):
        return value
    if isinstance(value, str) and value in _PLAIN:
        return _PLAIN[value]()
    if isinstance(value, Mapping) and value.get("name") in NAMES:
        arguments = {key: item for key, item in value.items() if key != "name"}
        try:
            return (_PLAIN | _WITH_PARAMETERS)[value["name"]](**arguments)
        except TypeError:
            needs = {"leaky_relu": "slope", "polynomial": "coefficients"}.get(value["name"], "no parameters")
            raise checks.refuse("activation", dict(value), f"{needs} beside the name") from None
    if callable(value):
        return from_function(value)
    raise checks.refuse(
        "activation",
        value,
        f"one of {', '.join(_PLAIN)}, a mapping such as {{name: leaky_relu, slope: 0.1}} or "
        "{name: polynomial, coefficients: [0, 1, 0.5]}, or a JAX function",
    )
