"""How fine a quadrature over four inputs is: orders to try, and the climb from one to the next."""

import math
from collections.abc import Callable
from typing import TypeVar

Rung = tuple[int, int]
"""Two orders, whose difference is the error of the coarser."""
Found = TypeVar("Found")

RUNGS = ((14, 18), (18, 24), (24, 32), (32, 42), (42, 56), (74, 98), (130, 172), (172, 228))
LEAST = {1: 32, 2: 32, 3: 24}  # the coarse order to begin with, where few inputs make it cheap
MOST_NODES = 2e10  # node values per layer beyond which no finer rule is tried: about a minute on two cores
PREFACTOR = 100  # of the error's geometric fall, guessed low: too fine a rung costs more than one too many
# Nodes per axis, in units of the order, for sets of 1 to 4 inputs. Pivots fall from axis to axis, and the fewer the
# inputs the more functions share one: their product varies faster and needs a finer rule.
GRADES = {1: (3,), 2: (3, 3), 3: (2, 1.8, 1.6), 4: (1.6, 1.3, 1, 0.9)}


def ladder(m: int, alike: int = 1) -> list[Rung]:
    """Rungs to try for `m` inputs, coarsest first.

    Args:
        m: number of inputs.
        alike: how many sets of inputs share a value by symmetry.
    """
    size = min(m, 4)

    def nodes(order: int) -> float:
        return math.comb(m, size) / alike * math.prod(order * grade for grade in GRADES[size])

    first, *finer = (rung for rung in RUNGS if rung[0] >= LEAST.get(m, 0))
    return [first, *(rung for rung in finer if nodes(rung[1]) <= MOST_NODES)]


def climb(rungs: list[Rung], tried: Callable[[Rung], tuple[Found, float]], rtol: float) -> tuple[Rung, Found, float]:
    """The first rung whose relative error is at most `rtol`, or else the last; what was found there, and the error.

    Args:
        rungs: to try, coarsest first.
        tried: what is found on a rung, and its relative error.
        rtol: asked for.
    """
    while True:
        rung = rungs[0]
        found, error = tried(rung)
        if error <= rtol or len(rungs) == 1:
            return rung, found, error
        rungs = _finer(rungs, error, rtol)


def _finer(rungs: list[Rung], error: float, rtol: float) -> list[Rung]:
    """The rungs left to try after the first one's error; there is one more at least.

    The error falls geometrically with the order, from PREFACTOR at order 0: rungs that fall short are passed over.
    """
    (order, _), *finer = rungs
    asked = order * math.log(PREFACTOR / rtol) / math.log(PREFACTOR / error) if error < 1 else 0
    return [rung for rung in finer if rung[0] >= asked] or finer[-1:]
