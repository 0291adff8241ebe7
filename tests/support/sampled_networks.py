"""Joint cumulants of preactivations and NTKs at layer 3, from sampled GELU networks with biases and free rates.

The last weights are averaged exactly: for externals paired at channels, what remains is the joint cumulant, over
layers 1 and 2, of one variable per connected component of (externals, pairs). Nothing is taken from the package.
"""

import numpy as np
from scipy.special import ndtr

C_W, C_B, RATE_W, RATE_B = 1.6, 0.1, 0.7, 0.3
X = np.array([[0.9, -0.4, 0.6], [-0.2, 1.1, 0.5]])  # two inputs
GRAM = X @ X.T / 3
KERNEL, THETA = C_B + C_W * GRAM, RATE_B + RATE_W * GRAM  # layer 1


def gelu(z):
    return z * ndtr(z)


def slope(z):
    return ndtr(z) + z * np.exp(-(z**2) / 2) / (2 * np.pi) ** 0.5


def layer_two(n1, n2, number, rng):
    """z [N, n2, input] and a function (a, b) -> NTK between all channels, [N, n2, n2]."""
    z = rng.normal(size=(number, n1, 2)) @ np.linalg.cholesky(KERNEL).T
    s, d = gelu(z), slope(z)
    w = rng.normal(size=(number, n2, n1)) * C_W**0.5
    z2 = w @ s / n1**0.5 + C_B**0.5 * rng.normal(size=(number, n2, 1))
    kept = {}

    def ntk(a, b):
        if (a, b) not in kept:
            full = (w * (d[:, :, a] * d[:, :, b])[:, None, :]) @ w.transpose(0, 2, 1) * (THETA[a, b] / n1)
            k = np.arange(n2)
            full[:, k, k] += RATE_B + RATE_W * (s[:, :, a] * s[:, :, b]).mean(1)[:, None]
            kept[a, b] = full
        return kept[a, b]

    return z2, ntk


def components(ntks, pairing, labels, z, ntk):
    """One array [N] per connected component of externals and pairs; ``ntks`` are the node pairs that are NTKs."""
    n = z.shape[1]
    vertex = {node: k for k, pair in enumerate(pairing) for node in pair}
    touched = {node for pair in ntks for node in pair}
    s, d = gelu(z), slope(z)
    factor = {node: (d if node in touched else s)[:, :, labels[node]] for node in vertex}
    group = list(range(len(pairing)))
    for a, b in ntks:
        group = [group[vertex[a]] if g == group[vertex[b]] else g for g in group]
    found = []
    for g in sorted(set(group)):
        inside = [k for k in range(len(pairing)) if group[k] == g]
        value = C_W ** len(inside) * _contract(inside, ntks, pairing, labels, vertex, factor, ntk) / n ** len(inside)
        if len(inside) == 1 and pairing[inside[0]] in ntks:
            a, b = pairing[inside[0]]
            value = value + RATE_W * (s[:, :, labels[a]] * s[:, :, labels[b]]).mean(1)
        found.append(value)
    return found


def _contract(inside, ntks, pairing, labels, vertex, factor, ntk):
    letters = dict(zip(inside, "jklm", strict=False))
    words = ["N" + letters[k] for k in inside]
    arrays = [factor[pairing[k][0]] * factor[pairing[k][1]] for k in inside]
    for a, b in ntks:
        if vertex[a] in letters:
            words.append("N" + letters[vertex[a]] + letters[vertex[b]])
            arrays.append(ntk(labels[a], labels[b]))
    return np.einsum(",".join(words) + "->N", *arrays, optimize=len(arrays) > 2)


def joint_cumulant(columns):
    """Joint cumulant of the columns of one sample, by moments about the mean."""
    if len(columns) == 1:
        return columns[0].mean()
    d = [c - c.mean() for c in columns]
    if len(d) < 4:
        return np.prod(d, axis=0).mean()
    assert len(d) == 4
    pairs = sum((d[0] * d[k]).mean() * np.prod([d[j] for j in (1, 2, 3) if j != k], axis=0).mean() for k in (1, 2, 3))
    return np.prod(d, axis=0).mean() - pairs


def scaled_cumulants(cases, n1, n2, number, seed, chunk=4000, batches=20):
    """n2^order × joint cumulant and its standard error, {key: (mean, error)}; cases {key: (ntks, pairing, labels)}."""
    rng = np.random.default_rng(seed)
    columns = {key: [] for key in cases}
    for _ in range(-(-number // chunk)):
        z, ntk = layer_two(n1, n2, chunk, rng)
        for key, (ntks, pairing, labels) in cases.items():
            columns[key].append(components(ntks, pairing, labels, z, ntk))
    results = {}
    for key, parts in columns.items():
        sample = [np.concatenate(c) for c in zip(*parts, strict=True)]
        scale = n2 ** (len(cases[key][1]) - 1)
        values = [joint_cumulant([c[k::batches] for c in sample]) * scale for k in range(batches)]
        results[key] = (joint_cumulant(sample) * scale, np.std(values) / (batches - 1) ** 0.5)
    return results


def extrapolate(widths, means, errors, degree):
    """Value and error at infinite width of a weighted polynomial fit in 1/n."""
    powers = np.vander(1 / np.asarray(widths, float), degree + 1, increasing=True)
    weighted = powers / np.asarray(errors)[:, None]
    inverse = np.linalg.inv(weighted.T @ weighted)
    return float((inverse @ weighted.T @ (np.asarray(means) / errors))[0]), float(inverse[0, 0] ** 0.5)
