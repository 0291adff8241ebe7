"""Carry a closed set of tensors from the first layer to the last with compiled recursions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp

from ntkfield.activations import Activation
from ntkfield.gaussian.expectations import Expectations
from ntkfield.networks.base import Scales

from . import codegen
from .codegen import UNIT
from .expectations import ask
from .recursions import Recursion, recursion
from .tensors import FIRST_ORDER


def closure(names: Sequence[str] | Sequence[Recursion], weights: str = "gaussian") -> dict[str, Recursion]:
    """Recursions of ``names`` and of every tensor they need, by name; ``weights`` as for ``recursion``."""
    found: dict[str, Recursion] = {}
    waiting = [item if isinstance(item, Recursion) else recursion(item, weights=weights) for item in names]
    while waiting:
        current = waiting.pop()
        if current.name in found:
            continue
        found[current.name] = current
        for shape in {internal.shape for diagram in current.diagrams for internal in diagram.internals}:
            if shape.name not in found:
                waiting.append(Recursion.of_shape(shape, current.rules))
    return found


def propagate(
    kernel: jax.Array,
    theta: jax.Array,
    depth: int,
    expectation: Expectations | Activation | str | Mapping,
    *,
    names: Sequence[str] | Sequence[Recursion] = FIRST_ORDER,
    scales: Scales = UNIT,
    ratios: Sequence[float] | float = 1.0,
    weights: str = "gaussian",
    rhos: Sequence[float] | float = 1.0,
    first: Mapping[str, jax.Array] | None = None,
) -> list[dict[str, jax.Array]]:
    """K, Theta and the tensors ``names`` (with all they need) at layers 1 .. ``depth``.

    kernel, theta : [m, m], K and Θ of layer 1.
    expectation : an activation, or an engine for its expectations.
    scales : variances and rates, ``nf.MLP(...).scales``.
    ratios : r of each step l -> l+1, or one number.  rhos : likewise rho of orthogonal weights.
    weights : as for ``recursion``.
    first : tensors of layer 1 that do not vanish there: V, where the first layer is orthogonal too.

    A tensor that a kink makes infinite is refused with a ValueError that names it.

    Source: the recursions of this package; PDLT eq. 4.x and 8.x for K and Θ.
    """
    if depth < 1:
        raise ValueError(f"depth is {depth!r}; accepted is a whole number of layers from 1.")
    steps = zip(_steps("ratios", ratios, depth - 1), _steps("rhos", rhos, depth - 1), strict=True)
    system = {name: found.compile() for name, found in closure(names, weights).items()}
    orders = {name: compiled.moments for name, compiled in system.items()} | {"K, Theta": ((0, 0), (1, 1))}
    kernel, theta = jnp.asarray(kernel), jnp.asarray(theta)
    m = kernel.shape[0]
    tensors = {name: jnp.zeros((m,) * compiled.rank) for name, compiled in system.items()}
    tensors |= {name: jnp.asarray(value) for name, value in (first or {}).items() if name in system}
    layers = [{"K": kernel, "Theta": theta, **tensors}]
    for ratio, rho in steps:
        moments = ask(expectation, kernel, orders)
        new = {}
        for name, compiled in system.items():
            mine = {key: moments[key] for key in compiled.moments}
            held = {key: tensors[key] for key in compiled.needs} | {"Theta": theta}
            new[name] = codegen.evaluate(compiled, mine, held, scales, ratio, rho)
        kernel, theta = scales.kernel(moments[0, 0]), scales.ntk(moments[0, 0], theta * moments[1, 1])
        tensors = new
        layers.append({"K": kernel, "Theta": theta, **tensors})
    return layers


def _steps(field: str, value: Sequence[float] | float, count: int) -> Sequence[float]:
    steps = value if isinstance(value, Sequence) else [value] * count
    if len(steps) != count:
        raise ValueError(f"{field} has {len(steps)} entries; accepted is one number or depth - 1 = {count} of them.")
    return steps
