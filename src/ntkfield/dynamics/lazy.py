r"""The first step from lazy to rich: what learning features adds to kernel and output, from the tensors of 1/n.

A network of width n and richness :math:`\gamma_0` has the output :math:`f = z/(\gamma_0\sqrt n)` and a learning rate
:math:`\gamma_0^2 n`: it is the library's network trained on targets :math:`\gamma_0\sqrt n\,y`, its outputs divided by
the same. In the expansion of the NTK parametrization the coefficient of :math:`n^{-k}` is a polynomial in the targets
of degree 2k (one more for the output); at infinite width only its highest power is left, so that

.. math:: \Theta(t; \gamma_0) = \Theta + \gamma_0^2\,\Theta_2(t) + O(\gamma_0^4), \qquad
   f(t; \gamma_0) = f_0(t) + \gamma_0^2 f_2(t) + O(\gamma_0^4),

with :math:`\Theta_2` the part of k1 that is quadratic in the targets and :math:`f_2` the part of m1 that is cubic
(:mod:`ntkfield.dynamics.hierarchy`). Both read R, S, T and U only.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from ntkfield import checks
from ntkfield.dynamics.first_order import Asked, corrections
from ntkfield.dynamics.gradient_flow import checked_targets, checked_times
from ntkfield.finite.ratios import layer_ratios
from ntkfield.networks.mlp import MLP


def lazy_correction(
    network: MLP,
    x: Any,
    y: Any,
    t: Any,
    queries: Any = None,
    *,
    rate: float = 1.0,
    width_ratios: Sequence[float] | None = None,
    rtol: float = 1e-4,
) -> xr.Dataset:
    r"""Coefficients of :math:`\gamma_0^2` in kernel and output of an infinitely wide network of small richness.

    .. math:: \Theta_2(t)_{12} = \sum_{ab} Y_{12ab} \int_0^t \Delta_a(s) \int_0^s \Delta_b(s')\,ds'\,ds, \qquad
       \dot f_2 = \Theta_2\Delta - \Theta f_2,

    with :math:`\Delta(t) = e^{-\Theta t}y` on the training inputs and :math:`Y/n` the mean second derivative of the
    NTK along the gradients of the outputs, made of R, S, T and U (:mod:`ntkfield.dynamics.hierarchy`). The integrals
    are closed. Nothing is sampled. At width n and :math:`\gamma_0 = 1/\sqrt n` these are what learning adds at order
    1/n, beside the terms of the network's random start (see :func:`ntkfield.predict` with a width).

    Source: the power counting is that of Dyer and Gur-Ari (arXiv 1909.11304) with targets of size :math:`\sqrt n`; the
    limit that is expanded, Bordelon and Pehlevan (arXiv 2205.09653).

    Args:
        network: an :class:`~ntkfield.networks.MLP` of a smooth activation.
        x: N training inputs [N, d].
        y: targets [N] or [N, outputs].
        t: time, or 1-d array of times, zero or above; ``inf`` is the end of training.
        queries: m more inputs [m, d]; None for none.
        rate: learning rate :math:`\eta`, a factor of the time.
        width_ratios: the ratios :math:`n_\ell/n_{\ell-1}` of the hidden widths, as for :func:`ntkfield.finite_width`;
            :math:`\gamma_0\sqrt n` is of the last hidden width.
        rtol: largest error from the tensors' quadratures, relative to the largest of each coefficient.

    Returns:
        Dataset over time, input and other_input, the training inputs first and the queries behind them: ``ntk_2``, in
        units of the NTK, ``output_2``, in units of `y`, where `y` has outputs with axes output and other_output;
        ``ntk_2_error`` and ``output_2_error``, what the quadratures and the integrals over time leave uncertain.

    Raises:
        ValueError: naming the field, the value and what is accepted.
    """
    network = checked_network(network)
    if not network.activation.smooth:
        reason = "at a kink R, S, T, U are infinite and the expansion begins with |richness|, not with its square"
        raise checks.refuse("activation", network.activation.name, f"a smooth function: {reason}")
    x, times, y = checks.array("x", x, "n, d"), checked_times(t)[0], checked_targets(y, len(x))
    queries = checked_queries(queries, x)
    rate, rtol = checks.positive("rate", rate), checks.positive("rtol", rtol)
    asked = Asked(True, layer_ratios(network.depth, None, width_ratios, x.shape[1]), rtol, drifts=True)
    found, errors = corrections(network, x, y.reshape(len(x), -1), queries, rate * times, asked)
    variables = {}
    for name, of, dims, meaning in (
        ("ntk_2", "ntk", ("input", "other_input", "output", "other_output"), "richness squared in the NTK"),
        ("output_2", "mean", ("input", "output"), "richness squared in the output"),
    ):
        for suffix, values, about in (("", found, "coefficient of"), ("_error", errors, "error of the coefficient of")):
            value, axes = values[of], ("time", *dims)
            if y.ndim == 1:  # without the channels' axes, of length one
                axes = tuple(axis for axis in axes if "output" not in axis)
                value = value.reshape(value.shape[: len(axes)])
            variables[name + suffix] = (axes, value, {"long_name": f"{about} {meaning}", "units": "1"})
    about = {"network": repr(network), "rate": rate, "rtol": rtol, "training_inputs": len(x)}
    return xr.Dataset(variables, {"time": times}, about)


def checked_network(network: Any) -> MLP:
    """The network itself, refused if it has no mean-field limit here.

    Raises:
        ValueError: for networks other than MLPs with a hidden layer, and for orthogonal matrices between hidden layers.
    """
    if not isinstance(network, MLP):
        raise checks.refuse("network", type(network).__name__, "an nf.MLP: of others the limit is not known here")
    if network.depth < 2:
        raise checks.refuse("depth", network.depth, "2 or above: without a hidden layer there are no features to learn")
    if network.orthogonal - {1, network.depth}:
        raise checks.refuse("weights", network.weights, "gaussian: of orthogonal ones the limit is not known here")
    return network


def checked_queries(queries: Any, x: np.ndarray) -> np.ndarray:
    """Queries [m, d] of the dimension of training inputs, m = 0 for None."""
    if queries is None:
        return np.empty((0, x.shape[1]))
    found = checks.array("queries", queries, "m, d")
    if found.shape[1] != x.shape[1]:
        raise checks.refuse("queries of shape", found.shape, f"inputs of the same dimension as x, {x.shape[1]}")
    return found
