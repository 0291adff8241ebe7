r"""What width does to the test error of trained networks: its first order in 1/n, by cause.

For a target f and outputs :math:`z` of an ensemble at one time, averaged over queries,

.. math:: \overline{(E z - f)^2} = \overline{(m_0 - f)^2} + \tfrac{2}{n}\overline{(m_0 - f)\,m_1} + O(n^{-2}), \qquad
   \overline{E(z - f)^2} = \overline{(E z - f)^2} + \overline{c_0} + \tfrac1n\overline{c_1} + O(n^{-2}):

the error of the ensemble's mean, and that of one network. :math:`m_1` is odd in the targets: a part linear in them, by
which a network is a kernel machine with another kernel, and a cubic part, by which the targets shape the kernel that
learns them (:mod:`ntkfield.dynamics.hierarchy`): the learning of features.
"""

from typing import Any

import numpy as np
import xarray as xr

from ntkfield import checks
from ntkfield.dynamics.expansion import Series
from ntkfield.dynamics.first_order import Asked, corrections
from ntkfield.dynamics.gradient_flow import checked_times
from ntkfield.dynamics.predict import predict
from ntkfield.finite.ratios import layer_ratios
from ntkfield.networks.mlp import MLP


def trained_on_each(network: MLP, x: Any, targets: Any, queries: Any, times: Any, rtol: float = 1e-4) -> xr.Dataset:
    """Mean and variance to order 1/n of networks trained on each of several targets; tensors are computed once for all.

    Args:
        network: with a smooth activation.
        x: training inputs [N, d].
        targets: [targets, N].
        queries: inputs [m, d].
        times: of gradient flow with learning rate 1, zero or above.
        rtol: largest error of the corrections from the tensors' quadratures, relative to the largest of each.

    Returns:
        Dataset over target, time, query: ``mean_0``, ``mean_1`` and of it the part ``cubic_1``, ``variance_1``, and
        ``variance_0`` over time, query; ``mean_1_error`` and so on, absolute.

    Raises:
        ValueError: naming the field, the value and what is accepted.
    """
    targets, moments = checks.array("targets", targets, "targets, n"), checked_times(times)[0]
    series = Series(network, 1.0, None, checks.positive("rtol", rtol))
    x, queries = series.check("ntk", 0.0, x, queries, moments, pairs=False)
    if targets.shape[1] != len(x):
        raise checks.refuse("targets.shape", targets.shape, f"{len(x)} columns, one for each training input")
    limit = predict(network, x, targets.T, queries, moments)
    asked = Asked(False, layer_ratios(network.weight_layers, None, None, x.shape[1]), rtol)
    found, errors = corrections(network, x, targets[..., None], queries, moments, asked)
    dims = ("target", "time", "query")
    variables: dict = {
        "mean_0": (dims, np.moveaxis(limit["mean"].values, -1, 0)),
        "variance_0": (dims[1:], limit["variance"].values),
    }
    for name, key in (("mean_1", "mean"), ("cubic_1", "cubic"), ("variance_1", "covariance")):
        for suffix, values in (("", found), ("_error", errors)):
            variables[name + suffix] = dims, values[key].reshape(variables["mean_0"][1].shape)
    return xr.Dataset(variables, {"time": moments})


def error_series(found: xr.Dataset, truth: xr.DataArray) -> xr.Dataset:
    """The mean square test error at infinite width, and the coefficients of 1/n by their causes.

    Args:
        found: as from :func:`trained_on_each`.
        truth: the targets at the queries, over target, query.

    Returns:
        Dataset over target, time, in units of the targets squared: ``error_0``, that of the mean, and ``spread_0``, the
        variance, which one network's has besides; ``linear_1``, ``cubic_1`` and ``spread_1``, their coefficients.
    """
    off = found["mean_0"] - truth
    series = {
        "error_0": off**2,
        "linear_1": 2 * off * (found["mean_1"] - found["cubic_1"]),
        "cubic_1": 2 * off * found["cubic_1"],
        "spread_0": found["variance_0"],
        "spread_1": found["variance_1"],
    }
    return xr.Dataset({name: value.mean("query") for name, value in series.items()})
