r"""Networks sampled without their weights: products with random matrices, drawn exactly in distribution.

A Gaussian matrix W is only ever seen through products. Forward, with :math:`S = QR` (n x m, a column per input), the
products are :math:`WS = YR` with :math:`Y = WQ` of independent entries :math:`N(0, C_W)`. Backward, given Y,

.. math:: W^T V = Q Y^T V + (1 - QQ^T)\,\Xi, \qquad \text{rows of } \Xi \sim N(0, C_W V^T V) \text{, independent of } Y.

So a layer costs O(n m^2) operations and n m random numbers instead of n^2. In the code all arrays are transposed, a row
per input. Source: Bolthausen, Commun. Math. Phys. 325 (2014) 333 (conditioning).

An orthogonal layer from n' to n channels is a block of :math:`W = \sqrt{C_W N}\,O`, O Haar on O(N), N the larger width.
Forward, Y is :math:`\sqrt{C_W N}` times a Haar-distributed frame, m orthonormal columns; backward the part of V that
they do not reach, with R' its triangular factor, comes back through a fresh frame orthogonal to Q,

.. math:: W^T V = Q Y^T V + \sqrt{C_W N}\,Q' R', \qquad R'^T R' = V^T V - V^T Y Y^T V / (C_W N).

Vectors shorter than N are filled up with zeros, and the result is cut.
"""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp

from ntkfield.networks.base import Scales
from ntkfield.sampling.controls import Limits, Response, controls, limits, response
from ntkfield.sampling.draws import CHANNELS, Draw, Setting, Supply, kernel_of, share

NEGLIGIBLE = 1e-13  # pivots this small, relative to their variance, are rounding: inputs that depend on each other


def noise_size(setting: Setting, m: int, d: int) -> int:
    """Standard normal numbers that one network takes."""
    numbers = list(enumerate(zip((d, *setting.widths), setting.widths, strict=False), 1))
    forward = sum(m * (max(pair) if number in setting.orthogonal else pair[1]) + pair[1] for number, pair in numbers)
    backward = sum(max(pair) if number in setting.orthogonal else pair[0] for number, pair in numbers[1:])
    return forward + CHANNELS * (setting.widths[-1] + m * backward)


def draw(setting: Setting, scales: Scales, inputs: jax.Array, noise: jax.Array, controlled: bool = False) -> Draw:
    """Networks, one per row of `noise`; each field of the Draw with a leading axis.

    Args:
        setting: activation and hidden widths.
        scales: variances and rates.
        inputs: array [m, d].
        noise: independent standard normal numbers [networks, :func:`noise_size`].
        controlled: whether to take control variates off the kernels' means (:mod:`ntkfield.sampling.controls`).
    """
    # One program for networks of all widths.
    known = (
        _known(dataclasses.replace(setting, widths=(0,) * len(setting.widths)), scales, inputs) if controlled else None
    )
    return _draw(setting, scales, inputs, noise, known)


@functools.partial(jax.jit, static_argnums=0)
def _known(setting: Setting, scales: Scales, inputs: jax.Array) -> tuple[Limits, Response]:
    limit = limits(setting, scales, inputs)
    return limit, response(setting, limit)


@functools.partial(jax.jit, static_argnums=0)
def _draw(
    setting: Setting,
    scales: Scales,
    inputs: jax.Array,
    noise: jax.Array,
    known: tuple[Limits, Response] | None,
) -> Draw:
    return jax.vmap(lambda row: _one(setting, scales, inputs, Supply(row), known))(noise)


def _one(
    setting: Setting, scales: Scales, inputs: jax.Array, supply: Supply, known: tuple[Limits, Response] | None
) -> Draw:
    layers: list[dict[str, jax.Array]] = []
    values = inputs
    for number, n in enumerate(setting.widths, 1):
        layers.append(_forward(setting, scales, values, n, supply, number in setting.orthogonal))
        values = layers[-1]["values"]
    result, backward = _backward(setting, scales, layers, supply)
    if known is None:
        return result
    kernel, ntk = controls(setting, scales, *known, layers, backward)
    return result._replace(kernel_control=kernel, ntk_control=ntk)


def _forward(
    setting: Setting, scales: Scales, before: jax.Array, n: int, supply: Supply, orthogonal: bool
) -> dict[str, jax.Array]:
    """A hidden layer of width n behind `before` [m, n'], with what its backward pass needs."""
    m, width = before.shape
    root, inverse = root_and_inverse(before @ before.T)
    normal = supply.take(m, max(n, width) if orthogonal else n)
    products = _frame(normal, root)[:, :n] if orthogonal else normal
    products = jnp.sqrt(scales.weight_variance) * products
    z = root @ products / math.sqrt(width) + jnp.sqrt(scales.bias_variance) * supply.take(1, n)
    values, slopes = setting.activation(z), setting.activation.derivative()(z)
    return {"values": values, "slopes": slopes, "products": products, "before": before, "inverse": inverse}


def _frame(normal: jax.Array, root: jax.Array) -> jax.Array:
    """Haar-distributed orthonormal rows times the root of their length [k, N], from standard normal numbers.

    Rows where `root`, which is to multiply them, has zero columns are left out: zero.
    """
    normal = jnp.where(jnp.diagonal(root)[:, None] > 0, normal, 0.0)
    return math.sqrt(normal.shape[1]) * root_and_inverse(normal @ normal.T)[1] @ normal


def _backward(
    setting: Setting, scales: Scales, layers: list[dict[str, jax.Array]], supply: Supply
) -> tuple[Draw, list[jax.Array]]:
    """Output layer, the NTK by the chain rule from the output to the first layer, and every layer's noise in it."""
    values = layers[-1]["values"]
    m, n = values.shape
    weights = supply.take(CHANNELS, n)
    if len(layers) + 1 in setting.orthogonal:
        weights = _frame(weights, jnp.eye(CHANNELS))
    weights = jnp.sqrt(scales.weight_variance) * weights
    ntk = jnp.eye(CHANNELS)[:, :, None, None] * share(scales, values)
    # d z_i(x_a) / d values, one row per channel and input
    pull = jnp.repeat(weights, m, axis=0) / math.sqrt(n)
    fresh, expected, noises = pull, jnp.full((CHANNELS, m, m), scales.weight_variance / n), []
    for index in reversed(range(len(layers))):
        layer = layers[index]
        slopes = jnp.tile(layer["slopes"], (CHANNELS, 1))
        noises.insert(0, _noise(fresh * slopes, layer["slopes"], expected))
        pull = pull * slopes
        gram = pull @ pull.T
        blocks = gram.reshape(CHANNELS, m, CHANNELS, m).transpose(0, 2, 1, 3)
        ntk = ntk + blocks * share(scales, layer["before"])
        if index:
            width = layer["before"].shape[1]
            transposed = _transposed_frame if index + 1 in setting.orthogonal else _transposed
            pull, fresh = (x / math.sqrt(width) for x in transposed(scales, layer, pull, gram, supply))
            expected = scales.weight_variance / width * jnp.stack([blocks[i, i] for i in range(CHANNELS)])
    return Draw(kernel_of(scales, values), ntk, weights @ values.T / math.sqrt(n)), noises


def _noise(pull: jax.Array, slopes: jax.Array, expected: jax.Array) -> jax.Array:
    """Products of the fresh derivatives [c m, n] less their mean given all else, over channels: [m, m]."""
    rows = pull.reshape(CHANNELS, -1, pull.shape[1])
    return jnp.mean(jnp.einsum("can,cbn->cab", rows, rows) - expected * (slopes @ slopes.T), axis=0)


def _transposed(
    scales: Scales, layer: dict[str, jax.Array], v: jax.Array, gram: jax.Array, supply: Supply
) -> tuple[jax.Array, jax.Array]:
    """Rows of `v` [c m, n] times the layer's weights given their forward products, and what is new in them.

    `gram` is v v'.
    """
    before, inverse = layer["before"], layer["inverse"]
    root, _ = root_and_inverse(gram)
    fresh = root @ supply.take(len(v), before.shape[1]) * jnp.sqrt(scales.weight_variance)
    # Q' = inverse @ before, so that (v Y - fresh Q) Q' needs only small matrices
    known = v @ layer["products"].T - (fresh @ before.T) @ inverse.T
    return fresh + (known @ inverse) @ before, fresh


def _transposed_frame(
    scales: Scales, layer: dict[str, jax.Array], v: jax.Array, gram: jax.Array, supply: Supply
) -> tuple[jax.Array, jax.Array]:
    """As :func:`_transposed`, for an orthogonal layer."""
    before, inverse = layer["before"], layer["inverse"]
    width = before.shape[1]
    size = max(v.shape[1], width)
    known = v @ layer["products"].T
    root, _ = root_and_inverse(gram - known @ known.T / (scales.weight_variance * size), jnp.diagonal(gram))
    span = inverse @ before  # orthonormal rows, of length N with zeros at the end
    normal = supply.take(len(v), size)
    normal = normal.at[:, :width].add(-(normal[:, :width] @ span.T) @ span)
    fresh = jnp.sqrt(scales.weight_variance) * (root @ _frame(normal, root))[:, :width]
    return fresh + known @ span, fresh


def root_and_inverse(gram: jax.Array, scale: jax.Array | None = None) -> tuple[jax.Array, jax.Array]:
    """Cholesky factor L of a positive semi-definite matrix, and its inverse on the space it spans.

    Args:
        gram: array [m, m], of any rank.
        scale: variances [m] to which a pivot that is rounding is small; those of `gram` if None.

    Returns:
        L [m, m], lower triangular, L L' = gram, with zero columns where a row depends on those before; and the lower
        triangular matrix M with zero rows there and M gram M' the identity on the others.
    """
    m = len(gram)
    index = jnp.arange(m)
    sizes = jnp.diagonal(gram) if scale is None else scale

    def eliminate(j: jax.Array, carry: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        rest, root, inverse, rows = carry
        pivot = rest[j, j]
        kept = pivot > NEGLIGIBLE * sizes[j]
        size = jnp.where(kept, jax.lax.rsqrt(jnp.where(kept, pivot, 1.0)), 0.0)
        column = jnp.where(index >= j, rest[:, j], 0.0) * size
        row = inverse[j] * size
        inverse = inverse - jnp.outer(jnp.where(index > j, column, 0.0), row)
        return rest - jnp.outer(column, column), root.at[:, j].set(column), inverse, rows.at[j].set(row)

    # A loop and not m copies of its body: the depth of the networks multiplies what there is to compile.
    empty = jnp.zeros_like(gram)
    _, root, _, rows = jax.lax.fori_loop(0, m, eliminate, (gram, empty, jnp.eye(m), empty))
    return root, rows
