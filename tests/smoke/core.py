"""Kernels and finite width with nothing but the core."""

from importlib.metadata import version

import numpy as np

import ntkfield as nf

assert version("ntkfield") == nf.__version__

x = np.array([[1.0, 0.5, -0.3], [0.2, -1.0, 0.4]])
network = nf.MLP(2, "relu", weight_variance=2.0)
layer = 2 * (x @ x.T) / 3  # K of the first layer, which relu at C_W = 2 keeps on the diagonal
norms = np.sqrt(np.outer(layer.diagonal(), layer.diagonal()))
angles = np.arccos(np.clip(layer / norms, -1, 1))
arccosine = norms * (np.sin(angles) + (np.pi - angles) * np.cos(angles)) / np.pi  # Cho and Saul 2009
assert np.allclose(network.kernel(x).nngp, arccosine, rtol=1e-12)

trained = nf.predict(network, x, np.array([1.0, -1.0]), x)
assert np.allclose(trained["mean"], [[1.0, -1.0]])  # what it was trained on, after infinite time
limit = nf.gradient_flow(network.kernel(x).ntk, network.kernel(x).ntk, np.array([1.0, -1.0]), np.array([np.inf]))
assert np.allclose(limit, [[1.0, -1.0]])

V = nf.finite_width(network, x[:1], tensors=["V"])["V"].isel(layer=-1).item()
assert np.isclose(V, 5 * layer[0, 0] ** 2)  # C_W² (E[σ⁴] - E[σ²]²) = 4 (3/2 - 1/4) K²
sampled = nf.sample_statistics(network, x[:1], width=16, n_networks=256, seed=0, tensors=["V"], progress=False)
assert abs(sampled["V"].item() - V) < 5 * sampled["V_error"].item()  # chance: 1 in 10⁶, the seed fixes it
assert nf.critical_initialization("relu").weight_variance == 2

images = np.random.default_rng(0).normal(size=(2, 3, 3, 1))
planar = nf.GroupCNN("c4", 1, "relu", filter_shape=3)
assert np.allclose(planar.kernel(images).ntk, planar.kernel(images, np.rot90(images, axes=(1, 2))).ntk)
shifts = nf.GroupCNN(nf.generated("C3", [[1, 2, 0]]), 1, "relu")
signals = images[:, :3, 0]
assert np.allclose(shifts.kernel(signals).ntk, shifts.kernel(signals, np.roll(signals, 1, axis=1)).ntk)
