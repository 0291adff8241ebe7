r"""Order 1/n from draws of single channels, without an array over four positions.

The tensors of order 1/n are the second-order expansion of the infinite-width map
:math:`\Phi: (K, \Theta)^{(\ell)} \mapsto (K, \Theta)^{(\ell+1)}` in what one channel of a layer adds to it. With
:math:`z\sim N(0, K^{(\ell)})` a draw of a channel at all positions, :math:`\varphi\sim N(0, \Theta^{(\ell)})` an
independent one, and :math:`A_h` the mean over the steps of the filter, the same for both legs (at the readout the mean
over positions, leg by leg), it is

.. math::

    \kappa_{ab} = C_W A_h\,\Delta(\sigma_a\sigma_b),\quad
    \vartheta_{ab} = A_h\,\Delta(\lambda_W\sigma_a\sigma_b + C_W\Theta_{ab}\sigma'_a\sigma'_b),\quad
    y_{ab} = C_W A_h\,\sigma_a\sigma'_b\varphi_b ,

carried to later layers by :math:`D\Phi`, y by :math:`C_W A_h[\langle\sigma'_a\sigma'_b\rangle y_{ab} +
\langle\sigma_a\sigma''_b\rangle y_{bb}]`, each times :math:`\sqrt{n_\ell/n_{\ell-1}}`. Then, summed over the layers
where the channel was drawn,

.. math:: V = E[\kappa\kappa],\quad D = E[\kappa\vartheta],\quad A = E[\vartheta\vartheta],\quad F = E[yy],

and B is :math:`E[ww]` with :math:`w_{ab} = C_W A_h\,\sigma'_a\varphi_a\sigma'_b\psi_b`. K1 and Theta1 read V, D and F
within pairs of positions only. For N positions that is :math:`N^2` numbers a draw, not :math:`N^4`; over all rotations
of the sphere it is as many numbers as there are relative ones (:mod:`ntkfield.finite.so3`).

The means are taken over scrambled Sobol' points, and their standard errors over independent scrambles. Tensors: arXiv
2508.11522; layers: arXiv 2406.06504.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.activations import Activation
from ntkfield.finite.differentials import advance
from ntkfield.finite.layer import Layer, State, initial
from ntkfield.finite.places import HELD, Frame, Places, Root
from ntkfield.finite.transport import Entries
from ntkfield.gaussian.points import normal, scrambled
from ntkfield.networks.base import Network
from ntkfield.tensors import FLUCTUATIONS, KERNELS, LIMITS, TENSORS

NAMES = KERNELS + FLUCTUATIONS
SCRAMBLES = 16
PAIR = TENSORS["K"].pairs
FACTORS = {"V": ("K", "K"), "D": ("K", "Theta"), "A": ("Theta", "Theta"), "F": ("F", "F"), "B": ("B", "B")}

Drawn = dict[str, np.ndarray]
"""What channels add, arrays [N, N, draws] of kappa ("K"), vartheta ("Theta"), y ("F") and w ("B")."""


class Step(NamedTuple):
    """A weight layer behind a hidden one.

    Attributes:
        layer: its recursions at the limit's K and Theta.
        places: the positions below it.
        channel: root of K.
        field: root of Theta.
    """

    layer: Layer
    places: Places
    channel: Root
    field: Root

    def mean(self, x: np.ndarray) -> np.ndarray:
        """What the weights do to a two-point function."""
        return self.places.mean(x, PAIR)


def checked_draws(draws: int | None, seed: int) -> tuple[int | None, int]:
    """Draws over all scrambles, and their seed.

    Raises:
        ValueError: for a number that scrambles of Sobol' points do not divide, or a seed that is none.
    """
    if draws is not None and checks.whole("draws", draws, 2 * SCRAMBLES) & (draws - 1):
        raise checks.refuse("draws", draws, f"a power of two, {2 * SCRAMBLES} or above")
    return draws, checks.whole("seed", seed, 0)


def over_scrambles(found: Sequence[State]) -> tuple[State, State]:
    """Means of arrays over scrambles, and their standard errors."""
    every = {name: np.stack([one[name] for one in found]) for name in found[0]}
    means = {name: value.mean(axis=0) for name, value in every.items()}
    return means, {name: value.std(axis=0, ddof=1) / len(value) ** 0.5 for name, value in every.items()}


def replicates(
    network: Network, start: Frame, names: tuple[str, ...], ratios: np.ndarray, draws: int, seed: int
) -> Iterator[list[State]]:
    """Arrays over inputs of each layer behind the hidden ones at positions, once for each scramble.

    Args:
        network: with Gaussian weights.
        start: its frame.
        names: among NAMES.
        ratios: see :class:`ntkfield.finite.recursion.Plan`.
        draws: of a channel of each layer, over all scrambles.
        seed: of the scrambles.
    """
    steps, limits = chain(network, start, ratios)
    for own in np.random.SeedSequence(seed).spawn(SCRAMBLES):
        yield _replicate(network.activation, start.hidden, steps, limits, names, draws // SCRAMBLES, own)


def chain(network: Network, start: Frame, ratios: np.ndarray) -> tuple[list[Step], list[State]]:
    """All steps, and K and Theta of all layers."""
    steps, scales = [], network.scales
    limits = [initial(LIMITS, scales, start.product)]
    for places, ratio in zip(start.places, ratios, strict=True):
        state = limits[-1]
        E = places.moments(network.activation, state["K"])
        layer = Layer(E, {}, scales, ratio, state)
        steps.append(Step(layer, places, places.root(state["K"]), places.root(state["Theta"])))
        limits.append(advance(E, {}, scales, ratio, state, mean=places.mean))
    return steps, limits


def _replicate(
    sigma: Activation,
    hidden: int,
    steps: list[Step],
    limits: list[State],
    names: tuple[str, ...],
    draws: int,
    seed: np.random.SeedSequence,
) -> list[State]:
    """Means over the draws of one scramble."""
    fields = 2 if "B" in names else 1 if {"F", "Theta1"} & set(names) else 0
    means = bool({"K1", "Theta1"} & set(names))
    normals = [
        _Normals([step.channel.rank] + fields * [step.field.rank], own)
        for step, own in zip(steps, seed.spawn(len(steps)), strict=True)
    ]
    within: list[dict[str, Entries]] = [{} for _ in limits]
    outer: list[State] = [{} for _ in limits]
    if not hidden:
        outer[0] = {name: np.zeros((len(limits[0]["K"]),) * 4) for name in FACTORS if name in names}
    most = HELD // max(state["K"].size for state in limits)
    size = 2 ** int(np.log2(max(1, most)))  # Sobol' points come in powers of two
    for start in range(0, draws, size):
        drawn: Drawn = {}
        for behind, (step, own) in enumerate(zip(steps, normals, strict=True), 1):
            new, old = _source(sigma, step, own.take(min(size, draws - start))), _carried(step, drawn)
            drawn = {name: np.concatenate([old[name], new[name]], axis=-1) for name in new} if old else new
            if means and behind < len(steps):
                _add(within[behind], _within(steps[behind], drawn), draws)
            if behind >= hidden:
                _add(outer[behind], _products(drawn, names), draws)
    found = _corrected(steps, limits, within, names) if means else limits
    return [state | tensors for state, tensors in zip(found, outer, strict=True)][hidden:]


def _corrected(
    steps: list[Step], limits: list[State], within: list[dict[str, Entries]], names: tuple[str, ...]
) -> list[State]:
    """K, Theta, K1 and, if wanted, Theta1 of all layers."""
    means = ("K1", "Theta1") if "Theta1" in names else ("K1",)
    # The first layer does not fluctuate, so that the second has no correction.
    found = [limit | dict.fromkeys(means, np.zeros_like(limit["K"])) for limit in limits[:2]]
    for step, entries, limit in zip(steps[1:], within[1:-1], limits[2:], strict=True):
        layer = Layer(step.layer.E, {}, step.layer.scales, step.layer.r, cast(State, found[-1] | entries))
        found.append(limit | {name: step.mean(getattr(layer, name)()) for name in means})
    return found


class _Normals:
    """Standard normal numbers of the draws at one layer: for the channel, then for its fields."""

    def __init__(self, ranks: list[int], seed: np.random.SeedSequence) -> None:
        self._ends = np.cumsum(ranks)
        self._engine = scrambled(self._ends[-1], seed)

    def take(self, count: int) -> list[np.ndarray]:
        """Arrays [rank, count] of the next draws."""
        return np.split(normal(self._engine.random(count)).T[: self._ends[-1]], self._ends[:-1])


def _source(sigma: Activation, step: Step, normals: list[np.ndarray]) -> Drawn:
    """What channels of a layer add to the next one."""
    layer, product, (own, *others) = step.layer, step.places.product, normals
    z = jnp.asarray(step.channel.channel(own))
    s, slope = np.asarray(sigma(z)), np.asarray(sigma.derivative(1)(z))
    spread = step.mean(product(s, s) - layer.E(0, 0)[..., None])
    sloped = step.mean(layer.theta[..., None] * (product(slope, slope) - layer.E(1, 1)[..., None]))
    found = {"K": layer.cw * spread, "Theta": layer.rate_w * spread + layer.cw * sloped}
    fields = [slope * step.field.channel(other) for other in others]
    if fields:
        found["F"] = layer.cw * step.mean(product(s, fields[0]))
    if len(fields) == 2:
        found["B"] = layer.cw * step.mean(product(*fields))
    return found


def _carried(step: Step, drawn: Drawn) -> Drawn:
    """What channels of earlier layers add to the next one."""
    if not drawn:
        return {}
    layer, k = step.layer, drawn["K"]
    found = {"K": layer.map_k(k), "Theta": layer.map_theta(k) + layer.onto_theta(drawn["Theta"])}
    if "F" in drawn:
        y = drawn["F"]
        found["F"] = layer.onto_theta(y) + layer.cw * layer.E(0, 2)[..., None] * layer.E.ends(y)[1]
    if "B" in drawn:
        found["B"] = layer.onto_theta(drawn["B"])
    return {name: layer.r**0.5 * step.mean(x) for name, x in found.items()}


def _within(step: Step, drawn: Drawn) -> dict[str, Entries]:
    """Sums over draws of V, D and F where all legs are in one pair of positions: what K1 and Theta1 read."""
    k, theta, ends = drawn["K"], drawn["Theta"], step.layer.E.ends
    a, b = ends(k)
    v = {"aaaa": _dot(a, a), "aaab": _dot(a, k), "aabb": _dot(a, b), "abab": _dot(k, k)}
    v |= {"abbb": _dot(b, k), "bbbb": _dot(b, b)}
    v |= {"abaa": v["aaab"], "bbaa": v["aabb"], "bbab": v["abbb"]}  # V is symmetric in its pairs' order
    found = {"V": v, "D": {"aaab": _dot(a, theta), "abab": _dot(k, theta), "bbab": _dot(b, theta)}}
    if "F" in drawn:
        y = drawn["F"]
        (a, b), back = ends(y), step.places.exchanged(y)
        found["F"] = {"aaab": _dot(a, y), "aabb": _dot(a, b), "baab": _dot(back, y), "babb": _dot(back, b)}
    return found


def _dot(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.einsum("...x,...x->...", left, right)


def _products(drawn: Drawn, names: tuple[str, ...]) -> State:
    """Sums over draws of the tensors between all positions."""
    wanted = {name: factors for name, factors in FACTORS.items() if name in names}
    return {name: np.tensordot(drawn[left], drawn[right], (2, 2)) for name, (left, right) in wanted.items()}


def _add(total: dict, new: dict, draws: int) -> None:
    """Add sums over some of the draws, as their part of the mean."""
    for name, value in new.items():
        if isinstance(value, dict):
            _add(total.setdefault(name, {}), value, draws)
        else:
            total[name] = total.get(name, 0.0) + value / draws
