"""A descriptor made by hand."""

import numpy as np

from ntkfield.signals.descriptors import fchl19, soap

water = np.array([8, 1, 1]), np.array([[0.0, 0.0, 0.12], [0.0, 0.76, -0.48], [0.0, -0.76, -0.48]]), np.array([3])
assert np.allclose(soap(*water, 3.5, 0.3)[1], soap(*water, 3.5, 0.3)[2])  # mirror images
assert fchl19(*water).shape[0] == 3
