r"""What the recursion of each tensor of :mod:`ntkfield.tensors` needs: other tensors and four-point moments."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ntkfield import checks
from ntkfield.activations import Activation
from ntkfield.tensors import NAMES, SECOND_DERIVATIVES


class Needs(NamedTuple):
    """What one recursion reads, and its tensor's natural size.

    `size` holds the powers of the largest K and of the largest Theta that give the tensor its order of magnitude.
    """

    tensors: tuple[str, ...]
    moments: tuple[str, ...]
    size: tuple[int, int]


NEEDS = {
    "K": Needs((), (), (1, 0)),
    "Theta": Needs((), (), (0, 1)),
    "K1": Needs(("V",), (), (1, 0)),
    "Theta1": Needs(("K1", "V", "D", "F"), (), (0, 1)),
    "V": Needs((), ("0000",), (2, 0)),
    "D": Needs(("V",), ("0000", "0011"), (1, 1)),
    "F": Needs((), ("0011",), (1, 1)),
    "A": Needs(("V", "D"), ("0000", "0011", "1111"), (0, 2)),
    "B": Needs((), ("1111",), (0, 2)),
    "P": Needs(("B",), ("0112",), (0, 2)),
    "Q": Needs(("F",), ("0011", "0112"), (0, 2)),
    "R": Needs(("B", "P"), ("0112", "1113"), (-1, 3)),
    "S": Needs(("B",), ("1111", "1122"), (-1, 3)),
    "T": Needs(("F", "Q"), ("0011", "0112", "1122"), (-1, 3)),
    "U": Needs((), ("1122",), (-1, 3)),
}
REDUCED = ("V", "F", "B")  # by orthogonal weights, which take products of two-point moments from their sources


def wanted(tensors: str | Iterable[str] | None) -> tuple[str, ...]:
    """The names asked for, in the table's order; all of them for None."""
    if tensors is None:
        return NAMES
    names = (tensors,) if isinstance(tensors, str) else tuple(tensors)
    for name in names:
        if name not in NAMES:
            raise checks.refuse("tensors", name, f"names among {', '.join(NAMES)}")
    return tuple(name for name in NAMES if name in names)


def existing(activation: Activation, tensors: Sequence[str] | None) -> tuple[str, ...]:
    """The names asked for; None for all that are finite for an activation.

    Raises:
        ValueError: for names that are none, or infinite for it.
    """
    names = wanted(tensors)
    if activation.smooth:
        return names
    infinite = [name for name in names if name in SECOND_DERIVATIVES]
    if tensors is not None and infinite:
        reason = f"tensors other than R, S, T, U for {activation.name}, whose kink makes them infinite at equal inputs"
        raise checks.refuse("tensors", ", ".join(infinite), reason)
    return tuple(name for name in names if name not in infinite)


def closure(names: tuple[str, ...]) -> tuple[str, ...]:
    """`names` and all that their recursions need, in the table's order; K and Theta always."""
    found: set[str] = set()
    open_ = ["K", "Theta", *names]
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_ += NEEDS[name].tensors
    return tuple(name for name in NAMES if name in found)


def moments(names: tuple[str, ...]) -> tuple[str, ...]:
    """The four-point moments that the recursions of `names` read."""
    return tuple(sorted({moment for name in names for moment in NEEDS[name].moments}))
