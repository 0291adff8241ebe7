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
within pairs of positions only. For N positions that is :math:`N^2` numbers a draw, not :math:`N^4`.

The means are taken over scrambled Sobol' points, and their standard errors over independent scrambles. Tensors: arXiv
2508.11522; layers: arXiv 2406.06504.
"""

from collections.abc import Iterator
from typing import NamedTuple, cast

import jax.numpy as jnp
import numpy as np
from scipy.stats import qmc

from ntkfield import checks
from ntkfield.activations import Activation
from ntkfield.finite.differentials import advance
from ntkfield.finite.layer import Layer, State, initial
from ntkfield.finite.transport import Entries, Moments
from ntkfield.finite.wiring import Mean, Wiring
from ntkfield.gaussian.points import normal
from ntkfield.gaussian.within import NEGLIGIBLE
from ntkfield.networks.base import Network
from ntkfield.tensors import TENSORS

NAMES = ("K", "Theta", "K1", "Theta1", "V", "D", "F", "A", "B")
SCRAMBLES = 16
HELD = 2**20  # numbers in one array of draws: 8 MiB
ARRAYS = 60  # between all positions: moments of each layer, and what is made of a draw
MOST_BYTES = 2**34
PAIR = TENSORS["K"].pairs
FACTORS = {"V": ("K", "K"), "D": ("K", "Theta"), "A": ("Theta", "Theta"), "F": ("F", "F"), "B": ("B", "B")}

Drawn = dict[str, np.ndarray]
"""What channels add, arrays [N, N, draws] of kappa ("K"), vartheta ("Theta"), y ("F") and w ("B")."""


class Step(NamedTuple):
    """A weight layer behind a hidden one.

    Attributes:
        layer: its recursions at the limit's K and Theta.
        mean: what it does to tied legs.
        channel: root of K [N, rank], from standard normal numbers to a channel.
        field: root of Theta.
    """

    layer: Layer
    mean: Mean
    channel: np.ndarray
    field: np.ndarray


def replicates(
    network: Network, wires: Wiring, names: tuple[str, ...], ratios: np.ndarray, draws: int, seed: int
) -> Iterator[list[State]]:
    """Arrays over inputs of each layer behind the hidden ones at positions, once for each scramble.

    Args:
        network: with Gaussian weights.
        wires: its wiring.
        names: among NAMES.
        ratios: see :class:`ntkfield.finite.recursion.Plan`.
        draws: of a channel of each layer, over all scrambles.
        seed: of the scrambles.
    """
    steps, limits = _steps(network, wires, ratios)
    for own in np.random.SeedSequence(seed).spawn(SCRAMBLES):
        yield _replicate(network.activation, wires, steps, limits, names, draws // SCRAMBLES, own)


def check_size(wires: Wiring, m: int) -> None:
    """Refuse what no memory holds of m inputs: two-point moments, and some arrays of draws, between all positions.

    Raises:
        ValueError: saying how many would fit.
    """
    positions = max(wires.positions)
    size = 8 * ARRAYS * (m * positions) ** 2
    if size > MOST_BYTES:
        most = int((MOST_BYTES / (8 * ARRAYS)) ** 0.5)
        accepted = f"at most {most}: {ARRAYS} arrays of 8 (inputs times positions)^2 bytes, {size / 2**30:.0f} GiB here"
        raise checks.refuse("number of inputs times positions", f"{m} x {positions}", accepted)


def _steps(network: Network, wires: Wiring, ratios: np.ndarray) -> tuple[list[Step], list[State]]:
    steps, scales = [], network.scales
    limits = [initial(("K", "Theta"), scales, wires.product)]
    for mean, ratio in zip(wires.means, ratios, strict=True):
        state = limits[-1]
        pairs = {key: np.asarray(value) for key, value in network.activation.two_point_moments(state["K"]).items()}
        layer = Layer(Moments(pairs), {}, scales, ratio, state)
        steps.append(Step(layer, mean or _untied, _root(state["K"]), _root(state["Theta"])))
        limits.append(advance(pairs, {}, scales, ratio, state, mean=mean))
    return steps, limits


def _untied(x: np.ndarray, pairs: object) -> np.ndarray:
    return x


def _root(k: np.ndarray) -> np.ndarray:
    """A root [N, rank] of a positive semi-definite matrix, its largest direction first."""
    values, vectors = np.linalg.eigh(k)
    kept = np.flatnonzero(values > NEGLIGIBLE * values[-1])[::-1]
    return vectors[:, kept] * np.sqrt(values[kept])


def _replicate(
    sigma: Activation,
    wires: Wiring,
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
        _Normals([step.channel.shape[1]] + fields * [step.field.shape[1]], own)
        for step, own in zip(steps, seed.spawn(len(steps)), strict=True)
    ]
    within: list[dict[str, Entries]] = [{} for _ in limits]
    outer: list[State] = [{} for _ in limits]
    if not wires.hidden:
        outer[0] = {name: np.zeros((len(limits[0]["K"]),) * 4) for name in FACTORS if name in names}
    most = HELD // max(len(state["K"]) for state in limits) ** 2
    size = 2 ** int(np.log2(max(1, most)))  # Sobol' points come in powers of two
    for start in range(0, draws, size):
        drawn: Drawn = {}
        for behind, (step, own) in enumerate(zip(steps, normals, strict=True), 1):
            new, old = _source(sigma, step, own.take(min(size, draws - start))), _carried(step, drawn)
            drawn = {name: np.concatenate([old[name], new[name]], axis=2) for name in new} if old else new
            if means and behind < len(steps):
                _add(within[behind], _within(drawn), draws)
            if behind >= wires.hidden:
                _add(outer[behind], _products(drawn, names), draws)
    found = _corrected(steps, limits, within, names) if means else limits
    return [state | tensors for state, tensors in zip(found, outer, strict=True)][wires.hidden :]


def _corrected(
    steps: list[Step], limits: list[State], within: list[dict[str, Entries]], names: tuple[str, ...]
) -> list[State]:
    """K, Theta, K1 and, if wanted, Theta1 of all layers."""
    means = ("K1", "Theta1") if "Theta1" in names else ("K1",)
    # The first layer does not fluctuate, so that the second has no correction.
    found = [limit | dict.fromkeys(means, np.zeros_like(limit["K"])) for limit in limits[:2]]
    for step, entries, limit in zip(steps[1:], within[1:-1], limits[2:], strict=True):
        layer = Layer(step.layer.E, {}, step.layer.scales, step.layer.r, cast(State, found[-1] | entries))
        found.append(limit | {name: step.mean(getattr(layer, name)(), PAIR) for name in means})
    return found


class _Normals:
    """Standard normal numbers of the draws at one layer: for the channel, then for its fields."""

    def __init__(self, ranks: list[int], seed: np.random.SeedSequence) -> None:
        self._ends = np.cumsum(ranks)
        self._engine = qmc.Sobol(self._ends[-1], scramble=True, rng=np.random.default_rng(seed))

    def take(self, count: int) -> list[np.ndarray]:
        """Arrays [rank, count] of the next draws."""
        return np.split(normal(self._engine.random(count)).T, self._ends[:-1])


def _source(sigma: Activation, step: Step, normals: list[np.ndarray]) -> Drawn:
    """What channels of a layer add to the next one."""
    layer, (own, *others) = step.layer, normals
    z = jnp.asarray(step.channel @ own)
    s, slope = np.asarray(sigma(z)), np.asarray(sigma.derivative(1)(z))
    spread = step.mean(_outer(s, s) - layer.E(0, 0)[..., None], PAIR)
    sloped = step.mean(layer.theta[..., None] * (_outer(slope, slope) - layer.E(1, 1)[..., None]), PAIR)
    found = {"K": layer.cw * spread, "Theta": layer.rate_w * spread + layer.cw * sloped}
    fields = [slope * (step.field @ other) for other in others]
    if fields:
        found["F"] = layer.cw * step.mean(_outer(s, fields[0]), PAIR)
    if len(fields) == 2:
        found["B"] = layer.cw * step.mean(_outer(*fields), PAIR)
    return found


def _carried(step: Step, drawn: Drawn) -> Drawn:
    """What channels of earlier layers add to the next one."""
    if not drawn:
        return {}
    layer, k = step.layer, drawn["K"]
    found = {"K": layer.map_k(k), "Theta": layer.map_theta(k) + layer.onto_theta(drawn["Theta"])}
    if "F" in drawn:
        y = drawn["F"]
        found["F"] = layer.onto_theta(y) + layer.cw * layer.E(0, 2)[..., None] * _diagonal(y)[None]
    if "B" in drawn:
        found["B"] = layer.onto_theta(drawn["B"])
    return {name: layer.r**0.5 * step.mean(x, PAIR) for name, x in found.items()}


def _outer(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return left[:, None] * right[None]


def _diagonal(x: np.ndarray) -> np.ndarray:
    n = np.arange(len(x))
    return x[n, n]


def _within(drawn: Drawn) -> dict[str, Entries]:
    """Sums over draws of V, D and F where all legs are in one pair of positions: what K1 and Theta1 read."""
    k, theta = drawn["K"], drawn["Theta"]
    own = _diagonal(k)
    v = {
        "aaaa": np.sum(own**2, axis=1)[:, None],
        "aaab": np.einsum("ax,abx->ab", own, k),
        "aabb": own @ own.T,
        "abab": np.einsum("abx,abx->ab", k, k),
    }
    # V is symmetric in its pairs' order and within them.
    v |= {"abaa": v["aaab"], "bbaa": v["aabb"], "bbbb": v["aaaa"].T, "abbb": v["aaab"].T, "bbab": v["aaab"].T}
    d = {"aaab": np.einsum("ax,abx->ab", own, theta), "abab": np.einsum("abx,abx->ab", k, theta)}
    found = {"V": v, "D": d | {"bbab": d["aaab"].T}}
    if "F" in drawn:
        y = drawn["F"]
        own = _diagonal(y)
        f = {"aaab": np.einsum("ax,abx->ab", own, y), "aabb": own @ own.T}
        f |= {"baab": np.einsum("bax,abx->ab", y, y), "babb": np.einsum("bax,bx->ab", y, own)}
        found["F"] = f
    return found


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
