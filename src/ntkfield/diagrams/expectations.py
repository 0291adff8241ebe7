r"""Which engine gives an activation's expectations :math:`\langle\prod\sigma^{(k)}_\alpha\rangle`.

A kink makes :math:`\sigma''` a delta function, which no grid sees. After integration by parts the recursions need it
in few places only: with two factors, where Price's theorem turns :math:`\langle\sigma^{(i)}\sigma^{(j)}\rangle` into a
derivative of the two-point function by the covariance, and once with four, where one variable is held at zero. Both
are closed forms of :mod:`ntkfield.gaussian`. Two deltas among four factors are infinite where their inputs coincide:
R, S, T and U have no value there.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.activations import Activation, activation, differentiable
from ntkfield.checks import Array
from ntkfield.gaussian.expectations import Expectations, Orders, TrapezoidExpectations, in_given_order
from ntkfield.gaussian.rungs import Rung, climb, ladder


class MissingExpectationError(ValueError):
    """An expectation that an engine cannot give: its ``orders``, and in the message why."""

    def __init__(self, orders: Orders, reason: str) -> None:
        super().__init__(reason)
        self.orders = orders


@dataclass(frozen=True)
class ActivationExpectations:
    r"""Expectations of two and of four factors from an activation's own two- and four-point functions.

    Exact for activations with a kink (1e-12; 1e-8 for inputs that depend on each other) and for polynomials. For others
    ``order`` nodes per axis, as in :func:`ntkfield.gaussian.multipoint.four_point_moments`; by default as many as make
    two orders agree to ``rtol`` of an expectation's largest entry, with a RuntimeWarning where none do. Other numbers
    of factors than 2 and 4 come from the trapezoid rule, if the activation is smooth.
    """

    activation: Activation
    order: int | None = None
    rtol: float = 1e-9

    def __call__(self, kernel: Array, orders: Sequence[Orders]) -> list[jax.Array]:
        """Arrays [m] * len(orders_k), one for each tuple of derivative orders.

        Raises:
            MissingExpectationError: for a number of factors other than 2 and 4, or an expectation that is infinite, at
                a kink.
        """
        kernel = jnp.asarray(kernel, jnp.float64)
        keys = {tuple(sorted(key)) for key in orders}
        by_grid = {key for key in keys if self._on_a_grid(key)}
        for key in sorted(keys - by_grid):
            self._check(key)
        types = tuple(sorted("".join(map(str, key)) for key in keys - by_grid if len(key) == 4))
        fours = self._four_point_moments(kernel, types) if types else {}
        pairs = self.activation.two_point_moments(kernel) if any(len(key) == 2 for key in keys - by_grid) else {}
        found = dict(zip(by_grid, TrapezoidExpectations(self.activation)(kernel, list(by_grid)), strict=True))
        variance = jnp.diagonal(kernel)
        for key in keys - by_grid:
            if len(key) == 4:
                found[key] = jnp.asarray(fours["".join(map(str, key))])
                continue
            i, j = key
            if (j, i) in pairs:
                found[key] = jnp.asarray(pairs[j, i]).T
            else:
                found[key] = self.activation.two_point_moment(i, j, variance[:, None], kernel, variance[None, :])
        return [in_given_order(found[tuple(sorted(key))], key) for key in orders]

    def _on_a_grid(self, key: Orders) -> bool:
        known = len(key) in (2, 4) and sum(key) % 2 == 0
        return not known and self.activation.four_point_error is None

    def _four_point_moments(self, kernel: jax.Array, types: tuple[str, ...]) -> Mapping[str, Array]:
        if self.order is not None or self.activation.four_point_error is not None:
            return self.activation.four_point_moments(kernel, types, self.order or 0)

        def tried(rung: Rung) -> tuple[Mapping[str, Array], float]:
            coarse, fine = (self.activation.four_point_moments(kernel, types, order) for order in rung)
            changes = ((np.max(abs(fine[t] - coarse[t])), np.max(abs(fine[t]))) for t in types)
            errors = [change / largest if change else 0.0 for change, largest in changes]
            return fine, float(np.max(errors))  # not Python's, which may pass over what is no number

        (_, order), fine, error = climb(ladder(len(kernel)), tried, self.rtol)
        if not error <= self.rtol:
            warnings.warn(
                f"rtol = {self.rtol:g} is not met for four factors of {self.activation.name} with the finest rule "
                f"tried, of order {order}",
                RuntimeWarning,
                stacklevel=3,
            )
        return fine

    def _check(self, key: Orders) -> None:
        name = f"<{' '.join('s' + chr(39) * order for order in key)}> of {self.activation.name}"
        if len(key) not in (2, 4) or sum(key) % 2:
            raise MissingExpectationError(key, f"{name}: only 2 or 4 factors with an even number of primes are known")
        if len(key) == 2 or self.activation.smooth:
            return
        if sum(max(order - 1, 0) for order in key) > 1:
            raise MissingExpectationError(key, f"{name}, which its kink makes infinite at equal inputs")
        if "".join(map(str, key)) not in KINKED:
            raise MissingExpectationError(key, f"{name}: of 4 factors only {', '.join(KINKED)} primes are known")


KINKED = ("0000", "0011", "1111", "0112")


def engine(value: str | Mapping | Activation | Expectations) -> Expectations:
    """The engine for an activation given by name, by mapping or as such; an engine is returned as it is."""
    if not isinstance(value, str | Mapping | Activation):
        return value
    return ActivationExpectations(differentiable(activation(value)))


def ask(
    value: str | Mapping | Activation | Expectations, kernel: jax.Array, orders: Mapping[str, Sequence[Orders]]
) -> dict[Orders, jax.Array]:
    """Every expectation that several recursions need, by its orders, from one call of the engine.

    Args:
        value: an activation or an engine.
        kernel: covariance [m, m].
        orders: orders of each recursion, by its name.

    Raises:
        ValueError: naming the recursion that asks for what the engine cannot give.
    """
    keys = sorted({key for some in orders.values() for key in some})
    try:
        return dict(zip(keys, engine(value)(kernel, keys), strict=True))
    except MissingExpectationError as missing:
        name = next(name for name, some in orders.items() if missing.orders in some)
        raise checks.refuse("recursion", name, f"one without {missing}") from None
