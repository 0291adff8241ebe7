"""Infinitely wide networks that learn features: output and kernels during training in the mean-field limit."""

import dataclasses
import warnings
from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr

from ntkfield import checks
from ntkfield.dynamics.field import Field, Problem
from ntkfield.dynamics.gradient_flow import checked_targets, checked_times, gradient_flow
from ntkfield.dynamics.lazy import checked_network, checked_queries
from ntkfield.dynamics.normals import DIRECTIONS, RUNGS, Rule, grid, sobol
from ntkfield.infinite.errors import Turn, estimate, kernel_by_rule
from ntkfield.networks.mlp import MLP

FIRST_STEP = 0.5  # over the largest eigenvalue of the NTK at the start; the rule is stable up to 2.8
HALVINGS = 8  # of the step in time
# Steps of a rule of order p are off by 1 / (1 - 2^-p) times the change under halved ones: from order 2 on, by less.
CAUTION = 4 / 3
MOST_GRIDDED = 3  # normals of a site that a grid of some 10^5 nodes resolves
ROUNDING = 1e-12
FEWEST = 4  # scrambles whose spread tells an error
DIMS = {
    "output": ("time", "input"),
    "ntk": ("time", "input", "other_input"),
    "feature_kernel": ("layer", "time", "input", "other_input"),
    "gradient_kernel": ("layer", "time", "input", "other_input"),
}
MEANINGS = {
    "output": "output",
    "ntk": "neural tangent kernel",
    "feature_kernel": "mean product of activations, by hidden layer",
    "gradient_kernel": "mean product of gradients by preactivations, by hidden layer",
}
Values = dict[str, np.ndarray]


def mean_field(
    network: MLP,
    x: Any,
    y: Any,
    richness: float,
    t: Any,
    queries: Any = None,
    *,
    rate: float = 1.0,
    sites: int = 2**14,
    replicas: int = 4,
    seed: int = 0,
    rtol: float = 1e-3,
) -> xr.Dataset:
    r"""Output and kernels of infinitely wide networks of a given richness, trained by gradient flow.

    A network of width n has the output :math:`f = z/(\gamma_0\sqrt n)`, z the output of `network`, and follows
    :math:`\dot\theta = -\eta\gamma_0^2 n\,\nabla_\theta L`, :math:`L = \tfrac12\sum_i(f(x_i)-y_i)^2`. As n grows f(0)
    vanishes and the kernel in :math:`\dot f = \eta\,\Theta_t\,(y - f)` becomes deterministic, but not constant:
    :math:`\gamma_0\to 0` is :func:`ntkfield.gradient_flow`, :math:`\gamma_0 = 1` with unit variances the maximal
    update parametrization. The equations are those of :mod:`ntkfield.dynamics.field`.

    With one hidden layer, a smooth activation and first preactivations of rank at most two (one input dimension and a
    bias, or two and none), means are sums over a grid; otherwise over scrambled Sobol' points, in deeper networks with
    hidden matrices revealed along the directions that the course takes (:mod:`ntkfield.dynamics.revealed`). Errors:
    the change from a coarser grid, or the standard error over scrambles, plus the change under halved steps.

    Cost: sites times inputs for each evaluation with one hidden layer, sites times training inputs times directions
    (some hundred) for each hidden matrix. Memory: some ten arrays [inputs, sites], and four [directions, sites] for
    each hidden matrix.

    Sources: Mei, Montanari and Nguyen (arXiv 1804.06561), Chizat and Bach (arXiv 1805.09545), Yang and Hu
    (arXiv 2011.14522), Bordelon and Pehlevan (arXiv 2205.09653), whose :math:`\gamma_0` is the richness.

    Args:
        network: an :class:`~ntkfield.networks.MLP` with a hidden layer, of any activation.
        x: N training inputs [N, d].
        y: targets [N].
        richness: :math:`\gamma_0`, zero or above.
        t: time, or 1-d array of times, zero or above; finite unless the richness is zero.
        queries: m more inputs [m, d]; None for none.
        rate: learning rate :math:`\eta`, a factor of the time.
        sites: S of each hidden layer and scramble, a power of two; of no effect on a grid.
        replicas: scrambles, at least four; of no effect on a grid.
        seed: of the scrambles.
        rtol: largest error of a grid, of the steps in time and of what directions leave out (a tenth of it), relative
            to the largest of each quantity. What scrambles leave uncertain falls with `sites` instead.

    Returns:
        Dataset over time, input and other_input, the training inputs first and the queries behind them: ``output``, in
        units of `y`, ``ntk``, and over hidden layers also ``feature_kernel``, the mean of
        :math:`\sigma(h^l)\sigma(h^l)`, and ``gradient_kernel``, that of the gradients
        :math:`\sqrt n\,\partial z/\partial h^l`; each with an ``_error``, absolute. Attributes tell the rule ("exact",
        "grid" or "sobol"), its sites, the step in time, the directions before and behind each hidden matrix, and
        whether all errors are within rtol (``converged``).

    Raises:
        ValueError: naming the field, the value and what is accepted; also where a hidden layer takes more directions
            than there is room for.

    Warns:
        RuntimeWarning: if the steps in time or the grid do not reach `rtol`.
    """
    network = checked_network(network)
    x = checks.array("x", x, "n, d")
    if np.ndim(y) != 1:
        raise checks.refuse("y of shape", np.shape(y), "[n], targets of one output")
    y, (times, _) = checked_targets(y, len(x)), checked_times(t)
    richness, rate = checks.non_negative("richness", richness), checks.positive("rate", rate)
    if richness and np.isinf(times).any():
        raise checks.refuse("t", t, "finite times for a richness above 0: the end of training has no closed form")
    inputs = np.concatenate([x, checked_queries(queries, x)])
    sites, replicas = checks.whole("sites", sites, 2), checks.whole("replicas", replicas, FEWEST)
    if sites & (sites - 1):
        raise checks.refuse("sites", sites, "a power of two, which keeps Sobol' points balanced")
    seed, rtol = checks.whole("seed", seed, 0), checks.positive("rtol", rtol)
    about: dict[str, Any] = {"network": repr(network), "richness": richness, "rate": rate, "rtol": rtol}
    about |= {"training_inputs": len(x)}
    if richness == 0:
        values, errors, how = _lazy(network, inputs, y, times, rate)
    else:
        moments, places = np.unique(rate * times, return_inverse=True)
        problem = Problem(network, inputs, y, richness, 0.1 * rtol)
        largest = np.linalg.eigvalsh(np.asarray(network.kernel(x).ntk))[-1]
        step = FIRST_STEP / float(largest) if largest > 0 else np.inf
        if _gridded(problem):
            values, errors, how = _by_grid(problem, moments, step, rtol)
        else:
            rules = _scrambles(problem, sites, np.random.SeedSequence(seed).spawn(replicas))
            values, errors, how = _by_scrambles(problem, moments, step, rtol, rules)
            about |= {"replicas": replicas, "seed": seed}
        values, errors = ({name: part[places] for name, part in found.items()} for found in (values, errors))
    return _dataset(values, errors, times, about | how)


def _gridded(problem: Problem) -> bool:
    one, smooth = problem.network.depth == 2, problem.network.activation.smooth
    return one and smooth and problem.factor.shape[1] + 1 <= MOST_GRIDDED


def _by_grid(problem: Problem, times: np.ndarray, step: float, rtol: float) -> tuple[Values, Values, dict]:
    """Values and errors from grids made finer until two agree, with steps settled on the coarsest."""
    dimension, (first, *finer) = problem.factor.shape[1] + 1, RUNGS
    values, step, steps, settled = _settled(Field(problem, grid(dimension, first)), times, step, 0.5 * rtol)
    nodes, reached, change = first, False, values
    for nodes in finer:
        coarse = values
        values = Field(problem, grid(dimension, nodes)).course(times, step, f"mean field on {nodes} nodes per axis")
        change = _change(coarse, values)
        if reached := _within(change, values, 0.5 * rtol):
            break
    if not reached:
        _missed("grid", _worst(change, values), rtol)
    errors = {name: change[name] + steps[name] for name in values}
    about = {"rule": "grid", "nodes_per_axis": nodes, "sites": len(grid(dimension, nodes).weights)}
    return values, errors, about | {"step": step, "converged": int(reached and settled)}


def _by_scrambles(
    problem: Problem, times: np.ndarray, step: float, rtol: float, rules: Iterator[Rule]
) -> tuple[Values, Values, dict]:
    """Means over scrambles and their errors, with steps settled on the first, whose matrices stay the same."""
    field = Field(problem, next(rules))
    values, step, steps, settled = _settled(field, times, step, 0.5 * rtol)
    directions = [[len(side.directions) for side in (matrix.before, matrix.after)] for matrix in field.matrices]
    parts, sites = [values], field.start[0].shape[1]
    del field  # and its directions, before others come
    parts += [Field(problem, rule).course(times, step, f"mean field of {sites} sites") for rule in rules]
    together = {name: np.stack([part[name] for part in parts]) for name in values}
    spread = {name: part.std(axis=0, ddof=1) / len(parts) ** 0.5 for name, part in together.items()}
    means = {name: part.mean(axis=0) for name, part in together.items()}
    errors = {name: spread[name] + steps[name] for name in means}
    converged = settled and _within(errors, means, rtol)
    about = {"rule": "sobol", "sites": sites, "step": step, "converged": int(converged)}
    return means, errors, about | ({"directions": directions} if directions else {})


def _scrambles(problem: Problem, sites: int, seeds: list[np.random.SeedSequence]) -> Iterator[Rule]:
    """Rules for the seeds, each made when it is asked for: it holds numbers for all sites and directions."""
    hidden, room = problem.network.depth - 1, min(DIRECTIONS, sites)
    own = [problem.factor.shape[1], *[1 + room] * (hidden - 1)]  # of the first layer, and biases and images behind
    behind = [*[room] * (hidden - 1), 1]  # images before the next matrix, or the readout
    for seed in seeds:
        yield sobol([a + b for a, b in zip(own, behind, strict=True)], sites, seed)


def _settled(field: Field, times: np.ndarray, step: float, rtol: float) -> tuple[Values, float, Values, bool]:
    """A course whose steps, when halved, change it within rtol: it, its step, their error, and whether it is within."""
    step = min(step, max(float(times[-1]), 1e-300))
    coarse, fine = (field.course(times, some, f"mean field, step {some:.2g}") for some in (step, 0.5 * step))
    change = _change(coarse, fine, CAUTION)
    for _ in range(HALVINGS):
        if _within(change, fine, rtol):
            return coarse, step, change, True
        step = 0.5 * step
        coarse, fine = fine, field.course(times, 0.5 * step, f"mean field, step {0.5 * step:.2g}")
        change = _change(coarse, fine, CAUTION)
    _missed("steps in time", _worst(change, fine), rtol)
    return coarse, step, change, False


def _change(coarse: Values, fine: Values, factor: float = 1.0) -> Values:
    return {name: factor * abs(value - coarse[name]) for name, value in fine.items()}


def _worst(errors: Values, values: Values) -> float:
    """Largest error, relative to the largest of its quantity; what rounding leaves of a vanishing output is none."""
    sizes = {name: np.max(abs(value)) for name, value in values.items()}
    relative = [np.maximum(np.max(errors[name]) - ROUNDING, 0.0) / max(size, ROUNDING) for name, size in sizes.items()]
    return float(np.max(relative))  # nan where anything is


def _within(errors: Values, values: Values, rtol: float) -> bool:
    return _worst(errors, values) <= rtol  # which nan is not, in which a course of too large steps may end


def _missed(what: str, worst: float, rtol: float) -> None:
    warnings.warn(
        f"rtol = {rtol:g} is not met: with the finest {what} tried the largest relative change is {worst:.1e}",
        RuntimeWarning,
        stacklevel=4,
    )


def _lazy(
    network: MLP, inputs: np.ndarray, y: np.ndarray, times: np.ndarray, rate: float
) -> tuple[Values, Values, dict]:
    """The limit of no richness: kernels that stay what they are at the start."""

    def limit(network: Any, turn: Turn | None = None) -> Values:
        theta = np.asarray(kernel_by_rule(network, turn, inputs).ntk)
        output = gradient_flow(theta[: len(y), : len(y)], theta[:, : len(y)], y, times, rate)
        scales, shallower = network.scales, (dataclasses.replace(network, depth=k) for k in range(1, network.depth + 1))
        covariances = [jnp.asarray(kernel_by_rule(some, turn, inputs).nngp) for some in shallower]
        phi = (np.stack(covariances[1:]) - scales.bias_variance) / scales.weight_variance
        g = []
        for k in reversed(covariances[:-1]):
            variance = jnp.diagonal(k)
            slope = network.activation.two_point_derivative(variance[:, None], k, variance[None])
            g.insert(0, scales.weight_variance * np.asarray(slope) * (g[0] if g else 1.0))
        constant = {"ntk": theta, "feature_kernel": phi, "gradient_kernel": np.stack(g)}
        return {"output": np.asarray(output)} | {
            name: np.broadcast_to(value, (len(times), *value.shape)) for name, value in constant.items()
        }

    values = limit(network)
    return values, estimate(network, limit, values), {"rule": "exact", "converged": 1}


def _dataset(values: Values, errors: Values, times: np.ndarray, about: dict) -> xr.Dataset:
    variables = {}
    for name, dims in DIMS.items():
        for suffix, part, of in (("", values[name], ""), ("_error", errors[name], "error of: ")):
            value = np.moveaxis(part, 1, 0) if dims[0] == "layer" else part
            variables[name + suffix] = (dims, value, {"long_name": of + MEANINGS[name], "units": "1"})
    layers = np.arange(1, values["feature_kernel"].shape[1] + 1)
    return xr.Dataset(variables, {"time": times, "layer": layers}, about)
