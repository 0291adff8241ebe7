r"""The tensors of the NTK's own derivatives, P to U: how the NTK changes as the network learns.

Recursions of :math:`d\hat\Theta`, :math:`dd_I\hat\Theta` and :math:`dd_{II}\hat\Theta` (definitions in
:mod:`ntkfield.tensors`). Array axes a, b, c, d follow the subscripts: 0123 for P, Q, R; 1234 for S; 1324 for T;
1423 for U. Source: as for :mod:`ntkfield.finite.layer`.
"""

import numpy as np

from ntkfield.finite.layer import Layer, State
from ntkfield.finite.transport import Moments, at, first
from ntkfield.finite.wiring import Mean
from ntkfield.networks.base import Scales
from ntkfield.tensors import TENSORS


def advance(
    E: Moments,
    moments: State,
    scales: Scales,
    ratio: float,
    state: State,
    rho: float = 0.0,
    mean: Mean | None = None,
) -> State:
    """The state one layer on.

    Args:
        E: two-point moments at the state's K.
        moments: four-point moments, arrays [m, m, m, m] by type.
        scales: variances and rates.
        ratio: width of this layer over the width of the one before.
        state: arrays [m, m] and [m, m, m, m] by name; what is not among them is not computed.
        rho: what orthogonal weights take from the sources of V, F and B, 0 for Gaussian ones.
        mean: what the layer does to tied legs; None for nothing.
    """
    layer = FullLayer(E, moments, scales, ratio, state, rho)
    found = {name: getattr(layer, name)() for name in state}
    if mean is None:
        return found
    # One bias serves all positions: a mean that counts a padding's zeros does not keep what it adds.
    biases = {"K": scales.kernel(0.0), "Theta": scales.ntk(0.0)}
    offsets = {name: biases.get(name, 0.0) for name in found}
    return {name: offsets[name] + mean(value - offsets[name], TENSORS[name].pairs) for name, value in found.items()}


class FullLayer(Layer):
    """All recursions."""

    def t(self, letters: str) -> np.ndarray:
        """The NTK of the inputs at two of the axes."""
        return at(self.theta, letters)

    def P(self) -> np.ndarray:
        r"""DNTK and preactivation, third index with the differentiated one; axes 0123.

        .. math::

            \begin{aligned}
            \bigl[P_{0123}\bigr]^{(\ell+1)} &= C_W^{2} \Theta_{01} \Theta_{02} \langle
                \sigma''_{0}\sigma_{3}\sigma'_{1}\sigma'_{2}\rangle \\
            &\quad + r C_W^{2} B_{0 0 1 2} \langle \sigma''_{0}\sigma_{3}\rangle \langle \sigma'_{1}\sigma'_{2}\rangle
                \\
            &\quad + r C_W^{2} \sum_{\beta} P_{0 1 2 \beta_{1}} \langle
                \partial_{\beta_{1}}(\sigma'_{0}\sigma_{3})\rangle \langle \sigma'_{1}\sigma'_{2}\rangle
            \end{aligned}

        Source: arXiv 2508.11522, with general rates.
        """
        P, B = self.state["P"], self.state["B"]
        source = self.t("ab") * self.t("ac") * at(self.M["0112"], "dbca")
        through = self.e(2, 0, "ad") * at(B, "aabc")
        carried = first(self.E, 1, 0, "ad", lambda s: at(P, f"abc{s}"))
        return self.cw**2 * (source + self.r * self.e(1, 1, "bc") * (through + carried))

    def Q(self) -> np.ndarray:
        r"""DNTK and preactivation, third index with a contracted one; axes 0123.

        .. math::

            \begin{aligned}
            \bigl[Q_{0123}\bigr]^{(\ell+1)} &= C_W \lambda_W \Theta_{02} \langle
                \sigma'_{0}\sigma_{1}\sigma'_{2}\sigma_{3}\rangle \\
            &\quad + r C_W \lambda_W \sum_{\beta} F_{\beta_{1} 0 \beta_{2} 2} \langle
                \partial_{\beta_{1}}(\sigma'_{0}\sigma_{1})\rangle \langle
                \partial_{\beta_{2}}(\sigma'_{2}\sigma_{3})\rangle \\
            &\quad + C_W^{2} \Theta_{01} \Theta_{02} \langle \sigma''_{0}\sigma'_{1}\sigma'_{2}\sigma_{3}\rangle \\
            &\quad + r C_W^{2} \Theta_{01} \sum_{\beta} F_{\beta_{1} 0 \beta_{2} 2} \langle
                \partial_{\beta_{1}}(\sigma''_{0}\sigma'_{1})\rangle \langle
                \partial_{\beta_{2}}(\sigma'_{2}\sigma_{3})\rangle \\
            &\quad + r C_W^{2} \sum_{\beta} Q_{0 1 2 \beta_{1}} \langle \sigma'_{0}\sigma'_{1}\rangle \langle
                \partial_{\beta_{1}}(\sigma'_{2}\sigma_{3})\rangle
            \end{aligned}

        Source: arXiv 2508.11522, with general rates.
        """
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
        r"""Mean ddNTK of the first kind; axes 0123.

        .. math::

            \begin{aligned}
            \bigl[R_{0123}\bigr]^{(\ell+1)} &= C_W \lambda_W \Theta_{02} \Theta_{03} \langle
                \sigma''_{0}\sigma_{1}\sigma'_{2}\sigma'_{3}\rangle \\
            &\quad + r C_W \lambda_W B_{0 0 2 3} \langle \sigma''_{0}\sigma_{1}\rangle \langle
                \sigma'_{2}\sigma'_{3}\rangle \\
            &\quad + r C_W \lambda_W \sum_{\beta} P_{0 2 3 \beta_{1}} \langle
                \partial_{\beta_{1}}(\sigma'_{0}\sigma_{1})\rangle \langle \sigma'_{2}\sigma'_{3}\rangle \\
            &\quad + C_W^{2} \Theta_{01} \Theta_{02} \Theta_{03} \langle
                \sigma'''_{0}\sigma'_{1}\sigma'_{2}\sigma'_{3}\rangle \\
            &\quad + r C_W^{2} \Theta_{01} B_{0 0 2 3} \langle \sigma'''_{0}\sigma'_{1}\rangle \langle
                \sigma'_{2}\sigma'_{3}\rangle \\
            &\quad + r C_W^{2} \Theta_{01} \sum_{\beta} P_{0 2 3 \beta_{1}} \langle
                \partial_{\beta_{1}}(\sigma''_{0}\sigma'_{1})\rangle \langle \sigma'_{2}\sigma'_{3}\rangle \\
            &\quad + r C_W^{2} R_{0 1 2 3} \langle \sigma'_{0}\sigma'_{1}\rangle \langle \sigma'_{2}\sigma'_{3}\rangle
            \end{aligned}

        Source: arXiv 2508.11522, with general rates.
        """
        B, P, R = at(self.state["B"], "aacd"), self.state["P"], self.state["R"]
        inner = self.r * self.e(1, 1, "cd")
        by_rate = self.t("ac") * self.t("ad") * at(self.M["0112"], "bcda")
        by_rate = by_rate + inner * (self.e(2, 0, "ab") * B + first(self.E, 1, 0, "ab", lambda s: at(P, f"acd{s}")))
        own = self.t("ab") * self.t("ac") * self.t("ad") * at(self.M["1113"], "bcda")
        through = self.e(3, 1, "ab") * B + first(self.E, 2, 1, "ab", lambda s: at(P, f"acd{s}"))
        own = own + inner * (self.t("ab") * through + self.e(1, 1, "ab") * R)
        return self.rate_w * self.cw * by_rate + self.cw**2 * own

    def S(self) -> np.ndarray:
        r"""Mean ddNTK of the second kind, indices 12 and 34 paired; axes 1234.

        .. math::

            \begin{aligned}
            \bigl[S_{1234}\bigr]^{(\ell+1)} &= C_W \lambda_W \Theta_{13} \Theta_{24} \langle
                \sigma'_{1}\sigma'_{2}\sigma'_{3}\sigma'_{4}\rangle \\
            &\quad + r C_W \lambda_W B_{1 2 3 4} \langle \sigma'_{1}\sigma'_{2}\rangle \langle
                \sigma'_{3}\sigma'_{4}\rangle \\
            &\quad + C_W^{2} \Theta_{12} \Theta_{13} \Theta_{24} \langle
                \sigma''_{1}\sigma''_{2}\sigma'_{3}\sigma'_{4}\rangle \\
            &\quad + r C_W^{2} \Theta_{12} B_{1 2 3 4} \langle \sigma''_{1}\sigma''_{2}\rangle \langle
                \sigma'_{3}\sigma'_{4}\rangle \\
            &\quad + r C_W^{2} S_{1 2 3 4} \langle \sigma'_{1}\sigma'_{2}\rangle \langle \sigma'_{3}\sigma'_{4}\rangle
            \end{aligned}

        Source: arXiv 2508.11522, with general rates.
        """
        B, S = self.state["B"], self.state["S"]
        inner = self.r * self.e(1, 1, "cd")
        by_rate = self.t("ac") * self.t("bd") * self.M["1111"] + inner * self.e(1, 1, "ab") * B
        own = self.t("ab") * self.t("ac") * self.t("bd") * at(self.M["1122"], "cdab")
        own = own + inner * (self.t("ab") * self.e(2, 2, "ab") * B + self.e(1, 1, "ab") * S)
        return self.rate_w * self.cw * by_rate + self.cw**2 * own

    def T(self) -> np.ndarray:
        r"""Mean ddNTK of the second kind, indices 13 and 24 paired; axes 1324.

        .. math::

            \begin{aligned}
            \bigl[T_{1324}\bigr]^{(\ell+1)} &= \lambda_W^{2} \Theta_{12} \langle
                \sigma'_{1}\sigma_{3}\sigma'_{2}\sigma_{4}\rangle \\
            &\quad + r \lambda_W^{2} \sum_{\beta} F_{\beta_{1} 1 \beta_{2} 2} \langle
                \partial_{\beta_{1}}(\sigma'_{1}\sigma_{3})\rangle \langle
                \partial_{\beta_{2}}(\sigma'_{2}\sigma_{4})\rangle \\
            &\quad + C_W \lambda_W \Theta_{12} \Theta_{24} \langle \sigma'_{1}\sigma_{3}\sigma''_{2}\sigma'_{4}\rangle
                \\
            &\quad + r C_W \lambda_W \Theta_{24} \sum_{\beta} F_{\beta_{1} 1 \beta_{2} 2} \langle
                \partial_{\beta_{1}}(\sigma'_{1}\sigma_{3})\rangle \langle
                \partial_{\beta_{2}}(\sigma''_{2}\sigma'_{4})\rangle \\
            &\quad + r C_W \lambda_W \sum_{\beta} Q_{2 4 1 \beta_{1}} \langle
                \partial_{\beta_{1}}(\sigma'_{1}\sigma_{3})\rangle \langle \sigma'_{2}\sigma'_{4}\rangle \\
            &\quad + C_W \lambda_W \Theta_{12} \Theta_{13} \langle \sigma''_{1}\sigma'_{3}\sigma'_{2}\sigma_{4}\rangle
                \\
            &\quad + r C_W \lambda_W \Theta_{13} \sum_{\beta} F_{\beta_{1} 1 \beta_{2} 2} \langle
                \partial_{\beta_{1}}(\sigma''_{1}\sigma'_{3})\rangle \langle
                \partial_{\beta_{2}}(\sigma'_{2}\sigma_{4})\rangle \\
            &\quad + r C_W \lambda_W \sum_{\beta} Q_{1 3 2 \beta_{1}} \langle \sigma'_{1}\sigma'_{3}\rangle \langle
                \partial_{\beta_{1}}(\sigma'_{2}\sigma_{4})\rangle \\
            &\quad + C_W^{2} \Theta_{12} \Theta_{13} \Theta_{24} \langle
                \sigma''_{1}\sigma'_{3}\sigma''_{2}\sigma'_{4}\rangle \\
            &\quad + r C_W^{2} \Theta_{13} \Theta_{24} \sum_{\beta} F_{\beta_{1} 1 \beta_{2} 2} \langle
                \partial_{\beta_{1}}(\sigma''_{1}\sigma'_{3})\rangle \langle
                \partial_{\beta_{2}}(\sigma''_{2}\sigma'_{4})\rangle \\
            &\quad + r C_W^{2} \Theta_{24} \sum_{\beta} Q_{1 3 2 \beta_{1}} \langle \sigma'_{1}\sigma'_{3}\rangle
                \langle \partial_{\beta_{1}}(\sigma''_{2}\sigma'_{4})\rangle \\
            &\quad + r C_W^{2} \Theta_{13} \sum_{\beta} Q_{2 4 1 \beta_{1}} \langle
                \partial_{\beta_{1}}(\sigma''_{1}\sigma'_{3})\rangle \langle \sigma'_{2}\sigma'_{4}\rangle \\
            &\quad + r C_W^{2} T_{1 3 2 4} \langle \sigma'_{1}\sigma'_{3}\rangle \langle \sigma'_{2}\sigma'_{4}\rangle
            \end{aligned}

        Source: arXiv 2508.11522, with general rates.
        """
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
        r"""Mean ddNTK of the second kind, indices 14 and 23 paired; axes 1423.

        .. math::

            \begin{aligned}
            \bigl[U_{1423}\bigr]^{(\ell+1)} &= C_W^{2} \Theta_{12} \Theta_{13} \Theta_{24} \langle
                \sigma''_{1}\sigma'_{4}\sigma''_{2}\sigma'_{3}\rangle \\
            &\quad + r C_W^{2} U_{1 4 2 3} \langle \sigma'_{1}\sigma'_{4}\rangle \langle \sigma'_{2}\sigma'_{3}\rangle
            \end{aligned}

        Source: arXiv 2508.11522, with general rates.
        """
        source = self.t("ac") * self.t("bc") * self.t("ad") * at(self.M["1122"], "bdac")
        return self.cw**2 * (source + self.r * self.e(1, 1, "ab") * self.e(1, 1, "cd") * self.state["U"])
