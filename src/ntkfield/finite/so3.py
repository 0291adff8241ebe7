r"""Order 1/n over all rotations: two-point functions of one rotation, by harmonic analysis on SO(3).

Filters that reach over the whole group leave every two-point function of a hidden layer a function of the relative
rotation R alone, as in :mod:`ntkfield.infinite.so3`, and the mean over a filter of a product of two channels is their
correlation

.. math:: (s \star s')(R) = \int_{SO(3)} s(R u)\,s'(u)\,du ,\qquad
   (s \star s')^l_{mk} = \frac{1}{\sqrt{2l+1}}\sum_n s^l_{mn}\,s'^l_{kn}

in the real waves :math:`\sqrt{2l+1}\,D^l_{mn}` of :func:`ntkfield.groups.so3.real_waves`. So a channel of covariance K
has independent columns of coefficients :math:`z^l_{\cdot n}`, each of covariance :math:`K^l/\sqrt{2l+1}`. A lifted
signal has no degree above its own, so that the first layer is exact; later ones are cut off at the network's
``quadrature``, and their products are evaluated at its rotations. For N rotations that is N numbers a draw and pair of
signals, not :math:`N^2`. The first rotation, of no weight, is the identity.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkfield import checks
from ntkfield.activations import PAIRS, Activation
from ntkfield.finite.places import AllPairs, Frame, Root, frame
from ntkfield.finite.room import ARRAYS, MOST_OF_TWO
from ntkfield.finite.transport import Moments, Table
from ntkfield.finite.wiring import Pairs
from ntkfield.gaussian.within import NEGLIGIBLE
from ntkfield.groups.so3 import real_waves
from ntkfield.infinite.correlations import separated
from ntkfield.infinite.so3 import as_harmonics
from ntkfield.networks.so3 import SphereCNN
from ntkfield.signals.harmonics import Harmonics

MOST_NORMALS = 21201  # dimensions of SciPy's Sobol' points


@frame.register
def so3(network: SphereCNN, inputs: Any) -> Frame:
    """See :class:`ntkfield.networks.SphereCNN`; samples on the grid [n, theta, phi, c], or harmonics."""
    for field in ("support", "group_support"):
        if getattr(network, field) is not None:
            raise checks.refuse(field, getattr(network, field), "None, filters over everything, at finite width")
    signals, quadrature = as_harmonics(network, "inputs", inputs), network.quadrature
    assert quadrature is not None  # settled
    if quadrature < signals.bandlimit:
        accepted = f"{signals.bandlimit} or above, the band-limit, for its layers to hold the signals"
        raise checks.refuse("quadrature", quadrature, accepted)
    _check_size(len(signals), quadrature)
    hidden = [Rotations(quadrature)] * (network.depth - 1)
    return Frame(
        _products(signals, quadrature),
        (*hidden, Rotations(quadrature, pooled=True)) + (AllPairs(None),) * network.head,
        network.depth,
    )


def _check_size(n: int, quadrature: int) -> None:
    """Refuse what no memory holds of n signals: their functions of a rotation, and the waves at all rotations."""
    waves, rotations = quadrature * (4 * quadrature**2 - 1) // 3, quadrature * (2 * quadrature - 1) ** 2
    size = 8 * rotations * max(3 * waves, ARRAYS * n**2)
    if size > MOST_OF_TWO:
        accepted = f"at most {MOST_OF_TWO / 2**30:.0f} GiB of its functions of a rotation, {size / 2**30:.0f} GiB here"
        raise checks.refuse("quadrature", quadrature, accepted)
    if 3 * n * waves > MOST_NORMALS:
        accepted = f"at most {MOST_NORMALS} normal numbers a draw, 3 for each of {n} signals and {waves} waves"
        raise checks.refuse("quadrature", quadrature, accepted)


def _products(signals: Harmonics, quadrature: int) -> np.ndarray:
    """Mean products [n, n, rotations] of each signal with each turned one."""
    n, L = len(signals), signals.bandlimit
    i, j = (index.ravel() for index in np.indices((n, n)))
    f = signals.coefficients
    left, right = jnp.asarray(f[i][:, :, L - 1 :].conj()), jnp.asarray(f[j])
    turned = np.asarray(separated(L, quadrature, left, right)).reshape(n, n, -1)
    same = np.einsum("ilmc,jlmc->ij", f.conj(), f).real / (4 * np.pi * signals.n_channels)
    return np.concatenate([same[..., None], turned], axis=2)


class RelativeMoments(Moments):
    """Two-point moments [m, m, rotations]."""

    def __init__(self, known: Table) -> None:
        """Take arrays for both sequences of unequal orders."""
        self.known = known

    def __call__(self, i: int, j: int) -> np.ndarray:
        return self.known[i, j]

    def ends(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n = np.arange(len(x))
        own = x[n, n, 0]
        return own[:, None, None], own[None, :, None]


class Waves:
    """A root of a covariance in each degree, the columns of which are independent."""

    def __init__(self, waves: np.ndarray, roots: list[np.ndarray], variances: np.ndarray) -> None:
        """Take the waves, roots [m (2l + 1), rank] for each degree l, and the variances [m] that they add up to."""
        self._waves, self._roots, self._m = waves, roots, len(variances)
        shares = [
            (2 * l + 1) * (root**2).reshape(self._m, (2 * l + 1) * root.shape[1]).sum(axis=1)
            for l, root in enumerate(roots)
        ]
        kept = np.sum(shares, axis=0)
        there = variances > 0
        self.left_out = float(np.max(1 - kept[there] / variances[there], initial=0.0))
        self._ends = np.cumsum([root.shape[1] * (2 * l + 1) for l, root in enumerate(roots)])
        self.rank = int(self._ends[-1])

    def channel(self, normals: np.ndarray) -> np.ndarray:
        count, parts = normals.shape[1], np.split(normals, self._ends[:-1])
        blocks = [
            (root @ part.reshape(root.shape[1], (2 * l + 1) * count)).reshape(self._m, (2 * l + 1) ** 2, count)
            for l, (root, part) in enumerate(zip(self._roots, parts, strict=True))
        ]
        return self._waves @ np.concatenate(blocks, axis=1)


class Rotations:
    """Arrays [m, m, rotations] of a relative rotation."""

    def __init__(self, quadrature: int, pooled: bool = False) -> None:
        """Take the degrees kept and rotations per angle, and whether the layer behind pools over rotations."""
        self._waves, self._weights = real_waves(quadrature, quadrature)
        self._analysis = (self._waves * self._weights[:, None]).T
        self._degrees = np.cumsum([(2 * l + 1) ** 2 for l in range(quadrature)])[:-1]
        self._pooled = pooled

    def moments(self, sigma: Activation, k: np.ndarray) -> Moments:
        n = np.arange(len(k))
        own = k[n, n, 0]
        given = _moments(sigma, own[:, None, None], k, own[None, :, None])
        # The one pair of orders the other way around, at a pair's variances the other way around.
        other = _moments(sigma, own[None, :, None], k, own[:, None, None])
        known = {orders: np.asarray(value) for orders, value in given.items()}
        return RelativeMoments({(j, i): np.asarray(value) for (i, j), value in other.items()} | known)

    def root(self, k: np.ndarray) -> Root:
        m, roots, largest = len(k), [], 0.0
        for l, block in enumerate(self._split(self._analysed(k[..., None]))):
            size = 2 * l + 1
            matrix = block.reshape(m, m, size, size).transpose(0, 2, 1, 3).reshape(m * size, -1) / size**0.5
            values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
            largest = max(largest, values[-1])
            roots.append((values[::-1], vectors[:, ::-1]))
        kept = [(values, vectors, values > NEGLIGIBLE * largest) for values, vectors in roots]
        n = np.arange(m)
        return Waves(self._waves, [vectors[:, few] * np.sqrt(values[few]) for values, vectors, few in kept], k[n, n, 0])

    def product(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        left, right = self._analysed(left), self._analysed(right)
        blocks = []
        for l, (a, b) in enumerate(zip(self._split(left), self._split(right), strict=True)):
            size = 2 * l + 1
            a, b = (x.reshape(len(x), size, size, -1) for x in (a, b))
            block = np.einsum("fmnx,gknx->fgmkx", a, b) / size**0.5
            blocks.append(block.reshape(*block.shape[:2], size * size, -1))
        return self._waves @ np.concatenate(blocks, axis=2)

    def mean(self, x: np.ndarray, pairs: Pairs) -> np.ndarray:
        return np.tensordot(x, self._weights, (2, 0)) if self._pooled else x

    def exchanged(self, x: np.ndarray) -> np.ndarray:
        flat = np.swapaxes(x, 0, 1).reshape(*x.shape[:3], -1)
        blocks = []
        for l, block in enumerate(self._split(self._analysed(flat))):
            size = 2 * l + 1
            blocks.append(np.swapaxes(block.reshape(*block.shape[:2], size, size, -1), 2, 3).reshape(block.shape))
        return (self._waves @ np.concatenate(blocks, axis=2)).reshape(x.shape)

    def _analysed(self, x: np.ndarray) -> np.ndarray:
        """Coefficients [..., waves, draws] of what is given at rotations, [..., rotations, draws]."""
        return self._analysis @ x

    def _split(self, coefficients: np.ndarray) -> list[np.ndarray]:
        """By degree."""
        return np.split(coefficients, self._degrees, axis=-2)


@functools.partial(jax.jit, static_argnums=0)
def _moments(sigma: Activation, q1: jax.Array, k: jax.Array, q2: jax.Array) -> dict[tuple[int, int], jax.Array]:
    q1, k, q2 = (jnp.asarray(q) for q in (q1, k, q2))
    return {pair: sigma.two_point_moment(*pair, q1, k, q2) for pair in PAIRS}
