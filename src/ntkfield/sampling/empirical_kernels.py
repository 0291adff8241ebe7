r"""Kernels of sampled networks of finite width, and how they approach those of infinite width.

With f the output of one sampled network and :math:`\theta` its parameters,

.. math:: \hat\Theta(x, x') = \sum_\theta \partial_\theta f(x)\,\partial_\theta f(x'), \qquad
   \hat K(x, x') = C_b + \frac{C_W}{n}\sum_{i\le n} \phi_i(x)\,\phi_i(x'),

:math:`\phi` being what the last weight layer reads: the covariance of f over that layer's weights. Both fluctuate from
network to network like :math:`1/\sqrt n`, and their means differ from the infinite-width kernels by order 1/n (Dyer and
Gur-Ari, arXiv 1909.11304).
"""

import functools
import operator
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from ntkfield import checks
from ntkfield.bridge.networks import to_stax
from ntkfield.networks.base import Kernels, Network
from ntkfield.progress import track

AT_ONCE = 16  # networks whose Jacobians are held together


def empirical_kernels(network: Network, x: Any, width: int, n_networks: int, seed: int) -> Kernels:
    """Empirical NNGP and NTK of independently sampled networks.

    Args:
        network: which network; its ``weight_rate`` must not be zero.
        x: inputs [n, ...] in the form that :meth:`~ntkfield.networks.Network.to_stax` takes.
        width: number of channels of every hidden layer.
        n_networks: number of sampled networks.
        seed: the draws, independent for every width; the first of many are those of few.

    Returns:
        Kernels with arrays [n_networks, n, n].

    Raises:
        ValueError: naming the field, the value and what is accepted.
        ImportError: if neural-tangents is not installed.
    """
    checks.whole("n_networks", n_networks, 1)
    rate = checks.positive("weight_rate", network.scales.weight_rate)
    init, apply, _ = to_stax(network, width)
    x = jnp.asarray(x)
    key = jax.random.fold_in(jax.random.PRNGKey(checks.whole("seed", seed, 0)), width)
    keys = np.asarray(jax.vmap(functools.partial(jax.random.fold_in, key))(np.arange(n_networks)))
    sample = jax.jit(jax.vmap(functools.partial(_sample, init, apply, x)))
    parts = []
    for start in track(range(0, n_networks, AT_ONCE), f"{n_networks} networks of width {width}"):
        chunk = keys[start : start + AT_ONCE]
        padded = np.resize(chunk, (min(AT_ONCE, n_networks), *chunk.shape[1:]))  # one shape, compiled once
        parts.append([np.asarray(k)[: len(chunk)] for k in sample(padded)])
    readout, ntk = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Kernels(jnp.asarray(network.scales.kernel(readout / rate)), jnp.asarray(ntk))


def _sample(init: Any, apply: Any, x: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The share of the last layer's weights in the NTK, and the NTK, [n, n] each."""
    _, parameters = init(key, x.shape)
    # One input at a time: a Jacobian of all outputs would carry every input back once for each output.
    jacobian = jax.vmap(jax.grad(lambda p, one: apply(p, one[None])[0, 0]), (None, 0))(parameters, x)
    leaves = [j.reshape(len(x), -1) for j in jax.tree.leaves(jacobian)]
    last = jax.tree.leaves(jacobian[-1])[0].reshape(len(x), -1)
    return last @ last.T, functools.reduce(operator.add, (j @ j.T for j in leaves))


def convergence(network: Network, x: Any, widths: Sequence[int], n_networks: int, seed: int) -> xr.Dataset:
    r"""How far empirical kernels are from those of infinite width, with standard errors.

    The relative deviation of one sampled network is that of its kernel along the exact one,
    :math:`r = \langle \hat K, K\rangle / \langle K, K\rangle - 1` over all pairs of inputs.

    Args:
        network: which network.
        x: inputs [n, ...].
        widths: numbers of channels.
        n_networks: sampled networks for each width, at least 3.
        seed: the draws.

    Returns:
        ``deviation`` (mean of r) and ``fluctuation`` (its standard deviation from network to network), each
        [kernel, width] with its standard error, ``deviation_error`` and ``fluctuation_error``.
    """
    checks.whole("n_networks", n_networks, 3)
    exact = network.kernel(x)
    relative = np.empty((2, len(widths), n_networks))
    for column, width in enumerate(widths):
        sampled = empirical_kernels(network, x, width, n_networks, seed)
        for row, kernel in enumerate(Kernels._fields):
            k = np.asarray(getattr(exact, kernel))
            relative[row, column] = np.einsum("sij,ij->s", getattr(sampled, kernel), k) / (k**2).sum() - 1
    spread = relative.std(axis=-1, ddof=1)
    # Standard error of a standard deviation from the fourth moment, whatever the distribution.
    fourth = ((relative - relative.mean(axis=-1, keepdims=True)) ** 4).mean(axis=-1)
    spread_error = np.sqrt(np.maximum(fourth - spread**4, 0.0) / n_networks) / (2 * spread)
    dims = ("kernel", "width")
    return xr.Dataset(
        {
            "deviation": (dims, relative.mean(axis=-1)),
            "deviation_error": (dims, spread / np.sqrt(n_networks)),
            "fluctuation": (dims, spread),
            "fluctuation_error": (dims, spread_error),
        },
        coords={"kernel": list(Kernels._fields), "width": list(widths)},
        attrs={"n_networks": n_networks},
    )
