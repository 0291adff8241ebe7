r"""The tensors of the NTK's own derivatives, P to U: how the NTK changes as the network learns.

Recursions of :math:`d\hat\Theta`, :math:`dd_I\hat\Theta` and :math:`dd_{II}\hat\Theta` (definitions in
:mod:`ntkfield.finite.tensors`). Array axes a, b, c, d follow the subscripts: 0123 for P, Q, R; 1234 for S; 1324 for T;
1423 for U. Source: as for :mod:`ntkfield.finite.layer`.
"""

import numpy as np

from ntkfield.finite.layer import Layer, State
from ntkfield.finite.transport import Moments, Table, at, first
from ntkfield.networks import Scales


def advance(pairs: Table, moments: State, scales: Scales, ratio: float, state: State) -> State:
    """The state one layer on.

    Args:
        pairs: two-point moments at the state's K, arrays [m, m] by pairs of orders.
        moments: four-point moments, arrays [m, m, m, m] by type.
        scales: variances and rates.
        ratio: width of this layer over the width of the one before.
        state: arrays [m, m] and [m, m, m, m] by name; what is not among them is not computed.
    """
    layer = FullLayer(Moments(pairs), moments, scales, ratio, state)
    return {name: getattr(layer, name)() for name in state}


class FullLayer(Layer):
    """All recursions."""

    def t(self, letters: str) -> np.ndarray:
        """The NTK of the inputs at two of the axes."""
        return at(self.theta, letters)

    def P(self) -> np.ndarray:
        P, B = self.state["P"], self.state["B"]
        source = self.t("ab") * self.t("ac") * at(self.M["0112"], "dbca")
        through = self.e(2, 0, "ad") * at(B, "aabc")
        carried = first(self.E, 1, 0, "ad", lambda s: at(P, f"abc{s}"))
        return self.cw**2 * (source + self.r * self.e(1, 1, "bc") * (through + carried))

    def Q(self) -> np.ndarray:
        Q = self.state["Q"]
        by_rate = self.rate_w * self.cw * (self.t("ac") * at(self.M["0011"], "bdac") + self.r * self._shared((1, 0)))
        source = self.t("ab") * self.t("ac") * at(self.M["0112"], "dbca")
        carried = self.t("ab") * self._shared((2, 1))
        carried = carried + self.e(1, 1, "ab") * first(self.E, 1, 0, "cd", lambda s: at(Q, f"abc{s}"))
        return by_rate + self.cw**2 * (source + self.r * carried)

    def _shared(self, left: tuple[int, int], right: tuple[int, int] = (1, 0)) -> np.ndarray:
        """F carried by single derivatives, the NTK's indices at a and c."""
        return self._crossed(left, right, "ac")

    def R(self) -> np.ndarray:
        B, P, R = at(self.state["B"], "aacd"), self.state["P"], self.state["R"]
        inner = self.r * self.e(1, 1, "cd")
        by_rate = self.t("ac") * self.t("ad") * at(self.M["0112"], "bcda")
        by_rate = by_rate + inner * (self.e(2, 0, "ab") * B + first(self.E, 1, 0, "ab", lambda s: at(P, f"acd{s}")))
        own = self.t("ab") * self.t("ac") * self.t("ad") * at(self.M["1113"], "bcda")
        through = self.e(3, 1, "ab") * B + first(self.E, 2, 1, "ab", lambda s: at(P, f"acd{s}"))
        own = own + inner * (self.t("ab") * through + self.e(1, 1, "ab") * R)
        return self.rate_w * self.cw * by_rate + self.cw**2 * own

    def S(self) -> np.ndarray:
        B, S = self.state["B"], self.state["S"]
        inner = self.r * self.e(1, 1, "cd")
        by_rate = self.t("ac") * self.t("bd") * self.M["1111"] + inner * self.e(1, 1, "ab") * B
        own = self.t("ab") * self.t("ac") * self.t("bd") * at(self.M["1122"], "cdab")
        own = own + inner * (self.t("ab") * self.e(2, 2, "ab") * B + self.e(1, 1, "ab") * S)
        return self.rate_w * self.cw * by_rate + self.cw**2 * own

    def T(self) -> np.ndarray:
        both = self.t("ac") * at(self.M["0011"], "bdac") + self.r * self._shared((1, 0))
        one = self._one_sided()
        one = one + at(one, "cdab")
        return self.rate_w**2 * both + self.rate_w * self.cw * one + self.cw**2 * self._inner_sided()

    def _one_sided(self) -> np.ndarray:
        r"""The part of T with :math:`\lambda_W C_W`, where 1 meets the layer's weights and 2 passes through."""
        Q = self.state["Q"]
        source = self.t("ac") * self.t("cd") * at(self.M["0112"], "badc")
        carried = self.t("cd") * self._shared((1, 0), (2, 1))
        passing = self.e(1, 1, "cd") * first(self.E, 1, 0, "ab", lambda s: at(Q, f"cda{s}"))
        return source + self.r * (carried + passing)

    def _inner_sided(self) -> np.ndarray:
        """The part of T with C_W squared, where both pass through."""
        Q, T = self.state["Q"], self.state["T"]
        source = self.t("ab") * self.t("cd") * self.t("ac") * at(self.M["1122"], "bdac")
        carried = self.t("ab") * self.t("cd") * self._shared((2, 1), (2, 1))
        left = self.t("ab") * self.e(1, 1, "cd") * first(self.E, 2, 1, "ab", lambda s: at(Q, f"cda{s}"))
        right = self.t("cd") * self.e(1, 1, "ab") * first(self.E, 2, 1, "cd", lambda s: at(Q, f"abc{s}"))
        own = self.e(1, 1, "ab") * self.e(1, 1, "cd") * T
        return source + self.r * (carried + left + right + own)

    def U(self) -> np.ndarray:
        source = self.t("ac") * self.t("bc") * self.t("ad") * at(self.M["1122"], "bdac")
        return self.cw**2 * (source + self.r * self.e(1, 1, "ab") * self.e(1, 1, "cd") * self.state["U"])
