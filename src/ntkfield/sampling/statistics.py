"""Statistics of finite networks estimated from sampled ones, with standard errors: the independent witness."""

import dataclasses
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
import xarray as xr

from ntkfield import checks
from ntkfield.networks.base import Network
from ntkfield.networks.finite_group import FiniteGroupCNN
from ntkfield.networks.mlp import MLP
from ntkfield.progress import track
from ntkfield.sampling import products, weights
from ntkfield.sampling.draws import CHANNELS, Draw, Setting, sampled
from ntkfield.sampling.estimators import estimates
from ntkfield.tensors import DIFFERENTIALS, KERNELS, LIMITS, NAMES, TENSORS

METHODS = {"products": products, "weights": weights}
MEMORY = 2**24  # numbers held at once by a batch: 128 MiB
_KERNELS = {
    "K": "mean NNGP kernel at width n",
    "Theta": "mean NTK at width n",
    "K1": "n times the mean NNGP kernel at width n less its limit",
    "Theta1": "n times the mean NTK at width n less its limit",
}
LEAST_BATCHES = 16  # a standard error from fewer estimates is itself too uncertain


def sample_statistics(
    network: MLP | FiniteGroupCNN,
    inputs: Any,
    width: int | Sequence[int],
    n_networks: int,
    seed: int,
    tensors: Sequence[str] | None = None,
    *,
    method: str | None = None,
    batch: int | None = None,
    skip: int = 0,
    progress: bool = True,
) -> xr.Dataset:
    r"""Mean kernels and finite-width tensors at the output layer, estimated from sampled networks.

    Estimates are exact in expectation at the given width n. What has the same name in :func:`ntkfield.finite_width` is
    a term of the expansion in 1/n: K and Theta here are the means K + K1/n + ... and Theta + Theta1/n + ... there, and
    all others differ by terms of relative order 1/n.
    How each is formed: :mod:`ntkfield.sampling.estimators`.

    Args:
        network: an :class:`~ntkfield.networks.MLP` of depth 2 or above, or a
            :class:`~ntkfield.networks.GroupCNN` of a finite group without a head.
        inputs: array [m, d], or signals [m, points, channels].
        width: hidden width, or the list of hidden widths; tensors multiply 1/n with n the last.
        n_networks: networks to sample, rounded up to whole batches, at least 16 of them.
        seed: with the batch size it fixes every number; batch k of a seed is the same in every call.
        tensors: names among K Theta K1 Theta1 V D F A B P Q R S T U; None stands for K to B.
        method: "products" draws products with the matrices exactly in distribution and never forms a weight
            (:mod:`ntkfield.sampling.products`); "weights" forms them, and is needed for P to U and for convolutions.
            None picks.
        batch: networks per batch; None picks from the memory they need, at most 512.
        skip: networks of the same seed that another call has sampled, a multiple of the batch: continue after them and
            combine both results with :func:`~ntkfield.sampling.parts.merge`.
        progress: whether to show a bar on a terminal, and log every tenth.

    Returns:
        Dataset over layer (the output layer alone) and a1, ..., a4, with for each name its mean over the batches'
        estimates and ``<name>_error``, its standard error. Attributes hold everything needed to repeat it.

    Raises:
        ValueError: naming the field, the value and what is accepted.
    """
    rows, setting = sampled(network, inputs)
    setting = dataclasses.replace(setting, widths=_widths(network, width, setting.orthogonal))
    names = _names(network, tensors)
    derivatives = any(name in DIFFERENTIALS for name in names)
    method = _method(method, derivatives or setting.formed)
    size = _batch(batch, checks.whole("n_networks", n_networks, 1), setting, rows, method)
    first = checks.whole("skip", skip, 0)
    if first % size:
        raise checks.refuse("skip", skip, f"a multiple of the batch, {size}")
    count = max(LEAST_BATCHES, -(-n_networks // size))
    seed = checks.whole("seed", seed, 0)
    controlled = not setting.orthogonal and any(name in KERNELS for name in names)
    options = (True,) if (derivatives if method == "weights" else controlled) else ()
    bias = network.bias_variance if network.weight_layers in setting.orthogonal else None

    def draw(noise: np.ndarray) -> Draw:
        return METHODS[method].draw(setting, network.scales, rows, noise, *options)

    shape = size, METHODS[method].noise_size(setting, *rows.shape)
    limit = dict(zip(LIMITS, network.kernel(inputs), strict=True))
    which, n = range(first // size, first // size + count), setting.widths[-1]
    batches = (_estimates(draw(noise), names, n, limit, bias) for noise in _noise(seed, shape, which))
    steps = track(which, f"{size * count} networks of width {n}") if progress else which
    moments = _Moments()
    for _, estimate in zip(steps, batches, strict=True):
        moments.add({name: np.asarray(value) for name, value in estimate.items()})
    about = {"title": "sampled networks of finite width n: means, with standard errors"}
    about |= {"activation": network.activation.name, "depth": network.weight_layers, **network.scales._asdict()}
    about |= {"widths": list(setting.widths), "seed": seed, "batch": size, "skip": first, "method": method}
    about |= setting.about
    return _dataset(moments, about | {"networks": size * count, "batches": count})


class _Moments:
    """Running mean and sum of squared deviations (Welford), so that no batch need be kept."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, {}, {}

    def add(self, estimate: dict[str, np.ndarray]) -> None:
        self.count += 1
        for name, value in estimate.items():
            mean = self.mean.get(name, np.zeros_like(value))
            step = value - mean
            self.mean[name] = mean + step / self.count
            self.squares[name] = self.squares.get(name, 0.0) + step * (value - self.mean[name])

    def error(self, name: str) -> np.ndarray:
        return np.sqrt(self.squares[name] / (self.count * (self.count - 1)))


def _noise(seed: int, shape: tuple[int, int], which: range) -> Iterator[np.ndarray]:
    """Standard normal numbers of the batches `which`, each drawn while the one before is being used."""

    def one(index: int) -> np.ndarray:
        return np.random.Generator(np.random.SFC64([seed, index])).standard_normal(shape)

    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(one, which[0])
        for index in which:
            noise = following.result()
            if index + 1 in which:
                following = pool.submit(one, index + 1)
            yield noise


_estimates = jax.jit(estimates, static_argnums=(1, 2))


def _widths(network: Network, width: Any, orthogonal: frozenset[int]) -> tuple[int, ...]:
    hidden = network.weight_layers - 1
    widths = [width] * hidden if np.ndim(width) == 0 else list(width)
    if len(widths) != hidden:
        raise checks.refuse("width", width, f"one hidden width, or {hidden} of them for depth {network.depth}")
    widths = tuple(checks.whole("width", n, 1) for n in widths)
    if network.weight_layers in orthogonal and widths[-1] < CHANNELS:
        raise checks.refuse("width", width, f"a last width of {CHANNELS} or above: orthogonal rows of as many outputs")
    return widths


def _names(network: Network, tensors: Any) -> tuple[str, ...]:
    names = tuple(name for name in NAMES if name not in DIFFERENTIALS) if tensors is None else tensors
    names = (names,) if isinstance(names, str) else tuple(names)
    for name in names:
        if name not in NAMES:
            raise checks.refuse("tensors", name, f"names among {', '.join(NAMES)}")
    if not network.activation.smooth and any(name in DIFFERENTIALS for name in names):
        raise checks.refuse(
            "tensors", ", ".join(names), "K to B for an activation with a kink, which autodiff cannot see"
        )
    return names


def _method(method: str | None, formed: bool) -> str:
    if method is None:
        return "weights" if formed else "products"
    if method not in METHODS or (formed and method == "products"):
        raise checks.refuse("method", method, "weights" if formed else f"one of {', '.join(METHODS)}")
    return method


def _batch(batch: int | None, n_networks: int, setting: Setting, x: np.ndarray, method: str) -> int:
    if batch is not None:
        return checks.whole("batch", batch, 2)
    m, d = x.shape
    if method == "products":
        each = 12 * m * sum((d, *setting.widths, 2))
    else:
        weights = sum(n * before for n, before in zip((*setting.widths, 2), setting.fans(d), strict=True))
        each = (4 * m * m + 8 * m + 8) * weights
    return int(np.clip(min(MEMORY // each, n_networks // LEAST_BATCHES), 2, 512))


def _dataset(moments: _Moments, about: dict) -> xr.Dataset:
    variables = {}
    for name, mean in moments.mean.items():
        dims = ("layer", *(f"a{i}" for i in range(1, mean.ndim + 1)))
        variables[name] = (dims, mean[None], _meaning(name) | {"units": "1"})
        error = {"long_name": f"standard error of {name}", "units": "1"}
        variables[f"{name}_error"] = (dims, moments.error(name)[None], error)
    m = next(iter(moments.mean.values())).shape[0]
    used = {d for dims, *_ in variables.values() for d in dims}
    coords = {"layer": [about["depth"]]} | {f"a{i}": np.arange(m) for i in range(1, 5)}
    return xr.Dataset(variables, {c: v for c, v in coords.items() if c in used}, about)


def _meaning(name: str) -> dict[str, str]:
    """What a variable is, and what of :func:`ntkfield.finite_width`, which has the same names, it tends to."""
    meaning = _KERNELS.get(name) or f"{TENSORS[name].meaning}, at width n and times n"
    law = f"{name} + {name}1/n + order 1/n^2" if name in LIMITS else f"{name} + order 1/n"
    return {"long_name": meaning, "description": f"{law}, in terms of finite_width"}
