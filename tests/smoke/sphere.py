"""Kernels of an SO(3)-invariant network between signals on the sphere."""

import numpy as np

import ntkfield as nf

samples = np.random.default_rng(0).normal(size=(1, 3, 5, 1))
signal = nf.Harmonics.from_grid(samples, "gl")
network = nf.GroupCNN("so3", 1, "relu", bandlimit=3, quadrature=6)
kernel, turned = (network.kernel(signal, other).ntk for other in (signal, signal.rotate(0.3, 1.1, -0.4)))
assert np.allclose(kernel, turned, rtol=1e-2)  # what the quadrature leaves of invariance, with a kink
