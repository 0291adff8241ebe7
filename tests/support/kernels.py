"""Comparing kernels that two routes give."""

import jax
import numpy as np

ROUNDING = 1e-11  # relative, of sums of float64 products of order one in another order


def assert_equal(found, expected, tolerance=ROUNDING, atol=0.0):
    """NNGP and NTK, in this order, agree."""
    for k, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(k, e, rtol=tolerance, atol=atol)


def both(layer):
    """NNGP and NTK of a layer of neural-tangents, compiled at once."""
    return jax.jit(lambda x1, x2: layer[2](x1, x2, ("nngp", "ntk")))
