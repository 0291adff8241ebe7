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

from ntkfield import checks
from ntkfield.gaussian import closed_forms, quadrature

DEFAULT_ORDER = 128


class Activation(abc.ABC):
    """A pointwise nonlinearity: callable, differentiable, with Gaussian two-point functions."""

    name: str

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

    def derivative(self, order: int = 1) -> Callable[[jax.Array], jax.Array]:
        r"""The function :math:`\sigma^{(k)}`, elementwise.

        Raises:
            ValueError: if that derivative is not a function (a kink differentiated twice).
        """
        return functools.reduce(lambda f, _: quadrature.derivative(f), range(checks.whole("order", order, 0)), self)

    def two_point_derivative(self, q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
        r"""Expectation :math:`\langle\sigma'(u)\sigma'(v)\rangle`: two_point's derivative in q12 (Price's theorem)."""
        q12 = jnp.asarray(q12, jnp.float64)
        return jax.jvp(lambda q: self.two_point(q11, q, q22), (q12,), (jnp.ones_like(q12),))[1]

    def refined(self) -> "Activation":
        """The same activation with a finer rule for its expectations; itself where they are exact."""
        return self


@dataclasses.dataclass(frozen=True)
class LeakyRelu(Activation):
    r"""Leaky ReLU: :math:`x` for :math:`x > 0`, ``slope`` :math:`\cdot x` below (slope 0: ReLU, -1: absolute value)."""

    slope: float = 0.0

    @property
    def name(self) -> str:
        return "relu" if self.slope == 0 else f"leaky_relu({self.slope:g})"

    @property
    def smooth(self) -> bool:
        return self.slope == 1

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
    def name(self) -> str:
        identity = self.coefficients == (0.0, 1.0)
        return "identity" if identity else f"polynomial({', '.join(f'{c:g}' for c in self.coefficients)})"

    def __call__(self, x: jax.Array) -> jax.Array:
        return jnp.polyval(jnp.asarray(self.coefficients[::-1]), x)

    def two_point(self, q11: jax.Array, q12: jax.Array, q22: jax.Array) -> jax.Array:
        return closed_forms.polynomial(self.coefficients, q11, q12, q22)


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
        slope = quadrature.derivative(self.function)
        return quadrature.pair_expectation(slope, slope, self.order, q11, q12, q22)

    def refined(self) -> "Quadrature":
        return dataclasses.replace(self, order=3 * self.order // 2)


def _gelu(x: jax.Array) -> jax.Array:
    return jax.nn.gelu(x, approximate=False)


def relu() -> Activation:
    r"""ReLU, :math:`\max(x, 0)`."""
    return LeakyRelu(0.0)


def leaky_relu(slope: float) -> Activation:
    r"""Leaky ReLU, ``slope`` :math:`\cdot x` below zero."""
    return LeakyRelu(checks.finite("slope", slope))


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
        ValueError: if it cannot be called, or does not return an array of the shape it is given.
    """
    if not callable(function):
        raise checks.refuse("activation", function, "a function of one array")
    x = jax.ShapeDtypeStruct((3,), jnp.float64)
    if getattr(jax.eval_shape(function, x), "shape", None) != (3,):
        raise checks.refuse("activation", name or function, "a function that acts elementwise")
    return Quadrature(name or getattr(function, "__name__", "user"), function, checks.whole("order", order, 4))


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
