r"""How strongly an atom sees another at a distance: powers of it, and smooth shells.

A power p gives :math:`z_i z_j / r^p`, as published (arXiv 2406.06504). A shell about :math:`r_k` of width w gives

.. math:: \frac{(z_i z_j)^c}{r^q}\, e^{-(r-r_k)^2/(2w^2)}\, \tfrac12\left(1+\cos\frac{\pi r}{r_c}\right) \quad (r < r_c)

and nothing beyond the cutoff :math:`r_c`, where it ends smoothly. Several overlapping shells resolve lengths of bonds,
which two powers cannot.
"""

import dataclasses
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from ntkfield import checks


@dataclasses.dataclass(frozen=True)
class Shells:
    """Equidistant shells; see the module's formula.

    Attributes:
        first: centre of the innermost, in angstrom.
        last: centre of the outermost, in angstrom.
        count: how many.
        width: w in angstrom.
        cutoff: r_c in angstrom.
        power: q.
        charge: c.
    """

    first: float
    last: float
    count: int
    width: float
    cutoff: float
    power: float = 1.0
    charge: float = 0.5

    def __post_init__(self) -> None:
        for name in ("first", "width", "cutoff"):
            checks.positive(name, getattr(self, name))
        checks.whole("count", self.count, 1)
        for name in ("power", "charge"):
            checks.non_negative(name, getattr(self, name))
        if not self.first <= self.last <= self.cutoff:
            raise checks.refuse("last", self.last, f"{self.first} to {self.cutoff}, the first shell to the cutoff")

    @property
    def centres(self) -> np.ndarray:
        """Centres r_k [count]."""
        return np.linspace(self.first, self.last, self.count)

    def __call__(self, charges: np.ndarray, distances: Any) -> Any:
        """Values [pair, count] at products of charges [pair] and distances [pair]."""
        xp, r = distances.__array_namespace__(), distances[:, None]
        window = xp.where(r < self.cutoff, 0.5 * (1 + xp.cos(np.pi * r / self.cutoff)), 0.0) / r**self.power
        window = window * (charges**self.charge)[:, None]
        return window * xp.exp(-((r - self.centres) ** 2) / (2 * self.width**2))


def check_radial(powers: Sequence[float], shells: Shells | None) -> None:
    """Refuse what gives no channel.

    Raises:
        ValueError: if a power is not positive and finite, or there is neither a power nor a shell.
    """
    positive = all(isinstance(p, Real) and not isinstance(p, bool) and 0 < p < np.inf for p in powers)
    if not positive or (len(powers) == 0 and shells is None):
        accepted = "one positive finite number or more is accepted" + (", or none beside shells" if positive else "")
        raise ValueError(f"powers is {tuple(powers)}, but {accepted}")


def radial_values(charges: np.ndarray, distances: Any, powers: Sequence[float], shells: Shells | None) -> Any:
    """Values [pair, powers then shells] of all pairs.

    Args:
        charges: products z_i z_j [pair].
        distances: in angstrom [pair].
        powers: exponents p.
        shells: none if None.
    """
    xp = distances.__array_namespace__()
    parts = []
    if len(powers):
        parts.append(charges[:, None] / distances[:, None] ** np.asarray(powers, dtype=np.float64))
    if shells is not None:
        parts.append(shells(charges, distances))
    return xp.concatenate(parts, axis=1)


def radial_labels(powers: Sequence[float], shells: Shells | None) -> list[str]:
    """Names of the radial channels in order, such as ``"r^-2"`` and ``"1.5 Å"``."""
    centres = () if shells is None else shells.centres
    return [f"r^-{p:g}" for p in powers] + [f"{centre:.3g} Å" for centre in centres]
