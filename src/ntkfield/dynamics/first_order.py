"""First-order corrections of a trained network's mean, covariance and NTK at any queries, with their errors.

A correction at a query reads entries of the tensors with that query on one leg or two, so that the tensors are computed
for the training inputs and one query at a time, or two where a covariance between queries is asked for. The quadratures
over inputs that such families share are made once.
"""

import itertools
from typing import NamedTuple

import numpy as np

from ntkfield import checks
from ntkfield.dynamics.hierarchy import COVARIANCES, DRIFTS, Hierarchy, Integrals, Modes
from ntkfield.finite import tensors as table
from ntkfield.finite.draws import SCRAMBLES, over_scrambles
from ntkfield.finite.recursion import ROUNDING, Plan, states, two_point_rules
from ntkfield.finite.room import check_arrays
from ntkfield.finite.wiring import wiring
from ntkfield.gaussian.drawn import Draws
from ntkfield.gaussian.rungs import Rung, climb
from ntkfield.networks.base import Network
from ntkfield.progress import track

MOST_TRAINING = 48  # training inputs: arrays over four of them and times, and a quadrature for every four
PROBE = 2  # families by which the order of the quadratures is chosen for all
TOGETHER = 64  # families whose quadratures are made together


class Asked(NamedTuple):
    """What is wanted.

    Attributes:
        pairs: whether of pairs of queries, too.
        ratios: each layer's width over the width before it, [L - 1].
        rtol: largest error allowed, relative to the largest correction of its kind.
        drifts: whether only of the parts of the highest power in the targets, but at the training inputs as well.
        draws: of a channel, to take the moments of four inputs as means over; None for quadratures.
        seed: of the draws.
    """

    pairs: bool
    ratios: np.ndarray
    rtol: float
    drifts: bool = False
    draws: int | None = None
    seed: int = 0


Corrections = dict[str, np.ndarray]


def corrections(
    network: Network, x: np.ndarray, y: np.ndarray, queries: np.ndarray, times: np.ndarray, asked: Asked
) -> tuple[Corrections, Corrections]:
    """Corrections to the mean, the covariance and the NTK, and their estimated errors.

    Args:
        network: with a smooth activation.
        x: training inputs [N, d], or in the form that the network's class describes.
        y: targets [N, channels], or several such [trainings, N, channels], each of networks of its own: the tensors,
            which know no targets, are computed once for all.
        queries: inputs [m, d], in the same form.
        times: learning rate times time, [times]; ``inf`` where the NTK of `x` is regular.
        asked: what is wanted.

    Returns:
        ``mean`` and, of it, the part ``cubic`` in the targets [times, m, channels], and ``covariance`` and ``ntk``
        [times, m, m, channels, channels], which without pairs are [times, m, channels, channels]; behind an axis of
        trainings where `y` has one. And, for each, its change from quadratures of one order to finer ones, and of the
        integrals over time to differently rounded ones; with draws its standard error. With `drifts` only ``mean`` and
        ``ntk``, of N + m inputs, the training inputs first.

    Raises:
        ValueError: for more training inputs than four-index arrays are made for.
    """
    if len(x) > MOST_TRAINING:
        raise checks.refuse(
            "number of training inputs",
            len(x),
            f"at most {MOST_TRAINING} for corrections in 1/n: four-index arrays hold them",
        )
    inputs = np.concatenate([x, queries])
    families = _families(len(x), len(queries), asked.pairs)
    coarse, fine = two_point_rules(network, inputs, asked.rtol)
    if asked.draws is not None:
        return _by_draws(_Call(fine, inputs, y, times, asked, 0), families, asked.draws, asked.seed)
    calls = [_Call(net, inputs, y, times, asked, finer) for net, finer in ((coarse, 1), (fine, 0))]
    if len(families) > PROBE:
        # Judged at the queries of the largest variance, where the activations vary most and quadratures err most.
        squares = np.sum(inputs.reshape(len(inputs), -1) ** 2, axis=1)
        largest = np.argsort(-np.sum(squares[families[:, len(x) :]], axis=1), kind="stable")[:PROBE]
        order, _ = _refined(calls, families[np.sort(largest)], asked.rtol)
        found = [call.corrections(families, n) for call, n in zip(calls, order, strict=True)]
    else:
        _, found = _refined(calls, families, asked.rtol)
    others, values = found
    return values, {name: np.abs(value - others[name]) for name, value in values.items()}


def _by_draws(call: "_Call", families: np.ndarray, draws: int, seed: int) -> tuple[Corrections, Corrections]:
    """Means over scrambles, and their standard errors."""
    seeds = np.random.SeedSequence(seed).generate_state(SCRAMBLES)
    return over_scrambles([call.corrections(families, Draws(draws // SCRAMBLES, int(own))) for own in seeds])


def check_room(network: Network, inputs: np.ndarray, steps: np.ndarray, m: int) -> None:
    """Refuse a group network whose tensors between m of some inputs no memory holds; of an MLP MOST_TRAINING does.

    Raises:
        ValueError: saying how many would fit.
    """
    wires = wiring(network, inputs)
    if wires.hidden:
        check_arrays(Plan(table.closure(COVARIANCES), steps, np.arange(m)[None]), wires, m)


def _families(n: int, queries: int, pairs: bool) -> np.ndarray:
    """The training inputs and one query each, or two; by themselves where there is no query."""
    if not queries:
        return np.arange(n)[None]
    if pairs and queries > 1:
        chosen = np.array(list(itertools.combinations(range(n, n + queries), 2)))
    else:
        chosen = np.arange(n, n + queries)[:, None]
    return np.concatenate([np.broadcast_to(np.arange(n), (len(chosen), n)), chosen], axis=1)


def _refined(calls: "list[_Call]", families: np.ndarray, rtol: float) -> tuple[Rung, list[Corrections]]:
    """Two orders of quadrature that agree to `rtol` in some families' corrections, the coarser first, and those."""
    network, inputs = calls[0].network, calls[0].inputs
    exact, wires = network.activation.four_point_error is not None, wiring(network, inputs[:1])

    def tried(rung: Rung) -> tuple[list[Corrections], float]:
        found = [call.corrections(families, order) for call, order in zip(calls, rung, strict=True)]
        return found, max(_relative(value - found[0][name], value) for name, value in found[1].items())

    rung, found, _ = climb([(0, 0)] if exact else wires.rungs(families.shape[1]), tried, rtol)
    return rung, found


def _relative(difference: np.ndarray, value: np.ndarray) -> float:
    largest = float(np.max(abs(value)))
    change = float(np.max(abs(difference)))
    return change / largest if change > ROUNDING * max(largest, 1.0) else 0.0


class _Call:
    """Corrections from one set of rules."""

    def __init__(
        self, network: Network, inputs: np.ndarray, y: np.ndarray, times: np.ndarray, asked: Asked, finer: int
    ) -> None:
        self.network, self.inputs, self.n, self.asked = network, inputs, y.shape[-2], asked
        train = np.arange(self.n)[None]
        theta = next(states(network, inputs[: self.n], Plan(("K", "Theta"), asked.ratios, train), 0))[-1]["Theta"]
        self.modes = Modes.of(theta, y)
        self.trainings = [self.modes._replace(errors=each) for each in self.modes.errors.reshape(-1, *y.shape[-2:])]
        self.several = y.ndim > 2
        self.integrals = Integrals.at(times, self.modes.rates, finer)

    def corrections(self, families: np.ndarray, order: int | Draws) -> Corrections:
        """Corrections at the queries of all `families`."""
        names = DRIFTS if self.asked.drifts else COVARIANCES
        plan = Plan(table.closure(names), self.asked.ratios, families)
        start = 0 if self.asked.drifts else self.n
        queries = np.unique(families[:, start:])
        parts = [[] for _ in self.trainings]
        for first in track(range(0, len(families), TOGETHER), f"corrections of order 1/n for {len(families)} families"):
            some = plan._replace(families=families[first : first + TOGETHER])
            for rows, layers in zip(some.families, states(self.network, self.inputs, some, order), strict=True):
                tensors = {name: layers[-1][name] for name in names}
                untrained = Hierarchy(tensors, self.trainings[0], self.integrals)
                own = np.searchsorted(queries, rows[start:])
                for modes, part in zip(self.trainings, parts, strict=True):
                    part.append((own, *self._found(untrained.on(modes.errors))))
        found = [_gathered(each, len(queries), self.asked.pairs) for each in parts]
        return {name: np.stack([each[name] for each in found]) for name in found[0]} if self.several else found[0]

    def _found(self, trained: Hierarchy) -> tuple[Corrections, Corrections]:
        """Corrections with one axis of inputs, and those with two."""
        if self.asked.drifts:
            mean, ntk = trained.drift()
            return {"mean": mean}, {"ntk": ntk}
        mean = trained.mean()
        twos = {"covariance": trained.covariance(), "ntk": trained.ntk()}
        return {"mean": np.sum(list(mean.values()), axis=0), "cubic": mean["cubic"]}, twos


def _gathered(parts: list[tuple], queries: int, pairs: bool) -> Corrections:
    """The families' corrections in the queries' order."""
    _, ones, twos = parts[0]
    between = (queries, queries) if pairs else (queries,)
    result = {name: np.empty((len(one), queries, *one.shape[2:])) for name, one in ones.items()}
    result |= {name: np.empty((len(two), *between, *two.shape[3:])) for name, two in twos.items()}
    for own, ones, twos in parts:
        for name, one in ones.items():
            result[name][:, own] = one
        for name, two in twos.items():
            if pairs:
                result[name][:, own[:, None], own] = two
            else:
                result[name][:, own[0]] = two[:, 0, 0]
    return result
