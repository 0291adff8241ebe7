"""From a network and data to predictions: kernels, training and posteriors in one call."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from ntkfield import checks
from ntkfield.dynamics.expansion import Series
from ntkfield.dynamics.gradient_flow import (
    checked_targets,
    checked_times,
    ensemble_covariance,
    gradient_flow,
    posterior,
)
from ntkfield.finite.draws import checked_draws
from ntkfield.infinite.errors import Turn, estimate, kernel_by_rule
from ntkfield.networks.base import Kernels, Network

DIMS = {
    "mean": ("time", "query", "output"),
    "variance": ("time", "query", "output"),
    "covariance": ("time", "query", "other_query", "output", "other_output"),
    "ntk": ("time", "query", "other_query", "output", "other_output"),
}
TOGETHER = 8  # queries whose kernels are computed together for the sake of their variances


def predict(
    network: Network,
    x: Any,
    y: Any,
    queries: Any,
    t: Any = np.inf,
    *,
    kernel: str = "ntk",
    rate: float = 1.0,
    diag_reg: float = 0.0,
    covariance: bool = False,
    errors: bool = False,
    width: float | None = None,
    width_ratios: Sequence[float] | None = None,
    ntk: bool = False,
    rtol: float = 1e-4,
    draws: int | None = None,
    seed: int = 0,
) -> xr.Dataset:
    r"""Mean and variance, over initialisations, of what infinitely wide networks, or ones of width n, predict.

    With ``kernel="ntk"`` all layers are trained by gradient flow on :math:`\tfrac12\sum_i(f(x_i)-y_i)^2`:

    .. math:: \mu_t = A_t\,y, \qquad A_t = \Theta(x, X)\,\Theta^{-1}\left(1 - e^{-\eta\Theta t}\right),

    and the covariance is that of :func:`~ntkfield.dynamics.gradient_flow.ensemble_covariance`. With ``kernel="nngp"``
    it is the Bayesian posterior of the network, to which training the readout alone leads; it has no time but ``inf``.
    Source: Lee, Xiao et al. (NeurIPS 2019, arXiv 1902.06720), equations 8 to 16.

    With a `width` n the first corrections in 1/n are added, :math:`m_0 + m_1/n` and so on
    (:mod:`ntkfield.dynamics.hierarchy`), for an :class:`~ntkfield.networks.MLP`, or a
    :class:`~ntkfield.networks.GroupCNN` of a finite group or on images, of a smooth activation: at a kink the tensors
    R, S, T, U are infinite.

    Args:
        network: any network of the package.
        x: n training inputs, in the form that the network's class describes.
        y: targets [n] or [n, outputs].
        queries: m inputs to predict at, in the same form.
        t: time, or 1-d array of times, zero or above; ``inf`` is the end of training.
        kernel: "ntk" or "nngp".
        rate: learning rate :math:`\eta`, a factor of the time.
        diag_reg: r in :math:`\Theta + r\,\mathrm{mean}(\mathrm{diag}\,\Theta)\,1` (in K for "nngp", noise on y), which
            stands for the kernel between training inputs.
        covariance: whether to give the covariance between all queries as well.
        errors: whether to estimate what the kernels' own errors do to each number (:mod:`ntkfield.infinite.errors`),
            for several times the work where the kernels are not exact. With a width, also what the quadratures of the
            tensors and the integrals over time do, which costs nothing more.
        width: n, the last hidden width, in channels; None for infinitely wide networks.
        width_ratios: the ratios :math:`n_\ell/n_{\ell-1}` of the hidden widths, as for :func:`ntkfield.finite_width`.
        ntk: whether to give the NTK between queries during training as well; with a width only, for without it does not
            move.
        rtol: largest error of the corrections from the tensors' quadratures, relative to the largest of each.
        draws: with a width, take moments of four inputs as means over so many draws of a channel, a power of two, 32 or
            above (:mod:`ntkfield.gaussian.drawn`): many times cheaper for many training inputs or an activation that
            quadratures find hard, to a standard error that is given.
        seed: of the draws.

    Returns:
        Dataset with ``mean`` over time, query (and output, if `y` has that axis) and ``variance`` over time, query, the
        same for each output; ``covariance`` over time, query, other_query; ``mean_error`` and so on, absolute. Units
        are those of `y` for the mean; variances are those of the network's own outputs, whatever `y`.

        With a width also ``mean_0``, ``mean_1`` and so on, the limit and the coefficient of 1/n, of which ``mean`` is
        the sum at that width; ``ntk`` over time, query, other_query; and ``mean_ratio``, ``variance_ratio`` and
        ``ntk_ratio`` over time, how large the correction at that width is beside the limit, over all queries. Where `y`
        has outputs, corrections of variances have the axis output, those of covariances and the NTK also other_output.
        With `draws` there are ``mean_1_error`` and so on, standard errors over 16 scrambles, without being asked for.

    Raises:
        ValueError: naming the field, the value and what is accepted.

    Warns:
        RuntimeWarning: if a correction exceeds a third of what it corrects: the next order, some square of that, is
            then no longer small.
    """
    if not isinstance(network, Network):
        raise checks.refuse("network", type(network).__name__, "an ntkfield network, nf.MLP or nf.GroupCNN")
    if kernel not in ("ntk", "nngp"):
        raise checks.refuse("kernel", kernel, "ntk or nngp")
    times, y = checked_times(t)[0], checked_targets(y, len(x))
    rate, diag_reg = checks.positive("rate", rate), checks.non_negative("diag_reg", diag_reg)
    if kernel == "nngp" and not np.isinf(times).all():
        raise checks.refuse("t", t, "inf for kernel = nngp: a posterior is not a course of training")
    series = None
    if width is not None:
        width, rtol = checks.positive("width", width), checks.positive("rtol", rtol)
        series = Series(network, width, width_ratios, rtol, *checked_draws(draws, seed))
        x, queries = series.check(kernel, diag_reg, x, queries, times, pairs=covariance or ntk)
    elif ntk or width_ratios is not None or draws is not None:
        given = {"ntk": ntk or None, "width_ratios": width_ratios, "draws": draws}
        name, value = next((name, value) for name, value in given.items() if value is not None)
        raise checks.refuse(name, value, "a width beside it: at infinite width nothing of order 1/n is there")

    def predicted(network: Network, turn: Turn | None = None) -> dict[str, np.ndarray]:
        compute = functools.partial(kernel_by_rule, network, turn)
        train, across = compute(x), compute(queries, x)
        prior = np.asarray(compute(queries).nngp) if covariance else _diagonals(compute, queries).nngp
        if kernel == "nngp":
            ended = posterior(train.nngp, across.nngp, prior, y, diag_reg)
            mean, spread = (np.repeat(np.asarray(value)[None], len(times), axis=0) for value in ended)
        else:
            options = {"t": times, "rate": rate, "diag_reg": diag_reg}
            mean = gradient_flow(train.ntk, across.ntk, y, **options)
            spread = ensemble_covariance(train.nngp, across.nngp, prior, train.ntk, across.ntk, **options)
        values = {"mean": np.asarray(mean), "variance": np.asarray(spread)}
        if covariance:
            values |= {"covariance": values["variance"], "variance": _diagonal(values["variance"])}
        return values | ({"ntk": np.asarray(compute(queries).ntk)} if ntk else {})

    values = predicted(network)
    if errors:
        values |= {f"{name}_error": error for name, error in estimate(network, predicted, values).items()}
    about = {"network": repr(network), "kernel": kernel, "rate": rate, "diag_reg": diag_reg}
    if series is not None:
        theta = _diagonals(functools.partial(kernel_by_rule, network, None), queries).ntk
        values = series.corrected(values, x, y, queries, rate * times, np.asarray(theta))
        about |= {"width": width, "rtol": rtol} | ({} if draws is None else {"draws": draws, "seed": seed})
    return _dataset(values, times, about)


def _diagonals(compute: Callable[[Any], Kernels], queries: Any) -> Kernels:
    """NNGP and NTK of each query with itself [m], without the kernels between all of them."""
    parts = [compute(queries[start : start + TOGETHER]) for start in range(0, len(queries), TOGETHER)]
    return Kernels(*(np.concatenate([np.diagonal(part) for part in kernel]) for kernel in zip(*parts, strict=True)))


def _diagonal(covariance: np.ndarray) -> np.ndarray:
    return np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0.0)


def _dataset(values: dict[str, np.ndarray], times: np.ndarray, about: dict) -> xr.Dataset:
    variables = {}
    for name, value in values.items():
        base = name.partition("_")[0]
        dims = ("query", "other_query") if name.startswith("ntk_0") else DIMS[base]
        variables[name] = ((("time",) if name.endswith("_ratio") else dims[: value.ndim]), value)
    return xr.Dataset(variables, {"time": times}, about)
