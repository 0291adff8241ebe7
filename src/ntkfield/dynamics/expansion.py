"""What a network of width n predicts: the limit, the first corrections in 1/n, their sum, and how far to trust it."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ntkfield import checks
from ntkfield.dynamics.first_order import Asked, Corrections, check_room, corrections
from ntkfield.dynamics.gradient_flow import EPS
from ntkfield.finite.ratios import layer_ratios
from ntkfield.networks.base import Network

LARGE = 1 / 3  # a correction beside what it corrects: the next one is about its square, a tenth
FAINT = 1e-9  # of the mean square of outputs: variances below are rounding, and no ratio is taken to them

Values = dict[str, np.ndarray]


class Series(NamedTuple):
    """The expansion at one width.

    Attributes:
        network: that is trained.
        width: n, the last hidden width.
        ratios: of the hidden widths, or None for equal ones.
        rtol: largest error of the corrections by quadrature, relative to the largest of each.
        draws: of a channel in place of quadratures over four inputs; None for these.
        seed: of the draws.
    """

    network: Network
    width: float
    ratios: Sequence[float] | None
    rtol: float
    draws: int | None = None
    seed: int = 0

    def check(
        self, kernel: str, diag_reg: float, x: Any, queries: Any, times: np.ndarray, pairs: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Refuse what has no expansion, before anything is computed.

        Returns:
            Training inputs and queries as arrays.

        Raises:
            ValueError: for networks whose tensors are not known, a kink, the posterior or a regulariser; for inputs
                of two shapes, or more positions than arrays hold; at infinite time for training inputs that the network
                does not tell apart.
        """
        axes = getattr(self.network, "axes", "")
        if not axes:
            accepted = "an nf.MLP, or an nf.GroupCNN of a finite group or on images, beside a width: only their "
            raise checks.refuse("network", type(self.network).__name__, accepted + "tensors of order 1/n are known")
        if not self.network.activation.smooth:
            accepted = "a smooth function beside a width: at a kink the tensors R, S, T, U are infinite at equal inputs"
            raise checks.refuse("activation", self.network.activation.name, accepted)
        if kernel != "ntk":
            raise checks.refuse("kernel", kernel, "ntk beside a width: the corrections are those of gradient flow")
        if diag_reg:
            raise checks.refuse("diag_reg", diag_reg, "0 beside a width: a network is trained without it")
        x, queries = checks.array("x", x, axes), checks.array("queries", queries, axes)
        if queries.shape[1:] != x.shape[1:]:
            raise checks.refuse("queries of shape", queries.shape, f"inputs shaped as those in x, {x.shape[1:]}")
        check_room(self.network, x, self._steps(x.shape[-1]), len(x) + (2 if pairs else 1))
        if np.isinf(times).any():
            _check_regular(np.asarray(self.network.kernel(x).ntk))
        return x, queries

    def _steps(self, dimension: int) -> np.ndarray:
        """Ratios of the widths, for inputs of this dimension."""
        return layer_ratios(self.network.weight_layers, None, self.ratios, dimension, self.width)

    def corrected(
        self, limit: Values, x: np.ndarray, y: np.ndarray, queries: np.ndarray, times: np.ndarray, theta: np.ndarray
    ) -> Values:
        """The limit's values and their corrections, the sums of both under the plain names, and how large they are.

        Args:
            limit: ``mean``, ``variance``, perhaps ``covariance`` and ``ntk``, and perhaps their ``_error``.
            x: training inputs.
            y: targets [N] or [N, outputs].
            queries: inputs.
            times: learning rate times time.
            theta: NTK of each query with itself.

        Warns:
            RuntimeWarning: if a correction is large beside what it corrects.
        """
        pairs, outputs = "covariance" in limit or "ntk" in limit, None if y.ndim == 1 else y.shape[1]
        columns = y.reshape(len(y), -1)
        asked = Asked(pairs, self._steps(x.shape[-1]), self.rtol, draws=self.draws, seed=self.seed)
        found, errors = corrections(self.network, x, columns, queries, times, asked)
        ratios = _ratios(limit, found, theta, pairs)
        result: Values = {}
        for name in (name for name in limit if not name.endswith("_error")):
            first, off = (_shaped(name, some, pairs, outputs) for some in (found, errors))
            result |= {name: _spread(name, limit[name], outputs) + first / self.width}
            result |= {f"{name}_0": limit[name], f"{name}_1": first}
            if f"{name}_error" in limit:
                before = limit[f"{name}_error"]
                result |= {f"{name}_error": _spread(name, before, outputs) + off / self.width}
                result |= {f"{name}_0_error": before, f"{name}_1_error": off}
            elif self.draws is not None:
                result |= {f"{name}_1_error": off}
        ratios = {name: ratio / self.width for name, ratio in ratios.items()}
        _warn(ratios, times)
        return result | ratios


def _check_regular(theta: np.ndarray) -> None:
    """Refuse the NTK of training inputs whose inverse, needed at infinite time, rounding makes meaningless."""
    rates, n = np.linalg.eigvalsh(theta), len(theta)
    if rates[0] <= n * n * EPS * rates[-1]:
        raise checks.refuse(
            "smallest eigenvalue of the NTK between inputs in x",
            float(f"{rates[0]:.2g}"),
            f"one above {n * n * EPS:.1g} of the largest, {rates[-1]:.3g}, at t = inf, where its inverse is needed: "
            "training inputs that the network tells apart, or a finite t",
        )


def _shaped(name: str, found: Corrections, pairs: bool, outputs: int | None) -> np.ndarray:
    """A correction in the shape in which it is given; variances from covariances, outputs left out where y has none."""
    value = found["covariance" if name == "variance" else name]
    if name == "variance":
        value = np.einsum("tqqcc->tqc" if pairs else "tqcc->tqc", value)
    channels = 2 if name in ("covariance", "ntk") else 1
    return value if outputs is not None else value.reshape(value.shape[: value.ndim - channels])


def _spread(name: str, value: np.ndarray, outputs: int | None) -> np.ndarray:
    """A limit in the shape of its correction: the same for each output, and zero between two."""
    if name == "ntk":
        value = value[None]
    if outputs is None or name == "mean":
        return value
    return value[..., None] * np.ones(outputs) if name == "variance" else value[..., None, None] * np.eye(outputs)


def _ratios(limit: Values, found: Corrections, theta: np.ndarray, pairs: bool) -> Values:
    """Corrections times n beside what they correct, summed over queries and outputs, by time."""
    times, _, channels = found["mean"].shape
    own = "tqqcc->t" if pairs else "tqcc->t"
    variance = channels * limit["variance"].sum(axis=1)
    mean = np.sqrt(np.sum(limit["mean"].reshape(times, -1) ** 2, axis=1) + variance)
    spread, drift = (np.einsum(own, abs(found[name])) for name in ("covariance", "ntk"))
    changes = {
        "mean_ratio": (np.sqrt(np.sum(found["mean"] ** 2, axis=(1, 2))), mean),
        "variance_ratio": (spread, np.where(variance > FAINT * mean**2, variance, 0.0)),
        "ntk_ratio": (drift, np.full(times, channels * theta.sum())),
    }
    return {name: np.divide(a, b, where=b > 0, out=np.zeros(times)) for name, (a, b) in changes.items()}


def _warn(ratios: Values, times: np.ndarray) -> None:
    worst = max(ratios, key=lambda name: ratios[name].max())
    if ratios[worst].max() > LARGE:
        t = times[np.argmax(ratios[worst])]
        warnings.warn(
            f"{worst} = {ratios[worst].max():.2g} at rate times t = {t:g}: the correction of order 1/n is not small "
            f"beside the limit (above {LARGE:.2g}), and those left out may not be either; a larger width, an earlier "
            "time or inputs further apart would be safe",
            RuntimeWarning,
            stacklevel=4,
        )
