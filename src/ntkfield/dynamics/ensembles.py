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
        width: of its last hidden layer, which a richness asks for.
    """

    init: Callable[[jax.Array], Parameters]
    apply: Callable[[Parameters, jax.Array], jax.Array]
    width: int | None = None

    def scale(self, richness: float) -> float:
        r"""What outputs z are divided by for a richness, :math:`\gamma_0\sqrt n`.

        Raises:
            ValueError: for a richness that is not positive, or a network that says no width.
        """
        if self.width is None:
            raise checks.refuse("width", None, "the last hidden width of a network that is trained at a richness")
        return checks.positive("richness", richness) * self.width**0.5


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
    observe: Callable[[Parameters, jax.Array], Any] | None = None,
    richness: float | None = None,
) -> Any:
    r"""Outputs of trained networks during training.

    Member k depends on `seed` and k only, so that an ensemble may be trained in parts, in any order.

    With a richness :math:`\gamma_0` the networks are :math:`f = z/\gamma`, :math:`\gamma = \gamma_0\sqrt n`, z what
    `network` applies, trained on y at the rate :math:`\eta\gamma^2`: exactly z trained on :math:`\gamma y` at the rate
    :math:`\eta`, divided by :math:`\gamma`. As n grows they become those of :func:`ntkfield.mean_field`.

    Args:
        network: the network.
        task: data and queries.
        times: increasing times at which outputs are recorded, zero or above.
        step: largest step of the integrator in time; stable for :math:`\eta\lambda_{max}(\Theta)\,` ``step`` below 2.7.
        seed: of the initialisations.
        members: which members.
        rate: learning rate :math:`\eta`.
        at_once: members trained at once.
        observe: what to record in place of the outputs: arrays, or a tree of them, from parameters and queries; what
            it reads off `network` is z, with a richness too, and the NTK of z is the one in
            :math:`\dot f = \eta\,\hat\Theta(y - f)`.
        richness: :math:`\gamma_0`; None for outputs of the NTK parametrization, which are :math:`\gamma_0 = 1/\sqrt n`.

    Returns:
        Array [members, times, queries, outputs], or what `observe` gives after axes of members and times.

    Raises:
        ValueError: for a step that is not positive or times that do not increase.
    """
    checks.positive("step", step)
    moments = np.asarray(checks.array("times", times, "t"))
    if moments[0] < 0 or (np.diff(moments) <= 0).any():
        raise checks.refuse("times", list(times), "increasing numbers, zero or above")
    gaps = np.diff(moments, prepend=0.0)
    counts = np.ceil(gaps / step - 1e-9).astype(int)
    sizes = checks.positive("rate", rate) * gaps / np.maximum(counts, 1)
    blocks = [members[start : start + at_once] for start in range(0, len(members), at_once)]
    scale = 1.0 if richness is None else network.scale(richness)
    task, record, parts = task._replace(y=scale * jnp.asarray(task.y)), observe or network.apply, []
    for block in track(blocks, f"training {len(members)} networks"):
        keys = jnp.stack([jax.random.fold_in(jax.random.key(seed), k) for k in block])
        part = _train(network, record, counts, keys, task, sizes)
        parts.append(jax.tree.map(np.asarray, part))
    found = jax.tree.map(lambda *arrays: np.concatenate(arrays), *parts)
    return found if observe else found / scale


def stream(*words: int) -> int:
    """A seed for one ensemble of a study, from whole numbers that name it; other words, unrelated draws."""
    return int(np.random.SeedSequence(words).generate_state(1)[0])


@functools.partial(jax.jit, static_argnums=(0, 1))
def _train(
    network: FiniteNetwork,
    observe: Callable[[Parameters, jax.Array], Any],
    counts: jax.Array,
    keys: jax.Array,
    task: Task,
    sizes: jax.Array,
) -> Any:
    def loss(parameters: Parameters) -> jax.Array:
        residual = network.apply(parameters, task.x) - task.y
        return 0.5 * jnp.sum(task.weights[:, None] * residual**2)

    def until(parameters: Parameters, gap: tuple[jax.Array, jax.Array]) -> tuple[Parameters, Any]:
        count, size = gap
        parameters = jax.lax.fori_loop(0, count, lambda _, p: _runge_kutta(jax.grad(loss), size, p), parameters)
        return parameters, observe(parameters, task.queries)

    def member(key: jax.Array) -> Any:
        return jax.lax.scan(until, network.init(key), (counts, sizes))[1]

    return jax.vmap(member)(keys)


def _runge_kutta(gradient: Callable[[Parameters], Parameters], size: jax.Array, p: Parameters) -> Parameters:
    """One step; the four slopes are taken in a loop, so that the gradient is compiled once."""

    def stage(carry: tuple[Parameters, Parameters], shares: jax.Array) -> tuple[tuple[Parameters, Parameters], None]:
        last, total = carry
        slope = gradient(jax.tree.map(lambda a, b: a - shares[0] * size * b, p, last))
        return (slope, jax.tree.map(lambda a, b: a - shares[1] * size * b, total, slope)), None

    stages = jnp.array([[0, 1 / 6], [1 / 2, 1 / 3], [1 / 2, 1 / 3], [1, 1 / 6]])
    return jax.lax.scan(stage, (jax.tree.map(jnp.zeros_like, p), p), stages)[0][1]
