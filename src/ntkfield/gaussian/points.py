"""Points of the unit cube as standard normal numbers."""

import numpy as np
from scipy.special import ndtri


def normal(points: np.ndarray) -> np.ndarray:
    """Scrambled Sobol' points as normal numbers; zero, which scrambling can give, as half a spacing."""
    return ndtri(np.maximum(points, 2.0**-32))
