"""Statistics of one set of sampled networks from those of its parts."""

import numpy as np
import xarray as xr

from ntkfield import checks


def merge(first: xr.Dataset, second: xr.Dataset) -> xr.Dataset:
    """One result from two that differ only in their seed or in which networks of a seed they sampled.

    Args:
        first: result of :func:`~ntkfield.sampling.statistics.sample_statistics`.
        second: another, of the same network, inputs, widths and batch size.

    Returns:
        Dataset of the same form, of all their networks.

    Raises:
        ValueError: if anything but the seed and the networks differs, or if they share networks.
    """
    free = ("seed", "skip", "networks", "batches")
    for key in first.attrs:
        if key not in free and not np.array_equal(first.attrs[key], np.asarray(second.attrs.get(key))):
            raise checks.refuse(key, second.attrs.get(key), f"{first.attrs[key]!r}, as in the first result")
    start, other = first.attrs["skip"], second.attrs["skip"]
    apart = start + first.attrs["networks"] <= other or other + second.attrs["networks"] <= start
    if first.attrs["seed"] == second.attrs["seed"] and not apart:
        raise checks.refuse("skip", other, f"networks that the first result, {start} and on, does not hold")
    a, b = first.attrs["batches"], second.attrs["batches"]
    result = first.copy()
    for name in (str(name) for name in first if not str(name).endswith("_error")):
        x, y, ex, ey = first[name], second[name], first[f"{name}_error"], second[f"{name}_error"]
        mean = (a * x + b * y) / (a + b)
        squares = a * (a - 1) * ex**2 + b * (b - 1) * ey**2 + a * (x - mean) ** 2 + b * (y - mean) ** 2
        result[name] = x.copy(data=mean)
        result[f"{name}_error"] = ex.copy(data=(squares / ((a + b) * (a + b - 1))) ** 0.5)
    networks = first.attrs["networks"] + second.attrs["networks"]
    return result.assign_attrs(networks=networks, batches=a + b, skip=min(start, other))
