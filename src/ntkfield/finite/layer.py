r"""One layer of the first-order system: the tensors at layer :math:`\ell+1` from those at layer :math:`\ell`, K to B.

With :math:`G_{12} = \sigma_1\sigma_2`, :math:`H_{12} = \langle\sigma'_1\sigma'_2\rangle`,
:math:`\Omega_{12} = \lambda_W G_{12} + C_W\Theta_{12}\sigma'_1\sigma'_2` and the map
:math:`\Phi: (K, \Theta) \mapsto (C_b + C_W\langle G\rangle,\ \lambda_b + \langle\Omega\rangle)`, the covariance
:math:`\Sigma = ((V, D), (D^T, A))` of the channel-diagonal fluctuations obeys
:math:`\Sigma' = \mathrm{cov}(C_W G, \Omega) + r\, D\Phi\, \Sigma\, D\Phi^T` and the mean corrections
:math:`(K1, \Theta1)' = r\{D\Phi (K1, \Theta1) + \tfrac12 D^2\Phi : \Sigma + \text{term of F}\}`, with
:math:`r = n_\ell/n_{\ell-1}`. The other tensors are carried by single derivatives. Array axes follow the subscripts.

Orthogonal weights (Haar, the variance of an entry unchanged) have a fourth cumulant: by Weingarten's formula, with
pairings p of rows and q of columns, :math:`-(C_W^2/n^3)\sum_{p\ne q}` to leading order. It reaches order 1/n where q
makes two free sums over channels, and takes products of two-point moments from three sources, times
:math:`\rho = \min(1, n_\ell/n_{\ell+1})`, 1 at the readout and 0 for Gaussian weights: V's becomes the fourth cumulant
of :math:`\sigma`, F's and B's the covariances of :math:`\sigma_1\sigma_2` with :math:`\sigma'_3\sigma'_4` and of
:math:`\sigma'_1\sigma'_2` with :math:`\sigma'_3\sigma'_4`. Nothing else changes but through V, F and B.

Source: Guillen, Misof and Gerken, arXiv 2508.11522, with general rates: a power of C_W missing from C_W^2 is one of
lambda_W. Their misprints in A, D, P, S and T are put right here; sampled networks confirm every tensor. Weingarten
functions: Collins and Sniady, Commun. Math. Phys. 264 (2006) 773; orthogonal ensembles: arXiv 2310.07765, 2605.06563.
"""

import functools

import numpy as np

from ntkfield.finite.transport import Get, Moments, among, at, first, fourth, second
from ntkfield.networks.base import Scales
from ntkfield.tensors import TENSORS

State = dict[str, np.ndarray]


def initial(names: tuple[str, ...], scales: Scales, product: np.ndarray, orthogonal: bool = False) -> State:
    r"""Layer 1, where the NTK is deterministic: K and Theta, all else zero but V of orthogonal weights.

    Preactivations are Gaussian under Gaussian weights; under semi-orthogonal ones, with G the inputs' products,
    :math:`V_{1234} = -C_W^2 (G_{13}G_{24} + G_{14}G_{23})` multiplies :math:`1/\max(n_0, n_1)`.

    Args:
        names: tensors to carry.
        scales: variances and rates.
        product: inner products of the inputs per dimension [m, m].
        orthogonal: whether the first layer's weights are semi-orthogonal.
    """
    m = len(product)
    state = {name: np.zeros((m,) * (len(TENSORS[name].subscripts))) for name in names}
    state["K"] = scales.kernel(product)
    state["Theta"] = scales.ntk(product)
    if orthogonal and "V" in state:
        crossed = at(product, "ac") * at(product, "bd") + at(product, "ad") * at(product, "bc")
        state["V"] = -(scales.weight_variance**2) * crossed
    return state


class Layer:
    """The recursions, one method per tensor, over shared moments."""

    def __init__(
        self, E: Moments, M: State, scales: Scales, ratio: float | np.ndarray, state: State, rho: float = 0.0
    ) -> None:
        r"""The layer's ingredients.

        Args:
            E: two-point moments.
            M: four-point moments by type.
            scales: variances and rates.
            ratio: r.
            state: arrays of layer :math:`\ell` by name.
            rho: :math:`\rho`, 0 for Gaussian weights.
        """
        self.E, self.M, self.state, self.r, self.rho = E, M, state, ratio, rho
        self.scales, self.cw, self.rate_w = scales, scales.weight_variance, scales.weight_rate
        self.theta = state["Theta"]

    def e(self, i: int, j: int, letters: str) -> np.ndarray:
        """Two-point moments of the inputs at two of the axes a, b, c, d."""
        return at(self.E(i, j), letters)

    def K(self) -> np.ndarray:
        """See :meth:`ntkfield.networks.Scales.kernel`."""
        return self.scales.kernel(self.E(0, 0))

    def Theta(self) -> np.ndarray:
        """See :meth:`ntkfield.networks.Scales.ntk`."""
        return self.scales.ntk(self.E(0, 0), self.theta * self.E(1, 1))

    def map_k(self, x: np.ndarray) -> np.ndarray:
        """The derivative of K' in K on the first two indices of a fluctuation [m, m] or [m, m, m, m]."""
        return self.cw * second(self._wide(x), 0, 0, self._leading(x))

    def map_theta(self, x: np.ndarray) -> np.ndarray:
        """The derivative of Theta' in K on the first two indices."""
        E, entries = self._wide(x), self._leading(x)
        through = self.cw * _widen(self.theta, x) * second(E, 1, 1, entries)
        return self.rate_w * second(E, 0, 0, entries) + through

    def onto_theta(self, x: np.ndarray) -> np.ndarray:
        """The derivative of Theta' in Theta on the first two indices."""
        return self.cw * _widen(self.E(1, 1), x) * x

    def _wide(self, x: np.ndarray) -> Get:
        return lambda i, j: _widen(self.E(i, j), x)

    def _leading(self, x: np.ndarray) -> Get:
        """Entries of the first two indices of `x`, those of input 1 (label 0) and input 2 (label 1)."""
        own = self.E.ends(x)
        return lambda s, t: x if s != t else own[s]

    @functools.cached_property
    def _gg(self) -> np.ndarray:
        return self.M["0000"] - self.e(0, 0, "ab") * self.e(0, 0, "cd")

    @functools.cached_property
    def _gh(self) -> np.ndarray:
        return self.M["0011"] - self.e(0, 0, "ab") * self.e(1, 1, "cd")

    def V(self) -> np.ndarray:
        r"""Connected four-point function of preactivations; axes 1234.

        .. math::

            \begin{aligned}
            \bigl[V_{1234}\bigr]^{(\ell+1)} &= C_W^{2} \langle
                \Delta(\sigma_{1}\sigma_{2})\,\Delta(\sigma_{3}\sigma_{4})\rangle \\
            &\quad + \frac{1}{4} r C_W^{2} \sum_{\beta} V_{\beta_{1} \beta_{2} \beta_{3} \beta_{4}} \langle
                \partial_{\beta_{1}}\partial_{\beta_{2}}(\sigma_{1}\sigma_{2})\rangle \langle
                \partial_{\beta_{3}}\partial_{\beta_{4}}(\sigma_{3}\sigma_{4})\rangle
            \end{aligned}

        Source: arXiv 2508.11522, with general rates. Orthogonal weights take away
        :math:`\rho C_W^2(\langle\sigma_1\sigma_3\rangle\langle\sigma_2\sigma_4\rangle
        + \langle\sigma_1\sigma_4\rangle\langle\sigma_2\sigma_3\rangle)`.
        """
        crossed = self.e(0, 0, "ac") * self.e(0, 0, "bd") + self.e(0, 0, "ad") * self.e(0, 0, "bc")
        source = self._gg - self.rho * crossed
        return self.cw**2 * source + self.r * self.map_k(_swap(self.map_k(self.state["V"])))

    def D(self) -> np.ndarray:
        r"""Covariance of preactivation pairs and NTK, channels paired; axes 1234.

        .. math::

            \begin{aligned}
            \bigl[D_{1234}\bigr]^{(\ell+1)} &= C_W \langle \Delta(\sigma_{1}\sigma_{2})\,\Delta\Omega_{34}\rangle \\
            &\quad + \frac{1}{4} r C_W \sum_{\beta} V_{\beta_{1} \beta_{2} \beta_{3} \beta_{4}} \langle
                \partial_{\beta_{1}}\partial_{\beta_{2}}(\sigma_{1}\sigma_{2})\rangle \langle
                \partial_{\beta_{3}}\partial_{\beta_{4}}\Omega_{34}\rangle \\
            &\quad + \frac{1}{2} r C_W^{2} \sum_{\beta} D_{\beta_{1} \beta_{2} 3 4} \langle
                \partial_{\beta_{1}}\partial_{\beta_{2}}(\sigma_{1}\sigma_{2})\rangle \langle
                \sigma'_{3}\sigma'_{4}\rangle
            \end{aligned}

        Source: arXiv 2508.11522, with general rates.
        """
        source = self.cw * (self.rate_w * self._gg + self.cw * at(self.theta, "cd") * self._gh)
        carried = self.map_theta(self.state["V"]) + self.onto_theta(_swap(self.state["D"]))
        return source + self.r * self.map_k(_swap(carried))

    def A(self) -> np.ndarray:
        r"""Covariance of NTKs, channels paired; axes 1234.

        .. math::

            \begin{aligned}
            \bigl[A_{1234}\bigr]^{(\ell+1)} &= \langle \Delta\Omega_{12}\,\Delta\Omega_{34}\rangle \\
            &\quad + \frac{r}{4} \sum_{\beta} V_{\beta_{1} \beta_{2} \beta_{3} \beta_{4}} \langle
                \partial_{\beta_{1}}\partial_{\beta_{2}}\Omega_{12}\rangle \langle
                \partial_{\beta_{3}}\partial_{\beta_{4}}\Omega_{34}\rangle \\
            &\quad + \frac{1}{2} r C_W \sum_{\beta} D_{\beta_{1} \beta_{2} 3 4} \langle
                \partial_{\beta_{1}}\partial_{\beta_{2}}\Omega_{12}\rangle \langle \sigma'_{3}\sigma'_{4}\rangle \\
            &\quad + \frac{1}{2} r C_W \sum_{\beta} D_{\beta_{1} \beta_{2} 1 2} \langle \sigma'_{1}\sigma'_{2}\rangle
                \langle \partial_{\beta_{1}}\partial_{\beta_{2}}\Omega_{34}\rangle \\
            &\quad + r C_W^{2} A_{1 2 3 4} \langle \sigma'_{1}\sigma'_{2}\rangle \langle \sigma'_{3}\sigma'_{4}\rangle
            \end{aligned}

        Source: arXiv 2508.11522, with general rates.
        """
        hh = self.M["1111"] - self.e(1, 1, "ab") * self.e(1, 1, "cd")
        cross = self.rate_w * self.cw * at(self.theta, "cd") * self._gh
        own = self.cw**2 * at(self.theta, "ab") * at(self.theta, "cd") * hh
        mixed = self.map_theta(_swap(self.onto_theta(_swap(self.state["D"]))))
        carried = self.map_theta(_swap(self.map_theta(self.state["V"]))) + mixed + _swap(mixed)
        carried = carried + self.onto_theta(_swap(self.onto_theta(self.state["A"])))
        return self.rate_w**2 * self._gg + cross + _swap(cross) + own + self.r * carried

    def K1(self) -> np.ndarray:
        r"""First correction of the mean NNGP kernel; axes 12.

        .. math::

            \begin{aligned}
            \bigl[K^{[1]}_{12}\bigr]^{(\ell+1)} &= \frac{1}{2} r C_W \sum_{\beta} K^{[1]}_{\beta_{1} \beta_{2}} \langle
                \partial_{\beta_{1}}\partial_{\beta_{2}}(\sigma_{1}\sigma_{2})\rangle \\
            &\quad + \frac{1}{8} r C_W \sum_{\beta} V_{\beta_{1} \beta_{2} \beta_{3} \beta_{4}} \langle
                \partial_{\beta_{1}}\partial_{\beta_{2}}\partial_{\beta_{3}}\partial_{\beta_{4}}(\sigma_{1}\sigma_{2})\rangle
            \end{aligned}

        Source: arXiv 2508.11522, with general rates.
        """
        return self.r * (self.map_k(self.state["K1"]) + self.cw * fourth(self.E, 0, 0, self.state["V"]))

    def Theta1(self) -> np.ndarray:
        r"""First correction of the mean NTK; axes 12.

        .. math::

            \begin{aligned}
            \bigl[\Theta^{[1]}_{12}\bigr]^{(\ell+1)} &= \frac{r}{2} \sum_{\beta} K^{[1]}_{\beta_{1} \beta_{2}} \langle
                \partial_{\beta_{1}}\partial_{\beta_{2}}\Omega_{12}\rangle \\
            &\quad + \frac{r}{8} \sum_{\beta} V_{\beta_{1} \beta_{2} \beta_{3} \beta_{4}} \langle
                \partial_{\beta_{1}}\partial_{\beta_{2}}\partial_{\beta_{3}}\partial_{\beta_{4}}\Omega_{12}\rangle \\
            &\quad + r C_W \Theta^{[1]}_{1 2} \langle \sigma'_{1}\sigma'_{2}\rangle \\
            &\quad + \frac{1}{2} r C_W \sum_{\beta} D_{\beta_{1} \beta_{2} 1 2} \langle
                \partial_{\beta_{1}}\partial_{\beta_{2}}(\sigma'_{1}\sigma'_{2})\rangle \\
            &\quad + r C_W \sum_{\beta} F_{\beta_{1} 1 \beta_{2} 2} \langle
                \partial_{\beta_{1}}\partial_{\beta_{2}}(\sigma'_{1}\sigma'_{2})\rangle
            \end{aligned}

        Source: arXiv 2508.11522, with general rates.
        """
        E, V, D, F = self.E, self.state["V"], self.state["D"], self.state["F"]
        mean = self.onto_theta(self.state["Theta1"]) + self.map_theta(self.state["K1"])
        spread = self.rate_w * fourth(E, 0, 0, V) + self.cw * self.theta * fourth(E, 1, 1, V)
        paired = second(E, 1, 1, lambda x, y: among(D, x, y, 0, 1))
        crossed = second(E, 1, 1, lambda x, y: among(F, x, 0, y, 1) + among(F, y, 0, x, 1))
        return self.r * (mean + spread + self.cw * (paired + crossed))

    def F(self) -> np.ndarray:
        r"""Covariance of preactivations and NTK, channels crossed; axes 1324.

        .. math::

            \begin{aligned}
            \bigl[F_{1324}\bigr]^{(\ell+1)} &= C_W^{2} \Theta_{34} \langle
                \sigma_{1}\sigma'_{3}\sigma_{2}\sigma'_{4}\rangle \\
            &\quad + r C_W^{2} \sum_{\beta} F_{\beta_{1} 3 \beta_{2} 4} \langle
                \partial_{\beta_{1}}(\sigma_{1}\sigma'_{3})\rangle \langle
                \partial_{\beta_{2}}(\sigma_{2}\sigma'_{4})\rangle
            \end{aligned}

        Source: arXiv 2508.11522, with general rates. Orthogonal weights take away
        :math:`\rho C_W^2\Theta_{34}\langle\sigma_1\sigma_2\rangle\langle\sigma'_3\sigma'_4\rangle`.
        """
        joint = at(self.M["0011"], "acbd") - self.rho * (self.e(0, 0, "ac") * self.e(1, 1, "bd"))
        source = at(self.theta, "bd") * joint
        return self.cw**2 * (source + self.r * self._crossed((0, 1), (0, 1), "bd"))

    def _crossed(self, left: tuple[int, int], right: tuple[int, int], legs: str) -> np.ndarray:
        r"""F carried by single derivatives on both sides.

        .. math:: \sum_{\beta\gamma}\langle\partial_\beta(\sigma^{(i)}_a\sigma^{(j)}_b)\rangle
           \langle\partial_\gamma(\sigma^{(k)}_c\sigma^{(l)}_d)\rangle F_{\beta x \gamma y}

        with :math:`\beta \in \{a, b\}`, :math:`\gamma \in \{c, d\}` and the NTK's indices x, y at the two `legs`.
        """
        x, y = legs
        F = self.state["F"]
        near = [first(self.E, *right, "cd", lambda z, s=s: at(F, f"{s}{x}{z}{y}")) for s in "ab"]
        return first(self.E, *left, "ab", lambda s: near["ab".index(s)])

    def B(self) -> np.ndarray:
        r"""Covariance of NTKs, channels crossed; axes 1324.

        .. math::

            \begin{aligned}
            \bigl[B_{1324}\bigr]^{(\ell+1)} &= C_W^{2} \Theta_{12} \Theta_{34} \langle
                \sigma'_{1}\sigma'_{3}\sigma'_{2}\sigma'_{4}\rangle \\
            &\quad + r C_W^{2} B_{1 3 2 4} \langle \sigma'_{1}\sigma'_{3}\rangle \langle \sigma'_{2}\sigma'_{4}\rangle
            \end{aligned}

        Source: arXiv 2508.11522, with general rates. Orthogonal weights take away
        :math:`\rho C_W^2\Theta_{12}\Theta_{34}\langle\sigma'_1\sigma'_2\rangle\langle\sigma'_3\sigma'_4\rangle`.
        """
        joint = self.M["1111"] - self.rho * (self.e(1, 1, "ac") * self.e(1, 1, "bd"))
        source = at(self.theta, "ac") * at(self.theta, "bd") * joint
        return self.cw**2 * (source + self.r * self.e(1, 1, "ab") * self.e(1, 1, "cd") * self.state["B"])


def _swap(x: np.ndarray) -> np.ndarray:
    """First and last two indices exchanged."""
    return np.transpose(x, (2, 3, 0, 1))


def _widen(pair: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A two-point array with the axes of `x`, whose first ones it is to multiply."""
    return pair.reshape(pair.shape + (1,) * (x.ndim - pair.ndim))
