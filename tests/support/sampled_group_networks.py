"""Networks of finite width over a finite group, two convolutions deep, drawn weight by weight: an independent witness.

The lifting filter reaches everything. The readout's weights are averaged exactly: each network gives, between two
inputs, the covariance and the mean NTK of its outputs, and what two outputs share. Nothing is taken from the package.
"""

import numpy as np
from scipy.special import erf

ORDER = 4  # shifts of a ring of four points, erf
C_W, C_B, RATE_W, RATE_B = 1.5, 0.3, 1.3, 0.7


def lifted(x, reached):
    """Covariance and NTK of the lifted signals [inputs, 4] at positions (input, shift), and where each step leads."""
    rows = np.stack([np.roll(f, -g) for f in x for g in range(ORDER)])
    gram = rows @ rows.T / ORDER
    step = (np.arange(ORDER)[:, None] + np.array(reached)) % ORDER
    return C_B + C_W * gram, RATE_B + RATE_W * gram, step


def slope(z):
    return 2 / np.pi**0.5 * np.exp(-(z**2))


def moments(k):
    """Expectations of products of values and of slopes at covariances k [..., p, p]."""
    v = 1 + 2 * np.diagonal(k, axis1=-2, axis2=-1)
    size = v[..., :, None] * v[..., None, :]
    return 2 / np.pi * np.arcsin(2 * k / size**0.5), 4 / np.pi / (size - 4 * k**2) ** 0.5


def draw(x, n, number, rng, reached):
    """Of each network: covariance and mean NTK of an output [N, f, f], and F, B between two outputs [N, f, f, f, f].

    F and B are n times the products of the parts of z and of the NTK that two outputs share, tied as f1 f3, f2 f4.
    "zero" are means over channels minus their expectations at the layer's own kernel, [N, controls], of mean zero.
    """
    kernel, theta, step = lifted(x, reached)
    inputs = len(x)
    p = inputs * ORDER
    values, vectors = np.linalg.eigh(theta)
    root = (vectors * np.sqrt(np.maximum(values, 0.0)))[:, values > 1e-12 * values[-1]]
    z = rng.normal(size=(number, n, p)) @ np.linalg.cholesky(kernel + 1e-13 * np.eye(p)).T
    s, d = (f(z).reshape(number, n, inputs, ORDER) for f in (erf, slope))
    # w[N, j, k, h]; z2_j(f, g) reads s_k(f, gh)
    w = rng.normal(size=(number, n, n, len(reached))) * C_W**0.5
    read = s[..., step]  # [N, k, f, g, h]
    scale = (n * len(reached)) ** 0.5
    z2 = np.einsum("Njkh,Nkfgh->Njfg", w, read, optimize=True) / scale
    z2 = z2 + C_B**0.5 * rng.normal(size=(number, n, 1, 1))
    s2, d2 = erf(z2), slope(z2)
    mean = s2.mean(axis=3)  # pooled channels
    # Derivatives by the first layer's parameters, as components r of theta's root; then those of the second's.
    roots = root.reshape(inputs, ORDER, -1)[:, step]  # [f, g, h, r]
    through = np.einsum("Nkfgh,fghr->Nkhfgr", d[..., step], roots).reshape(number, n, len(reached), -1)
    through = (np.swapaxes(w, 1, 2) @ through).reshape(number, n, n, inputs, ORDER, -1)
    inner = np.einsum("Njfg,Nkjfgr->Nfjkr", d2, through).reshape(number, inputs, n, -1) / (scale * ORDER)
    ntk = np.einsum("Nfjx,Nujx->Nfuj", inner, inner)
    shared = np.matmul(inner[:, :, None], np.swapaxes(inner, 2, 3)[:, None])  # [N, f, u, j, j']
    seen = RATE_B + RATE_W * np.einsum("Nkfgh,Nkuvh->Nfguv", read, read, optimize=True) / (n * len(reached))
    own = np.einsum("Njfg,Nfguv,Njuv->Nfuj", d2, seen, d2, optimize=True) / ORDER**2
    k = np.arange(n)
    shared[..., k, k] += own
    product = np.einsum("Njf,Nju->Nfu", mean, mean) / n
    found = {"K": C_B + C_W * product, "Theta": RATE_B + RATE_W * product + C_W * (ntk + own).mean(axis=3)}
    found["F"] = C_W**2 / n * np.einsum("Nja,Nic,Nbdji->Nabcd", mean, mean, shared, optimize=True)
    found["B"] = C_W**2 / n * np.einsum("Nacji,Nbdji->Nabcd", shared, shared, optimize=True)
    return found | {"zero": _controls(kernel, theta, step, (s, d), (s2, d2), (seen - RATE_B) / RATE_W)}


def _controls(kernel, theta, step, first, second, products):
    """Means of zero expectation, [N, controls]: of layer 1 as the filter ties them, of layer 2 as the readout does."""
    inputs = len(kernel) // ORDER
    shape = (inputs, ORDER, inputs, ORDER)

    def tied(m):
        return np.mean([m.reshape(shape)[:, h][:, :, :, h] for h in step.T], axis=0)

    values, slopes = moments(kernel)
    theta = theta.reshape(shape)
    through = np.einsum("Nkfg,Nkuv->Nfguv", first[1], first[1], optimize=True) / first[1].shape[1] * theta
    through = np.mean([through[:, :, h][:, :, :, :, h] for h in step.T], axis=0)
    number = len(products)
    exact2, slopes2 = moments((C_B + C_W * products).reshape(number, inputs * ORDER, inputs * ORDER))
    theta2 = RATE_B + RATE_W * tied(values) + C_W * tied(slopes * theta.reshape(kernel.shape))
    parts = [products - tied(values), through - tied(slopes * theta.reshape(kernel.shape))]
    for z, exact, weight in zip(second, (exact2, slopes2), (1.0, theta2), strict=True):
        mean = np.einsum("Njfg,Njuv->Nfguv", z, z, optimize=True) / z.shape[1] - exact.reshape(number, *shape)
        parts.append((weight * mean).mean(axis=(2, 4)))
    return np.concatenate([part.reshape(number, -1) for part in parts], axis=1)


def limits(x, reached):
    """Kernel and NTK of the output at infinite width [inputs, inputs]."""
    kernel, theta, step = lifted(x, reached)
    shape = (len(x), ORDER, len(x), ORDER)
    values, through = moments(kernel)
    tied = [np.mean([m.reshape(shape)[:, h][:, :, :, h] for h in step.T], axis=0) for m in (values, through * theta)]
    theta2 = RATE_B + RATE_W * tied[0] + C_W * tied[1]
    values, slopes = (m.reshape(shape) for m in moments((C_B + C_W * tied[0]).reshape(kernel.shape)))
    pooled = values.mean(axis=(1, 3))
    return C_B + C_W * pooled, RATE_B + RATE_W * pooled + C_W * (slopes * theta2).mean(axis=(1, 3))


def statistics(x, n, number, seed, reached=(0, 1, 2, 3), batches=20):
    """K1, Theta1, V, D, A, F, B at width n, each with its standard error from batches: {name: (mean, error)}."""
    rng, chunk = np.random.default_rng(seed), 3200 // n  # 100 MB
    parts = [draw(x, n, chunk, rng, reached) for _ in range(number // chunk)]
    sample = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    control = np.concatenate([np.ones((len(sample["zero"]), 1)), sample["zero"]], axis=1)
    for name, limit in zip(("K", "Theta"), limits(x, reached), strict=True):
        # What the controls explain linearly has mean zero and is taken off.
        off = (sample[name] - limit).reshape(len(control), -1)
        fitted = np.linalg.lstsq(control, off, rcond=1e-8)[0]
        sample[f"{name}1"] = n * (off - control[:, 1:] @ fitted[1:]).reshape(sample[name].shape)
    return {
        name: (_value(name, sample, n), _spread([_value(name, some, n) for some in _split(sample, batches)]))
        for name in ("K1", "Theta1", "V", "D", "A", "F", "B")
    }


def _split(sample, batches):
    return [{name: value[b::batches] for name, value in sample.items()} for b in range(batches)]


def _value(name, sample, n):
    if name in sample:
        return sample[name].mean(axis=0)
    kinds = {"V": ("K", "K"), "D": ("K", "Theta"), "A": ("Theta", "Theta")}[name]
    left, right = (sample[kind] - sample[kind].mean(axis=0) for kind in kinds)
    return n * np.einsum("Nab,Ncd->abcd", left, right, optimize=True) / (len(left) - 1)


def _spread(values):
    return np.std(values, axis=0) / (len(values) - 1) ** 0.5
