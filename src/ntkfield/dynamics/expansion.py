"""What a network of width n predicts: the limit, the first corrections in 1/n, their sum, and how far to trust it."""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ntkfield import checks
from ntkfield.dynamics.first_order import Asked, Corrections, corrections
from ntkfield.finite.solve import layer_ratios
from ntkfield.networks.base import Network
from ntkfield.networks.mlp import MLP

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
    """

    network: Network
    width: float
    ratios: Sequence[float] | None
    rtol: float

    def check(self, kernel: str, diag_reg: float) -> None:
        """Refuse what has no expansion.

        Raises:
            ValueError: for networks other than MLPs, a kink, the posterior or a regulariser.
        """
        if not isinstance(self.network, MLP):
            accepted = "an nf.MLP beside a width: only its tensors of order 1/n are known"
            raise checks.refuse("network", type(self.network).__name__, accepted)
        if not self.network.activation.smooth:
            accepted = "a smooth function beside a width: at a kink the tensors R, S, T, U are infinite at equal inputs"
            raise checks.refuse("activation", self.network.activation.name, accepted)
        if kernel != "ntk":
            raise checks.refuse("kernel", kernel, "ntk beside a width: the corrections are those of gradient flow")
        if diag_reg:
            raise checks.refuse("diag_reg", diag_reg, "0 beside a width: a network is trained without it")

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
        assert isinstance(self.network, MLP)
        pairs, outputs = "covariance" in limit or "ntk" in limit, None if y.ndim == 1 else y.shape[1]
        columns = y.reshape(len(y), -1)
        steps = layer_ratios(self.network.depth, None, self.ratios, x.shape[1], self.width)
        asked = Asked(pairs, steps, self.rtol)
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
        ratios = {name: ratio / self.width for name, ratio in ratios.items()}
        _warn(ratios, times)
        return result | ratios


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
