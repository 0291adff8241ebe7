r"""Ensembles of finite networks trained by gradient flow on the square loss, many at once.

Every member starts from its own draw of the parameters :math:`\theta` and follows
:math:`\dot\theta = -\eta\nabla_\theta L`, :math:`L = \tfrac12\sum_i w_i |f_\theta(x_i) - y_i|^2`, integrated by the
classical fourth-order Runge-Kutta rule. Over initialisations the members are independent, so that means over them carry
plain standard errors.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.progress import track

Parameters = Any


class FiniteNetwork(NamedTuple):
    """A network of finite width.

    Attributes:
        init: parameters from a random key.
        apply: outputs [n, outputs] from parameters and inputs [n, ...].
    """

    init: Callable[[jax.Array], Parameters]
    apply: Callable[[Parameters, jax.Array], jax.Array]


class Task(NamedTuple):
    """What members are trained on and asked.

    Attributes:
        x: training inputs [n, ...].
        y: targets [n, outputs].
        weights: weight of each training input in the loss [n]; with copies of an input, one over their number.
        queries: inputs at which outputs are recorded [m, ...].
    """

    x: jax.Array
    y: jax.Array
    weights: jax.Array
    queries: jax.Array


def train(
    network: FiniteNetwork,
    task: Task,
    times: Sequence[float],
    step: float,
    seed: int,
    members: range,
    rate: float = 1.0,
    at_once: int = 64,
) -> np.ndarray:
    r"""Outputs of trained networks during training.

    Member k depends on `seed` and k only, so that an ensemble may be trained in parts, in any order.

    Args:
        network: the network.
        task: data and queries.
        times: increasing times at which outputs are recorded, zero or above.
        step: largest step of the integrator in time; stable for :math:`\eta\lambda_{max}(\Theta)\,` ``step`` below 2.7.
        seed: of the initialisations.
        members: which members.
        rate: learning rate :math:`\eta`.
        at_once: members trained at once.

    Returns:
        Array [members, times, queries, outputs].

    Raises:
        ValueError: for a step that is not positive or times that do not increase.
    """
    checks.positive("step", step)
    moments = np.asarray(checks.array("times", times, "t"))
    if moments[0] < 0 or (np.diff(moments) <= 0).any():
        raise checks.refuse("times", list(times), "increasing numbers, zero or above")
    gaps = np.diff(moments, prepend=0.0)
    steps = tuple(int(n) for n in np.ceil(gaps / step - 1e-9))
    sizes = jnp.asarray([gap / n if n else 0.0 for gap, n in zip(gaps, steps, strict=True)])
    blocks = [members[start : start + at_once] for start in range(0, len(members), at_once)]
    parts = []
    for block in track(blocks, f"training {len(members)} networks"):
        keys = jnp.stack([jax.random.fold_in(jax.random.key(seed), k) for k in block])
        parts.append(np.asarray(_train(network, steps, keys, task, sizes, checks.positive("rate", rate))))
    return np.concatenate(parts)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _train(
    network: FiniteNetwork, steps: tuple[int, ...], keys: jax.Array, task: Task, sizes: jax.Array, rate: float
) -> jax.Array:
    def loss(parameters: Parameters) -> jax.Array:
        residual = network.apply(parameters, task.x) - task.y
        return 0.5 * jnp.sum(task.weights[:, None] * residual**2)

    def member(key: jax.Array) -> jax.Array:
        parameters, recorded = network.init(key), []
        for count, size in zip(steps, sizes, strict=True):
            advance = functools.partial(_runge_kutta, jax.grad(loss), size * rate)
            parameters = jax.lax.fori_loop(0, count, lambda _, p, advance=advance: advance(p), parameters)
            recorded.append(network.apply(parameters, task.queries))
        return jnp.stack(recorded)

    return jax.vmap(member)(keys)


def _runge_kutta(gradient: Callable[[Parameters], Parameters], size: jax.Array, p: Parameters) -> Parameters:
    def along(k: Parameters, share: float) -> Parameters:
        return jax.tree.map(lambda a, b: a - share * size * b, p, k)

    k1 = gradient(p)
    k2 = gradient(along(k1, 0.5))
    k3 = gradient(along(k2, 0.5))
    k4 = gradient(along(k3, 1.0))
    return jax.tree.map(lambda a, b, c, d, e: a - size * (b + 2 * c + 2 * d + e) / 6, p, k1, k2, k3, k4)
