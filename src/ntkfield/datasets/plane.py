"""Functions of the plane to learn, and points that fill a disk evenly."""

from collections.abc import Callable

import numpy as np

from ntkfield import checks

TARGETS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bump": lambda x: np.exp(-1.5 * np.sum(x**2, axis=-1)),
    "ridge": lambda x: np.sin(2 * (x @ [0.8, 0.6])),
    "checks": lambda x: np.sin(2 * x[..., 0]) * np.sin(2 * x[..., 1]),
}
"""One smooth hump, a wave along a single direction, and a board of waves in both, whose cells change sign."""


def sunflower(count: int, radius: float, turn: float = 0.0) -> np.ndarray:
    r"""Points in a disk, each for an equal area: the k-th at :math:`r\sqrt{(k + 1/2)/n}` and k golden angles.

    Args:
        count: n.
        radius: r of the disk.
        turn: of the whole pattern, in radians.

    Returns:
        Array [n, 2].
    """
    k = np.arange(count)
    angle = k * np.pi * (3 - np.sqrt(5)) + turn
    r = checks.positive("radius", radius) * np.sqrt((k + 0.5) / max(count, 1))
    return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)


def training_and_test(train: int, test: int, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Two sunflowers in one disk, the second turned by a radian: where networks learn and where they are asked."""
    return sunflower(train, radius), sunflower(test, radius, 1.0)
