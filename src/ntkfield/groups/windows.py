"""Which pixels a filter reaches: the one table of paddings."""

import numpy as np

PADDINGS = ("SAME", "VALID", "CIRCULAR")


def margins(reach: int, padding: str) -> tuple[int, int]:
    """Pixels that a padding adds before and after a side for a filter of so many steps along it."""
    return (0, 0) if padding == "VALID" else ((reach - 1) // 2, reach // 2)


def windows(filter_shape: tuple[int, int], padding: str, height: int, width: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Which pixel each step of a filter reaches from each pixel.

    Args:
        filter_shape: rows and columns of the filter.
        padding: "SAME" (an even filter reaches one pixel further after than before), "VALID" or "CIRCULAR".
        height: rows of the image.
        width: columns of the image.

    Returns:
        Integers [output pixels, steps], -1 where a step leads out of the image, and the output's height and width.
    """
    reached = []
    for side, reach in zip((height, width), filter_shape, strict=True):
        before, after = margins(reach, padding)
        place = np.arange(before + side + after - reach + 1)[:, None] + np.arange(reach) - before
        outside = (place < 0) | (place >= side)
        reached.append(place % side if padding == "CIRCULAR" else np.where(outside, -1, place))
    row, column = reached[0][:, None, :, None], reached[1][None, :, None, :]
    pixel = np.where((row < 0) | (column < 0), -1, row * width + column)
    sides = (len(reached[0]), len(reached[1]))
    return pixel.reshape(sides[0] * sides[1], -1), sides
