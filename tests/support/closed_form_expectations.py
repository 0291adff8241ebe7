"""Engines for ⟨Π σ^(k)⟩ with derivatives in closed form, independent of the library's quadrature."""

import numpy as np
from scipy.special import ndtr

from ntkfield.diagrams.tensors import matchings


class LinearExpectations:
    """⟨Π σ^(k)⟩ of σ(z) = z by Wick's theorem: an engine that shares nothing with the quadrature."""

    def __call__(self, kernel, orders):
        kernel, found = np.asarray(kernel), []
        for key in orders:
            words = "abcdefghijkl"[: len(key)]
            free = tuple(axis for axis, order in enumerate(key) if order == 0)
            flat = [(words[axis], np.ones(len(kernel))) for axis, order in enumerate(key) if order]
            array = np.zeros((len(kernel),) * len(key))
            for pairing in matchings(free) if max(key) < 2 else ():
                parts = flat + [(words[a] + words[b], kernel) for a, b in pairing]
                array = array + np.einsum(",".join(w for w, _ in parts) + "->" + words, *(x for _, x in parts))
            found.append(array)
        return found


class GeluExpectations:
    """GELU for one or two inputs: (zΦ)^(k) = z Φ^(k) + k Φ^(k-1), Φ^(k) = ± Hermite polynomial × density."""

    x = np.linspace(-9, 9, 241)
    weight = np.exp(-(x**2) / 2) / np.exp(-(x**2) / 2).sum()

    @staticmethod
    def derivative(z, k):
        def cdf(j):
            if j == 0:
                return ndtr(z)
            hermite = np.polynomial.hermite_e.hermeval(z, [0] * (j - 1) + [1])
            return (-1) ** (j - 1) * hermite * np.exp(-(z**2) / 2) / (2 * np.pi) ** 0.5

        return z * cdf(k) + (k * cdf(k - 1) if k else 0)

    def __call__(self, kernel, orders):
        kernel = np.asarray(kernel)
        if len(kernel) == 1:
            points, weight = self.x[None], self.weight
        else:
            x, w = self.x[::3], self.weight[::3] / self.weight[::3].sum()
            points = np.stack(np.meshgrid(x, x)).reshape(2, -1)
            weight = np.outer(w, w).ravel()
            keep = weight > 1e-18
            points, weight = points[:, keep], weight[keep]
        z = np.linalg.cholesky(kernel) @ points
        tower = {k: self.derivative(z, k) for k in {k for key in orders for k in key}}
        found = []
        for key in orders:
            halves = []
            for part in (key[: len(key) // 2], key[len(key) // 2 :]):
                rows = np.ones((1, z.shape[1]))
                for k in part:
                    rows = (rows[:, None] * tower[k][None]).reshape(-1, z.shape[1])
                halves.append(rows)
            found.append(((halves[0] * weight) @ halves[1].T).reshape((len(kernel),) * len(key)))
        return found
