r"""The flow of a mean-field network: sites of every hidden layer, moved by means over each other.

With :math:`\gamma_0` the richness, :math:`\Delta = y - f`, :math:`\varphi^l = \sigma(h^l)` and
:math:`g^l = \sqrt n\,\partial z/\partial h^l`, the sites of the hidden layers 1 to H follow

.. math::
   \dot h^1 = \gamma_0 \sum_\mu \Theta_0(\cdot, x_\mu)\Delta_\mu g^1_\mu, \qquad
   \dot a = \gamma_0 \lambda_W \sum_\mu \Delta_\mu \varphi^H_\mu, \qquad \dot c = \lambda_b \sum_\mu \Delta_\mu,

and the matrix before layer l, its start revealed along directions (:mod:`ntkfield.dynamics.revealed`), has learned
:math:`\sqrt S\,G C Q^T/S` and the bias :math:`G\beta`,

.. math::
   \dot C = \gamma_0\lambda_W \sum_\mu \Delta_\mu \langle G g^l_\mu\rangle\langle Q\varphi^{l-1}_\mu\rangle^T, \qquad
   \dot\beta = \gamma_0\lambda_b \sum_\mu \Delta_\mu \langle G g^l_\mu\rangle.

Output and kernel are :math:`f = \langle a\varphi^H\rangle/\gamma_0 + c` and

.. math:: \Theta = \lambda_b + \lambda_W\Phi^H + \sum_{l=2}^H (\lambda_b + \lambda_W\Phi^{l-1})\,G^l + \Theta_0 G^1,
   \qquad \Phi^l = \langle\varphi^l\varphi^l\rangle, \quad G^l = \langle g^l g^l\rangle.

Sources: Mei, Montanari and Nguyen (arXiv 1804.06561) for one hidden layer, Bordelon and Pehlevan (arXiv 2205.09653).
"""

import itertools
from typing import NamedTuple

import numpy as np

from ntkfield.dynamics.normals import Rule
from ntkfield.dynamics.revealed import Hidden
from ntkfield.gaussian.tower import Tower
from ntkfield.networks.mlp import MLP
from ntkfield.progress import track

State = list[np.ndarray]
"""First preactivations [m, S], readout weights [S], readout bias, and C [R', R] and beta [R'] of each hidden matrix."""


class Problem(NamedTuple):
    """What is learned.

    Attributes:
        network: of depth 2 or more.
        inputs: [m, d], the N training inputs first.
        y: targets [N].
        richness: above zero.
        tolerance: part of an activation or gradient that no direction is made for.
    """

    network: MLP
    inputs: np.ndarray
    y: np.ndarray
    richness: float
    tolerance: float

    @property
    def factor(self) -> np.ndarray:
        """Factor [m, rank] of the first layer's covariance, :math:`C_b + C_W x\\cdot x'/d`."""
        scales, d = self.network.scales, self.inputs.shape[1]
        rows = np.full((len(self.inputs), 1), scales.bias_variance**0.5)
        rows = np.concatenate([rows, (scales.weight_variance / d) ** 0.5 * self.inputs], axis=1)
        left, values, _ = np.linalg.svd(rows, full_matrices=False)
        kept = values > 1e-10 * values[0]
        return left[:, kept] * values[kept]


class Layers(NamedTuple):
    """Every layer at some inputs, the first layer first.

    Attributes:
        output: f [m].
        activations: of each layer [m, S].
        gradients: of each layer [m, S].
        directions: of each hidden matrix, coefficients of activations [m, R] and of gradients [m, R'].
    """

    output: np.ndarray
    activations: list[np.ndarray]
    gradients: list[np.ndarray]
    directions: list[tuple[np.ndarray, np.ndarray]]


class Field:
    """One draw of the sites; what it learns in two courses of other steps is learned by the same network."""

    def __init__(self, problem: Problem, rule: Rule, *, bias: np.random.Generator | None = None) -> None:
        """Take the problem, the rule, and for the law of a network of width S what draws its readout's bias."""
        network, scales = problem.network, problem.network.scales
        self._problem, self._scales, self._weights = problem, scales, rule.weights
        sites, normals, hidden = len(rule.weights), rule.layers, network.depth - 1
        factor = problem.factor
        first = factor @ np.stack([normals[0].take() for _ in range(factor.shape[1])])
        readout = scales.weight_variance**0.5 * normals[-1].opposite()
        constant = 0.0
        if bias is not None:
            constant = bias.standard_normal() * (scales.bias_variance / sites) ** 0.5 / problem.richness
        self._biases = [scales.bias_variance**0.5 * own.take() for own in normals[1:]]
        self.matrices = [
            Hidden(scales.weight_variance, before, after, sites, problem.tolerance)
            for before, after in itertools.pairwise(normals)
        ]
        room = self.matrices[0].room if hidden > 1 else 0
        learned = [np.zeros(shape) for _ in self.matrices for shape in ((room, room), (room,))]
        self.start: State = [first, readout, np.array(constant), *learned]
        d = problem.inputs.shape[1]
        self._theta = scales.ntk(problem.inputs @ problem.inputs.T / d)
        self._sigma = Tower(network.activation.derivative, highest=1)
        # All inputs' first directions come first: of Sobol' points, early coordinates are spread best.
        self.layers(self.start, len(problem.inputs))

    def layers(self, state: State, count: int) -> Layers:
        """All layers at the first `count` inputs."""
        first, readout, constant, *learned = state
        values, slopes = self._activated(first[:count])
        activations, all_slopes, forward = [values], [slopes], []
        for k, (matrix, bias) in enumerate(zip(self.matrices, self._biases, strict=True)):
            after, q = matrix.after, matrix.forward(activations[-1])
            weight, shift = _shown(learned, k, matrix)
            moved = q @ after.images + (q @ weight.T + shift) @ after.directions + bias
            values, slopes = self._activated(moved)
            activations.append(values)
            all_slopes.append(slopes)
            forward.append(q)
        output = activations[-1] @ (self._weights * readout) / self._problem.richness + constant
        gradients, directions = [readout * all_slopes[-1]], []
        for k in reversed(range(len(self.matrices))):
            matrix = self.matrices[k]
            before, p = matrix.before, matrix.backward(gradients[0])
            weight, _ = _shown(learned, k, matrix)
            gradients.insert(0, all_slopes[k] * (p @ before.images + (p @ weight) @ before.directions))
            directions.insert(0, (forward[k], p))
        return Layers(output, activations, gradients, directions)

    def velocity(self, state: State) -> State:
        """The state's derivative by time."""
        y, richness, scales = self._problem.y, self._problem.richness, self._scales
        found = self.layers(state, len(y))
        delta = y - found.output
        result = [
            richness * (self._theta[:, : len(y)] * delta) @ found.gradients[0],
            richness * scales.weight_rate * delta @ found.activations[-1],
            np.array(scales.bias_rate * delta.sum()),
        ]
        for (q, p), weight, shift in zip(found.directions, state[3::2], state[4::2], strict=True):
            turned = richness * delta[:, None] * p
            result += [np.zeros_like(weight), np.zeros_like(shift)]
            result[-2][: p.shape[1], : q.shape[1]] = scales.weight_rate * turned.T @ q
            result[-1][: p.shape[1]] = scales.bias_rate * turned.sum(axis=0)
        return result

    def observed(self, state: State) -> dict[str, np.ndarray]:
        """Output [m], NTK [m, m], and the kernels of features and gradients [H, m, m], at all inputs."""
        found, scales = self.layers(state, len(self._problem.inputs)), self._scales
        phi, g = (np.stack([(self._weights * v) @ v.T for v in part]) for part in (found.activations, found.gradients))
        phi, g = (0.5 * (part + np.swapaxes(part, 1, 2)) for part in (phi, g))
        below = np.concatenate([self._theta[None], scales.ntk(phi)])
        return {
            "output": found.output,
            "ntk": below[-1] + np.sum(below[:-1] * g, axis=0),
            "feature_kernel": phi,
            "gradient_kernel": g,
        }

    def course(self, times: np.ndarray, step: float, label: str) -> dict[str, np.ndarray]:
        """What is observed at increasing times, by the classical Runge-Kutta rule with steps of at most `step`."""
        gaps = np.diff(times, prepend=0.0)
        counts = np.ceil(gaps / step - 1e-9).astype(int)
        ends = np.cumsum(counts)
        sizes = np.repeat(gaps / np.maximum(counts, 1), counts)
        state, found = self.start, [self.observed(self.start) for end in ends if end == 0]
        for done, size in enumerate(track(list(sizes), label), start=1):
            state = self._stepped(state, size)
            found += [self.observed(state) for end in ends if end == done]
        return {name: np.stack([part[name] for part in found]) for name in found[0]}

    def _stepped(self, state: State, size: float) -> State:
        slope = total = self.velocity(state)
        for ahead, share in ((0.5, 2), (0.5, 2), (1.0, 1)):
            slope = self.velocity([a + ahead * size * b for a, b in zip(state, slope, strict=True)])
            total = [a + share * b for a, b in zip(total, slope, strict=True)]
        return [a + size / 6 * b for a, b in zip(state, total, strict=True)]

    def _activated(self, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values and slopes of the activation."""
        values, slopes = self._sigma(1, h.ravel()).reshape(2, *h.shape)
        return values, slopes


def _shown(learned: State, k: int, matrix: Hidden) -> tuple[np.ndarray, np.ndarray]:
    """What matrix k and its bias have learned, in the directions there are so far."""
    rows, columns = len(matrix.after.directions), len(matrix.before.directions)
    return learned[2 * k][:rows, :columns], learned[2 * k + 1][:rows]
