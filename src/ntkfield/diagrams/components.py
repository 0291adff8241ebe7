"""Single components of any tensor at any layer, evaluated on demand.

Tensors of many externals have too many terms to compile over all inputs at once. One component needs only components
of the layer below, and inputs that coincide merge most terms: here each is generated for its own pattern of equal
inputs, evaluated, and remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from ntkfield.activations import Activation
from ntkfield.gaussian.expectations import Expectations, Orders
from ntkfield.networks.base import Scales

from . import algebra
from .codegen import UNIT
from .expectations import engine
from .recursions import Recursion, recursion
from .rules import RuleSet
from .tensors import Shape


@cache
def polynomial_at(found: Recursion, labels: tuple[int, ...]) -> algebra.Polynomial:
    """Reduced sum of all diagrams with the external nodes at inputs ``labels``, equal inputs merged."""
    return algebra.add([algebra.diagram_polynomial(diagram, labels) for diagram in found.diagrams])


class Components:
    """Components of tensors of one network, layer by layer.

    kernel, theta : [m, m], K and Θ of layer 1.
    expectation : an activation, or an engine for its expectations.
    scales : variances and rates, ``nf.MLP(...).scales``.
    ratios : r of each step l -> l+1, or one number.  rhos : likewise rho of orthogonal weights.

    >>> from ntkfield.diagrams import Components
    >>> Components([[1.0]], [[1.0]], "gelu").value("V", (0, 0, 0, 0), layer=1)
    0.0
    """

    def __init__(
        self,
        kernel,
        theta,
        expectation: Expectations | Activation | str | Mapping,
        *,
        scales: Scales = UNIT,
        ratios: Sequence[float] | float = 1.0,
        rhos: Sequence[float] | float = 1.0,
    ) -> None:
        self._expectation = engine(expectation)
        self._scales, self._ratios, self._rhos = scales, ratios, rhos
        self._kernels = [(np.asarray(kernel, float), np.asarray(theta, float))]
        self._moments: dict[tuple[int, Orders], np.ndarray] = {}
        self._values: dict[tuple[Shape, RuleSet, int, tuple[int, ...]], float] = {}
        self._shapes: dict[str, Shape] = {}

    def kernels(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """K and Θ of infinite width at ``layer``."""
        while len(self._kernels) < layer:
            below = len(self._kernels)
            self._prepare(below, {(0, 0), (1, 1)})
            gram, slopes = (self._moments[below, orders] for orders in ((0, 0), (1, 1)))
            theta = self._kernels[-1][1]
            self._kernels.append((self._scales.kernel(gram), self._scales.ntk(gram, theta * slopes)))
        return self._kernels[layer - 1]

    def _prepare(self, layer: int, orders: set[Orders]) -> None:
        """Compute the expectations that are not known yet, in one call of the engine."""
        missing = sorted(key for key in orders if (layer, key) not in self._moments)
        if missing:
            for key, array in zip(missing, self._expectation(self.kernels(layer)[0], missing), strict=True):
                self._moments[layer, key] = np.asarray(array)

    def value(self, tensor: str | Recursion, inputs: Sequence[int], layer: int) -> float:
        """Component of ``tensor`` with ``inputs`` at its subscripts, at ``layer`` (0.0 at layer 1).

        A wrong number of inputs, an input outside the kernel or a layer below 1 raises ValueError.
        """
        found = tensor if isinstance(tensor, Recursion) else recursion(tensor)
        m = self._kernels[0][0].shape[0]
        if len(inputs) != len(found.subscripts) or not all(0 <= i < m for i in inputs):
            raise ValueError(
                f"inputs is {tuple(inputs)}; accepted for {found.name} are {len(found.subscripts)} "
                f"numbers from 0 to {m - 1}."
            )
        if layer < 1:
            raise ValueError(f"layer is {layer!r}; accepted is a whole number from 1.")
        return self._value(found, tuple(int(i) for i in inputs), layer)

    def _value(self, found: Recursion, inputs: tuple[int, ...], layer: int) -> float:
        if layer == 1:
            return 0.0
        key = (found.shape, found.rules, layer, inputs)
        if key not in self._values:
            self._values[key] = self._evaluate(found, inputs, layer)
        return self._values[key]

    def _evaluate(self, found: Recursion, inputs: tuple[int, ...], layer: int) -> float:
        below = layer - 1
        theta = self.kernels(below)[1]
        ratio, rho = (x[below - 1] if isinstance(x, Sequence) else x for x in (self._ratios, self._rhos))
        places = dict(zip(found.flat_order, inputs, strict=True))
        labels = tuple(places[node] for node in range(len(inputs)))
        shapes = {internal.shape.name: internal.shape for diagram in found.diagrams for internal in diagram.internals}
        terms = polynomial_at(found, labels)
        self._prepare(below, {_ordered(gauss)[0] for gauss in algebra.integrals(terms)})
        total = 0.0
        for key, coefficient in terms.items():
            term = float(coefficient) * ratio**key.k * rho**key.s
            term *= self._scales.weight_variance**key.c * self._scales.weight_rate**key.l
            for name, entry in key.tensors:
                if name == "Theta":
                    term *= theta[entry]
                else:
                    term *= self._value(Recursion.of_shape(shapes[name], found.rules), entry, below)
                if not term:
                    break
            else:
                for gauss in key.expectations:
                    orders, index = _ordered(gauss)
                    term *= self._moments[below, orders][index]
                total += term
        return float(total)


@cache
def _ordered(gauss: algebra.Gauss) -> tuple[Orders, tuple[int, ...]]:
    """Derivative orders, ascending, and the input of each."""
    ordered = sorted((order, label) for label, order in gauss)
    return tuple(order for order, _ in ordered), tuple(label for _, label in ordered)
