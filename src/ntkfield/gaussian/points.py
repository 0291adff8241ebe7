"""Points of the unit cube, and standard normal numbers from them."""

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from scipy.stats import qmc


def scrambled(dimension: int, seed: int | np.random.SeedSequence) -> "qmc.Sobol":
    """A scrambled Sobol' sequence, of one dimension where none is asked for."""
    from scipy.stats import qmc  # here, for it takes longer to import than many a kernel to compute

    return qmc.Sobol(max(1, dimension), scramble=True, rng=np.random.default_rng(seed))


def normal(points: np.ndarray) -> np.ndarray:
    """Scrambled Sobol' points as normal numbers; zero, which scrambling can give, as half a spacing."""
    return ndtri(np.maximum(points, 2.0**-32))
