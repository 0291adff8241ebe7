"""Gaussian expectations ⟨Π σ^(k)_α⟩ of smooth activations, for every tuple of inputs at once.

The plain trapezoid rule in whitened variables converges geometrically for analytic σ (Trefethen, Weideman, SIAM
Review 56 (2014) 385). High derivatives of σ, which only occur with few inputs, ask for finer grids than four-point
functions of σ and σ', so the grid depends on the number of distinct inputs. A p-fold expectation over m inputs is
computed on every set of min(p, m) distinct ones, so repeated inputs cost nothing.

``Expectations`` is the whole interface compiled recursions ask for; any object with this call can take its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield.checks import Array
from ntkfield.gaussian.tower import derivatives

Orders = tuple[int, ...]


class Expectations(Protocol):
    """Anything that gives ⟨σ^(k1)_a1 ... σ^(kp)_ap⟩."""

    def __call__(self, kernel: Array, orders: Sequence[Orders]) -> list[jax.Array]:
        """For a covariance [m, m] and several tuples of orders, arrays with one axis of length m per factor."""
        ...


@dataclass(frozen=True)
class TrapezoidExpectations:
    """Tensor-product trapezoid rule for a smooth activation given as a JAX function of an array.

    ``nodes[d-1]`` nodes per axis on [-``cutoffs[d-1]``, ``cutoffs[d-1]``] for d distinct inputs; the length of these
    tuples is the largest d, beyond which ValueError is raised.

    Errors of the default grid, relative, measured at random covariances with variances up to 2: up to three inputs
    1e-12; four inputs 1e-10 for GELU, and for tanh, whose poles are near, 1e-10 for ⟨σσσσ⟩, 2e-9 for ⟨σσσ'σ'⟩, 1e-8
    for ⟨σ'σ'σ'σ'⟩ and 1e-6 with higher derivatives (1e-8 with 96 nodes). They grow with the variance: at 4,
    three inputs of tanh have 1e-7 (160 nodes: 1e-12). Activations with kinks (ReLU) need another
    engine (``expectations``): their σ'' is not a function.
    """

    activation: Callable[[jax.Array], jax.Array]
    nodes: tuple[int, ...] = (160, 160, 96, 56)
    cutoffs: tuple[float, ...] = (8.5, 8.5, 8.0, 7.5)

    def __call__(self, kernel: Array, orders: Sequence[Orders]) -> list[jax.Array]:
        """Arrays [m] * len(orders_k) in float64, one for each tuple of derivative orders."""
        kernel = jnp.asarray(kernel)
        if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1]:
            raise ValueError(f"kernel has shape {kernel.shape}; accepted is a square matrix [m, m].")
        m = kernel.shape[0]
        by_size: dict[int, list[Orders]] = {}
        for key in dict.fromkeys(tuple(sorted(key)) for key in orders):
            by_size.setdefault(min(len(key), m), []).append(key)
        most = min(len(self.nodes), len(self.cutoffs))
        if by_size and max(by_size) > most:
            raise ValueError(
                f"an expectation of {max(by_size)} distinct inputs was asked for; "
                f"accepted are at most {most} (give nodes and cutoffs for more, or pass fewer inputs)."
            )
        found: dict[Orders, jax.Array] = {}
        for size, keys in by_size.items():
            found.update(zip(keys, self._sets(kernel, size, tuple(keys)), strict=True))
        return [in_given_order(found[tuple(sorted(key))], key) for key in orders]

    def _sets(self, kernel: jax.Array, size: int, keys: tuple[Orders, ...]) -> list[jax.Array]:
        """Fill arrays over all index tuples from the blocks of every set of ``size`` distinct inputs."""
        m = kernel.shape[0]
        sets = np.array(list(combinations(range(m), size)))
        blocks = jax.lax.map(
            lambda chosen: _block(
                self.activation, kernel[chosen][:, chosen], keys, self.nodes[size - 1], self.cutoffs[size - 1]
            ),
            jnp.asarray(sets),
        )
        results = []
        for key, block in zip(keys, blocks, strict=True):
            full = jnp.zeros((m,) * len(key))
            for chosen, values in zip(sets, block, strict=True):
                full = full.at[np.ix_(*[chosen] * len(key))].set(values)
            results.append(full)
        return results


def in_given_order(array: jax.Array, key: Orders) -> jax.Array:
    """The array of the rising orders with its axes in the order of ``key``."""
    axes = np.argsort(np.argsort(key, kind="stable"), kind="stable")
    return array.transpose(tuple(int(axis) for axis in axes))


@partial(jax.jit, static_argnums=(0, 2, 3, 4))
def _block(
    activation: Callable, kernel: jax.Array, keys: tuple[Orders, ...], nodes: int, cutoff: float
) -> tuple[jax.Array, ...]:
    """Expectations over all index tuples of one small covariance [d, d], one slab of the grid after the other."""
    d = kernel.shape[0]
    x = np.linspace(-cutoff, cutoff, nodes)
    w = np.exp(-(x**2) / 2)
    w /= w.sum()
    index = np.indices((nodes,) * (d - 1)).reshape(d - 1, nodes ** (d - 1))
    weight = np.prod(w[index], axis=0)
    keep = weight > 1e-22 * weight.max()
    rest, weight = x[index[:, keep]], weight[keep]
    # Not the other rule's pivoted factor, which would put one variable's whole variance on one axis.
    values, vectors = jnp.linalg.eigh(kernel)
    root = vectors * jnp.sqrt(jnp.clip(values, 0))
    plane = root[:, 1:] @ rest

    def add(total: tuple, node: tuple) -> tuple[tuple, None]:
        z = root[:, :1] * node[0] + plane
        tower = [f(z) for f in derivatives(activation, max(map(max, keys)))]
        parts = []
        for key in keys:
            half = (len(key) + 1) // 2
            left, right = (_outer([tower[k] for k in part], z.shape[1]) for part in (key[:half], key[half:]))
            parts.append(node[1] * (left * weight) @ right.T)
        return tuple(a + b for a, b in zip(total, parts, strict=True)), None

    halves = [(len(key) + 1) // 2 for key in keys]
    start = tuple(jnp.zeros((d**half, d ** (len(key) - half))) for key, half in zip(keys, halves, strict=True))
    total, _ = jax.lax.scan(add, start, (jnp.asarray(x), jnp.asarray(w)))
    return tuple(part.reshape((d,) * len(key)) for part, key in zip(total, keys, strict=True))


def _outer(factors: list[jax.Array], points: int) -> jax.Array:
    """All products of one row from each factor: [d^len, points]."""
    result = jnp.ones((1, points))
    for factor in factors:
        result = (result[:, None, :] * factor[None, :, :]).reshape(-1, points)
    return result
