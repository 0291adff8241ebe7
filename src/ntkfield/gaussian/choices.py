"""Every choice of four inputs, with repetition, from the sets of two, three and four inputs that hold them.

A moment of four factors depends on its inputs as a set and on which factor stands at which. What a quadrature gives is
one block of values for each set; here stands where in them each choice finds its own, for one list of inputs and for
many that share some, whose common sets are integrated over once.
"""

import functools
import itertools
from typing import NamedTuple

import numpy as np


class Layout(NamedTuple):
    """Where each of m^4 choices of inputs finds its value.

    Attributes:
        choices: the choices that symmetry leaves distinct, [n, 4].
        position: index into them, [m, m, m, m].
    """

    choices: np.ndarray
    position: np.ndarray


@functools.cache
def layout(m: int, type_: str) -> Layout:
    """The distinct choices of four inputs for moments of `type_`: functions of equal order may be exchanged."""
    choices = np.indices((m,) * 4).reshape(4, -1)
    for order in set(type_):
        same = [axis for axis in range(4) if type_[axis] == order]
        choices[same] = np.sort(choices[same], axis=0)
    distinct, position = np.unique(choices, axis=1, return_inverse=True)
    return Layout(distinct.T, position.reshape((m,) * 4))


def sizes(m: int) -> tuple[int, ...]:
    """Sizes of the sets of inputs that are integrated over, rising: a choice uses the smallest that holds it."""
    return (1,) if m == 1 else tuple(range(2, min(m, 4) + 1))


class Sets(NamedTuple):
    """The sets of inputs that some families need.

    Attributes:
        members: by size, every set once, [sets, size], inputs rising.
        places: by size, which of them are a family's own, [families, sets of a family].
    """

    members: dict[int, np.ndarray]
    places: dict[int, np.ndarray]


def sets(families: np.ndarray) -> Sets:
    """The sets within each row of `families` [families, m], whose inputs rise; those that rows share stand once."""
    members, places = {}, {}
    for size in sizes(families.shape[1]):
        chosen = np.array(list(itertools.combinations(range(families.shape[1]), size)))
        own = families[:, chosen]
        members[size], place = np.unique(own.reshape(-1, size), axis=0, return_inverse=True)
        places[size] = place.reshape(own.shape[:2])
    return Sets(members, places)


def arrangements(type_: str) -> list[tuple[int, ...]]:
    """The distinct ways to give four inputs the orders of a type."""
    return sorted(set(itertools.permutations(map(int, type_))))


@functools.cache
def addresses(m: int, type_: str) -> np.ndarray:
    """Where the value of each choice stands among those of the sets of all sizes, in turn; [m, m, m, m]."""
    numbers = {size: {s: i for i, s in enumerate(itertools.combinations(range(m), size))} for size in sizes(m)}
    orders = {o: i for i, o in enumerate(arrangements(type_))}
    lengths = [len(numbers[size]) * (len(orders) if size == 4 else size**4) for size in numbers]
    starts = dict(zip(numbers, np.cumsum([0, *lengths]), strict=False))
    choices, position = layout(m, type_)
    found = np.empty(len(choices), np.int64)
    for row, choice in enumerate(choices.tolist()):
        support = sorted(set(choice))
        size = next(size for size in numbers if size >= len(support))
        if size == 4:
            order = tuple(int(type_[choice.index(a)]) for a in support)
            local = numbers[4][tuple(support)] * len(orders) + orders[order]
        else:
            others = (a for a in range(m) if a not in support)
            held = sorted([*support, *itertools.islice(others, size - len(support))])
            within = [held.index(a) for a in choice]
            local = np.ravel_multi_index((numbers[size][tuple(held)], *within), (len(numbers[size]), *(size,) * 4))
        found[row] = starts[size] + local
    return found[position]
