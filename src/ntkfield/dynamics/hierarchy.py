r"""The neural tangent hierarchy to order 1/n: mean, covariance and NTK of networks of width n during training.

Under gradient flow on :math:`\tfrac12\sum_i (z_t(x_i) - y_i)^2` the outputs of an ensemble have

.. math:: E\,z_t = m_0 + m_1/n + O(n^{-2}), \qquad \mathrm{Cov}(z_t, z_t) = c_0 + c_1/n + O(n^{-2}), \qquad
   E\,\hat\Theta_t = \Theta + k_1/n + O(n^{-2}),

where :math:`m_1, c_1, k_1` are sums of the tensors of :func:`ntkfield.finite_width` at the output, times polynomials in
the targets and K, times integrals over ordered times (:mod:`ntkfield.dynamics.simplex`). To this order the hierarchy of
derivatives of the NTK (Huang and Yau 2019, arXiv 1909.08156) ends with the second: perturbation theory of second order
in the fluctuation of :math:`\hat\Theta` at the start, of first order in :math:`d\hat\Theta` and in the mean of
:math:`dd\hat\Theta`.

In the eigenbasis of the training inputs' NTK, of eigenvalues :math:`h_i`, with :math:`\mu = -y` in that basis, a
correction acts at a leg g and is answered by the outputs: at a query a by

.. math:: R_{ag} = \delta_{ag} - \Theta_{ai}\,\delta_{ig},

its integral over time beginning with the rates (0, h_g) at a training leg and with the rate 0 at a leg on a query.
"""

import copy
import functools
from typing import NamedTuple

import numpy as np

from ntkfield.dynamics.channels import Correlator, contract, placed
from ntkfield.dynamics.simplex import simplex_integrals
from ntkfield.tensors import LIMITS, SECOND_DERIVATIVES, TENSORS

MEANS = ("K", "Theta", "Theta1", "A", "B", "P", "Q", "R", "S", "T", "U")
"""The tensors that m1 and k1 read."""
COVARIANCES = tuple(name for name in TENSORS if name in {*MEANS, "K1", "D", "F"})
"""The tensors that c1 reads."""
DRIFTS = (*LIMITS, *SECOND_DERIVATIVES)
"""The tensors that the highest powers of the targets in m1 and k1 read."""


class Modes(NamedTuple):
    """The training inputs' NTK as eigenvalues and eigenvectors.

    Attributes:
        rates: eigenvalues h [N], zero or above.
        vectors: matrix O [N, N], a mode in each column.
        errors: targets as the mean of outputs minus targets at the start, mu = -O^T y [N, channels].
    """

    rates: np.ndarray
    vectors: np.ndarray
    errors: np.ndarray

    @classmethod
    def of(cls, theta: np.ndarray, y: np.ndarray) -> "Modes":
        """Modes of the NTK [N, N] of training inputs with targets [N, channels]."""
        rates, vectors = np.linalg.eigh(theta)
        return cls(np.maximum(rates, 0.0), vectors, -vectors.T @ y)


class Integrals(NamedTuple):
    r"""Integrals over time that begin at a leg: those of the training inputs' modes, and of any query last.

    Attributes:
        one: no other rate, [times, N + 1].
        two: rates :math:`h_b`, [times, N + 1, N].
        squared: rates :math:`h_b, h_d`, [times, N + 1, N, N].
        three: rates :math:`h_b, h_b + h_j`, [times, N + 1, N, N].
        four: rates :math:`h_b, h_b + h_j, h_b + h_j + h_k`, [times, N + 1, N, N, N].
    """

    one: np.ndarray
    two: np.ndarray
    squared: np.ndarray
    three: np.ndarray
    four: np.ndarray

    @classmethod
    def at(cls, times: np.ndarray, rates: np.ndarray, finer: int = 0) -> "Integrals":
        """All integrals at `times` for the training inputs' rates h [N]; `finer` as for :func:`simplex_integrals`."""
        return cls(*map(np.stack, zip(*(_integrals(t, rates, finer) for t in times), strict=True)))

    def legs(self, queries: int) -> "Integrals":
        """With a leg for each of some queries in place of one for any."""
        return Integrals(*(np.concatenate([x[:, :-1], *[x[:, -1:]] * queries], axis=1) for x in self))


def _integrals(t: float, h: np.ndarray, finer: int) -> tuple[np.ndarray, ...]:
    g, b, j, k = np.ix_(h, h, h, h)
    lists = np.stack(np.broadcast_arrays(0.0, g, b, b + j, b + j + k), axis=-1)
    trained = simplex_integrals(t, lists, finer)  # axes g, b, j, k and the first and last rate
    queried = simplex_integrals(t, lists[0][..., [0, 2, 3, 4]], finer)
    lists = np.stack(np.broadcast_arrays(0.0, *np.ix_(h, h, h)), axis=-1)
    squared, squared_queried = (simplex_integrals(t, some, finer) for some in (lists, lists[0][..., [0, 2, 3]]))
    pairs = (
        (trained[:, 0, 0, 0, 0, 1], np.ones(())),
        (trained[:, :, 0, 0, 0, 2], queried[:, 0, 0, 0, 1]),
        (squared[..., 0, 3], squared_queried[..., 0, 2]),
        (trained[:, :, :, 0, 0, 3], queried[:, :, 0, 0, 2]),
        (trained[..., 0, 4], queried[..., 0, 3]),
    )
    return tuple(np.concatenate([legs, query[None]]) for legs, query in pairs)


class Hierarchy:
    """The corrections at some queries of one ensemble: training inputs first, in every array, and the queries last."""

    def __init__(self, tensors: dict[str, np.ndarray], modes: Modes, integrals: Integrals) -> None:
        """Take the tensors at the output between N training inputs and queries, arrays [n, n] and [n, n, n, n]."""
        n = len(tensors["K"])
        self.training, self.queries, self.channels = len(modes.rates), n - len(modes.rates), modes.errors.shape[1]
        turn = np.eye(n)
        turn[: self.training, : self.training] = modes.vectors.T
        turned = {name: _turned(value, turn) for name, value in tensors.items()}
        self._turned, self._mu, self._e = turned, modes.errors, integrals.legs(self.queries)
        self._turn, self._integrals, self._correlators = turn, integrals, _Correlators(turned)
        self._k = turned["K"]
        # What a correction at each leg does to each query.
        across = turned["Theta"][self.training :, : self.training]
        self._response = np.concatenate([-across, np.eye(self.queries)], axis=1)

    def on(self, errors: np.ndarray) -> "Hierarchy":
        """The same for other targets, `errors` as in :class:`Modes`."""
        other = copy.copy(self)
        other._mu = errors
        return other

    def mean(self) -> dict[str, np.ndarray]:
        """The parts of m1 at the queries by the tensors they come from, arrays [times, queries, channels].

        That of R to U is in two: times K, and "cubic" in the targets; all but the latter are linear in them.
        """
        e, mu, k, n = self._e, self._mu, self._k, self.training
        b, d, j, bj, bk, jk = ((mu, "b"), (mu, "d"), (mu, "j"), *((k[:n, :n], pair) for pair in ("bj", "bk", "jk")))
        third = (mu, "k")
        ntk, derivative, second = self._correlators.ntks, self._correlators.derivative, self._correlators.second
        three, four = (e.three, "tpbj"), (e.four, "tpbjk")
        parts = {
            "Theta1": -np.einsum("tpb,pb,bc->tpc", e.two, self._turned["Theta1"][:, :n], mu, optimize=True),
            "AB": self._sum(ntk, "pbbd", (e.squared, "tpbd"), [d], "tp"),
            "PQ": self._sum(derivative, "pbjj", three, [b], "tp") + self._sum(derivative, "pbjb", three, [j], "tp"),
            "RSTU": -sum(self._sum(second, "pbjk", four, some, "tp") for some in ([bj, third], [bk, j], [jk, b])),
            "cubic": self._cubic(four),
        }
        return {name: np.einsum("ap,tpc->tac", self._response, part, optimize=True) for name, part in parts.items()}

    def covariance(self) -> np.ndarray:
        """The correction c1 between all queries, [times, queries, queries, channels, channels]."""
        e, mu, k, n = self._e, self._mu, self._k, self.training
        same = np.eye(self.channels)
        legs = np.einsum("tp,pq,tq,cd->tpqcd", e.one, self._turned["K1"], e.one, same, optimize=True)
        weights = np.einsum("tpb,tqx->tpqbx", e.two, e.two), "tpqbx"
        for some in ([(k[:n, :n], "bx")], [(mu, "b"), (mu, "x")]):
            legs = legs + self._sum(self._correlators.ntks, "pbqx", weights, some, "tpq")
        mixed = np.einsum("tp,tqpdc->tpqcd", e.one, self._with_start(), optimize=True)
        legs = legs + mixed + np.transpose(mixed, (0, 2, 1, 4, 3))
        return np.einsum("ap,bq,tpqcd->tabcd", self._response, self._response, legs, optimize=True)

    def _with_start(self) -> np.ndarray:
        """Covariance of the correction at leg q with the output at the start at p, [times, q, p, channels of both]."""
        e, mu, k, n = self._e, self._mu, self._k, self.training
        b, j = (mu, "b"), (mu, "j")
        start = {leg: (k[:, :n], f"p{leg}") for leg in "bjkx"}
        bj, bk, jk = ((k[:n, :n], pair) for pair in ("bj", "bk", "jk"))
        third = (mu, "k")
        fields = _correlator(self._turned, near="D1234", crossed="F1324", outer="F1423")
        three, four = (e.three, "tqbj"), (e.four, "tqbjk")
        plain = np.einsum("tqb,qb,pb->tqp", e.two, self._turned["Theta1"][:, :n], k[:, :n], optimize=True)
        total = -plain[..., None, None] * np.eye(self.channels)
        total = total - self._sum(fields, "pbqb", (e.two, "tqb"), [], "tqp")
        total = total + self._sum(self._correlators.ntks, "qbbx", (e.squared, "tqbx"), [start["x"]], "tqp")
        for legs, some in (("qbjp", [bj]), ("qbjp", [b, j]), ("qbjj", [start["b"]]), ("qbjb", [start["j"]])):
            total = total + self._sum(self._correlators.derivative, legs, three, some, "tqp")
        for some in ([jk], [j, third]):
            total = total - self._sum(self._correlators.second, "qbjk", four, [start["b"], *some], "tqp")
        for some in ([bk], [b, third]):
            total = total - self._sum(self._correlators.second, "qbjk", four, [start["j"], *some], "tqp")
        for some in ([bj], [b, j]):
            total = total - self._sum(self._correlators.second, "qbjk", four, [start["k"], *some], "tqp")
        return total

    def ntk(self) -> np.ndarray:
        """The correction k1 between all queries, [times, queries, queries, channels, channels]."""
        e, k, n = self._e, self._k, self.training
        drift, bend = (e.two[:, n], "tj"), (e.three[:, n], "tjk")
        total = self._turned["Theta1"][:, :, None, None] * np.eye(self.channels)
        total = total - self._sum(self._correlators.derivative, "pqjj", drift, [], "tpq")
        total = total + self._sum(self._correlators.second, "pqjk", bend, [(k[:n, :n], "jk")], "tpq") + self._drift()
        return total[:, n:, n:]

    def drift(self) -> tuple[np.ndarray, np.ndarray]:
        r"""The parts of m1 and k1 of the highest power in the targets, at all inputs: feature learning.

        Scaled by the targets' scale :math:`\sqrt n`, they are what mean-field networks keep of the order 1/n
        (:mod:`ntkfield.dynamics.lazy`): of m1 the cubic part, [times, n, channels], of k1 the quadratic one,
        [times, n, n, channels, channels].
        """
        e, n, turn = self._integrals, self.training, self._turn
        trained = self._cubic((e.four[:, :n], "tpbjk"), slice(n))
        mean = self._cubic((e.four[:, n], "tbjk"))
        mean = mean - np.einsum("ap,tpc->tac", self._turned["Theta"][:, :n], trained, optimize=True)
        ntk = np.einsum("ap,bq,tpqcd->tabcd", turn.T, turn.T, self._drift(), optimize=True)
        return np.einsum("ap,tpc->tac", turn.T, mean, optimize=True), ntk

    def _cubic(self, four: tuple[np.ndarray, str], legs: slice = slice(None)) -> np.ndarray:
        """The correction at some legs by three errors of the outputs at the start, [times, legs, channels]."""
        second = Correlator(*(part[legs] for part in self._correlators.second))
        return -self._sum(second, "pbjk", four, [(self._mu, letter) for letter in "bjk"], "tp")

    def _drift(self) -> np.ndarray:
        """The NTK's change by two errors of the outputs at the start, between all legs."""
        bend = self._integrals.three[:, self.training], "tjk"
        return self._sum(self._correlators.second, "pqjk", bend, [(self._mu, "j"), (self._mu, "k")], "tpq")

    def _sum(self, correlator: Correlator, legs: str, weights: tuple, factors: list, out: str) -> np.ndarray:
        return contract(correlator, legs, weights, factors, out, self.training, self.channels)


class _Correlators:
    """Those of the tensors at the output, made when they are first read; the same for all targets."""

    def __init__(self, turned: dict[str, np.ndarray]) -> None:
        self._turned = turned

    @functools.cached_property
    def ntks(self) -> Correlator:
        return _correlator(self._turned, near="A1234", crossed="B1324", outer="B1423")

    @functools.cached_property
    def derivative(self) -> Correlator:
        derivative = _correlator(self._turned, near="Q0123", crossed="Q0213", outer="P0123")
        return derivative.plus(derivative.legs("1023"))

    @functools.cached_property
    def second(self) -> Correlator:
        one = _correlator(self._turned, near="R0123", crossed="R0231", outer="R0312")
        two = _correlator(self._turned, near="S1234", crossed="T1324", outer="U1423")
        second = one.plus(two).plus(two.legs("0213"))
        return second.plus(second.legs("1023"))


def _turned(value: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """The array with every axis turned."""
    for _ in range(value.ndim):
        value = np.tensordot(value, turn, axes=(0, 1))
    return value


def _correlator(tensors: dict[str, np.ndarray], **parts: str) -> Correlator:
    """Tensors as the parts of a correlator, each a name and the legs on its axes, as in "B1423"."""
    return Correlator(**{pairing: placed(tensors[part[0]], part[1:]) for pairing, part in parts.items()})
