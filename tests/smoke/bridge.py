"""A network in neural-tangents, which finds no TensorFlow here."""

import importlib.util

import numpy as np

import ntkfield as nf

assert importlib.util.find_spec("tensorflow") is None
x = np.random.default_rng(0).normal(size=(2, 3))
network = nf.MLP(2, "relu", weight_variance=2.0)
_, _, kernel_fn = network.to_stax(8)
assert np.allclose(kernel_fn(x, None, "ntk"), network.kernel(x).ntk)
