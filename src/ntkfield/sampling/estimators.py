r"""Estimates of kernels and tensors from a batch of sampled networks.

With i, j two different output channels and n the last hidden width (indices in the order of the arrays' axes):
V, D, A are n times covariances of :math:`\hat K_{12}`, the exact mean of :math:`z_{i1}z_{i2}` over the last weights,
and of :math:`\hat\Theta_{ii}, \hat\Theta_{jj}`; the others are n times means of products whose channels pick a pairing,

.. math:: F_{1324}: z_{i1} z_{j2} \hat\Theta_{ij,34}, \quad B_{1324}: \hat\Theta_{ij,12}\hat\Theta_{ij,34}, \quad
   P_{0123}: d\hat\Theta_{ijj,012} z_{i3}, \quad Q_{0123}: d\hat\Theta_{iij,012} z_{j3}.

The rows of an orthogonal readout are not independent. By Weingarten's formula, with :math:`\hat k = \hat K - C_b`,

.. math:: E[z_{i1}z_{i2}z_{j3}z_{j4}] = \frac{n(n+1)\,\hat k_{12}\hat k_{34}
   - n\,(\hat k_{13}\hat k_{24} + \hat k_{14}\hat k_{23})}{(n-1)(n+2)}

is the exact mean over the last weights that V then takes, and :math:`(n\hat k_{12} - z_{j1}z_{j2})/(n-1)` the mean of
:math:`z_{i1}z_{i2}` given row j that D takes beside :math:`\hat\Theta_{jj}`. All else stands: a choice of channels
picks a pairing under any weights. (The covariance of means over channels would not be V.) R, S, T, U are n times means
of :math:`dd_I\hat\Theta` with channels iijj, of :math:`dd_{II}\hat\Theta` with iijj, ijij, ijji. Definitions:
:mod:`ntkfield.tensors`.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from ntkfield.sampling.draws import Draw


def estimates(
    draws: Draw, names: tuple[str, ...], n: int, limit: dict[str, jax.Array], bias: float | None = None
) -> dict[str, jax.Array]:
    """Unbiased estimates of `names` from a batch.

    Args:
        draws: networks along the leading axis.
        names: kernels and tensors.
        n: the last hidden width.
        limit: K and Theta at infinite width [m, m].
        bias: the bias variance if the readout is orthogonal, else None.

    Returns:
        Arrays [m, m] or [m, m, m, m].
    """
    own = {} if bias is None else _ORTHOGONAL
    bare = draws if bias is None else draws._replace(kernel=draws.kernel - bias)
    found = {name: own[name](bare, n, limit) for name in names if name in own}
    return {name: found[name] if name in own else _ESTIMATORS[name](draws, n, limit) for name in names}


def _ntk(draws: Draw) -> jax.Array:
    return 0.5 * (draws.ntk[:, 0, 0] + draws.ntk[:, 1, 1])


def _centred(x: jax.Array, control: jax.Array | None) -> jax.Array:
    return jnp.mean(x if control is None else x - control, 0)


def _known(derivatives: jax.Array | None) -> jax.Array:
    assert derivatives is not None  # sample_statistics draws them for FROM_DERIVATIVES
    return derivatives


def _covariance(x: jax.Array, y: jax.Array) -> jax.Array:
    """Unbiased covariance of arrays [networks, m, m], [m, m, m, m]."""
    count = len(x)
    return jnp.einsum("nab,ncd->abcd", x - jnp.mean(x, 0), y - jnp.mean(y, 0)) / (count - 1)


def _mean(subscripts: str, *factors: Callable[[Draw, int, int], jax.Array]) -> Callable:
    """Estimator n x mean of a product of factors, each a function of the channels i and j; over both orders of them."""

    def estimator(draws: Draw, n: int, limit: dict) -> jax.Array:
        one, other = (jnp.einsum(subscripts, *(f(draws, i, 1 - i) for f in factors)) for i in (0, 1))
        return n * 0.5 * (one + other) / len(draws.kernel)

    return estimator


def _a(draws: Draw, n: int, limit: dict) -> jax.Array:
    one = _covariance(draws.ntk[:, 0, 0], draws.ntk[:, 1, 1])
    return n * 0.5 * (one + jnp.transpose(one, (2, 3, 0, 1)))


def _v_orthogonal(draws: Draw, n: int, limit: dict) -> jax.Array:
    k = draws.kernel
    square = jnp.einsum("nab,ncd->abcd", k, k) / len(k)
    crossed = jnp.einsum("acbd->abcd", square) + jnp.einsum("adbc->abcd", square)
    # n (n + 1) / (n - 1) / (n + 2) is 1 and this; the 1 makes a covariance with the product of the means.
    above = 2 / ((n - 1) * (n + 2))
    return n * (_covariance(k, k) + above * square - n / ((n - 1) * (n + 2)) * crossed)


def _d_orthogonal(draws: Draw, n: int, limit: dict) -> jax.Array:
    z = draws.outputs
    others = [(n * draws.kernel - z[:, j, :, None] * z[:, j, None, :]) / (n - 1) for j in (0, 1)]
    one, other = (_covariance(others[j], draws.ntk[:, j, j]) for j in (0, 1))
    return n * 0.5 * (one + other)


_ORTHOGONAL = {"V": _v_orthogonal, "D": _d_orthogonal}
_ESTIMATORS = {
    "K": lambda draws, n, limit: _centred(draws.kernel, draws.kernel_control),
    "Theta": lambda draws, n, limit: _centred(_ntk(draws), draws.ntk_control),
    "K1": lambda draws, n, limit: n * (_centred(draws.kernel, draws.kernel_control) - limit["K"]),
    "Theta1": lambda draws, n, limit: n * (_centred(_ntk(draws), draws.ntk_control) - limit["Theta"]),
    "V": lambda draws, n, limit: n * _covariance(draws.kernel, draws.kernel),
    "D": lambda draws, n, limit: n * _covariance(draws.kernel, _ntk(draws)),
    "A": _a,
    "F": _mean(
        "na,nc,nbd->abcd",
        lambda x, i, j: x.outputs[:, i],
        lambda x, i, j: x.outputs[:, j],
        lambda x, i, j: x.ntk[:, i, j],
    ),
    "B": _mean("nac,nbd->abcd", lambda x, i, j: x.ntk[:, i, j], lambda x, i, j: x.ntk[:, i, j]),
    "P": _mean("nabc,nd->abcd", lambda x, i, j: _known(x.second)[:, i, :, j, :, j], lambda x, i, j: x.outputs[:, i]),
    "Q": _mean("nabc,nd->abcd", lambda x, i, j: _known(x.second)[:, i, :, i, :, j], lambda x, i, j: x.outputs[:, j]),
    "R": _mean("nabcd->abcd", lambda x, i, j: _known(x.third)[:, i]),
    "S": _mean("nabcd->abcd", lambda x, i, j: _known(x.crossed)[:, i, :, i, :, j, :, j]),
    "T": _mean("nacbd->abcd", lambda x, i, j: _known(x.crossed)[:, i, :, j, :, i, :, j]),
    "U": _mean("nacdb->abcd", lambda x, i, j: _known(x.crossed)[:, i, :, j, :, j, :, i]),
}
