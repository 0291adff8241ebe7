"""Every choice of four inputs, with repetition, from the sets of two, three and four inputs that hold them.

A moment of four factors depends on its inputs as a set and on which factor stands at which. What a quadrature gives is
one block of values for each set; here stands where in them each choice finds its own, for one list of inputs and for
many that share some, whose common sets are integrated over once.
"""

import functools
import itertools
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from ntkfield.checks import Array


class Layout(NamedTuple):
    """Where each of m^4 choices of inputs finds its value.

    Attributes:
        choices: the choices that symmetry leaves distinct, [n, 4].
        position: index into them, [m, m, m, m].
    """

    choices: np.ndarray
    position: np.ndarray


Families = Iterator[Mapping[str, Array]]
"""Of each family of inputs, one array of moments per type."""
Types = tuple[str, ...]
"""Moments, by the orders of their four factors in rising sequence, as in "0011"."""
Rows = np.ndarray
"""Inputs of each family in rising order, [families, m]."""
Moves = tuple[tuple[int, ...], ...]
"""Permutations of the inputs, a group, that leave their covariance as it is; empty for none but the identity."""


@functools.cache
def layout(m: int, type_: str, moves: Moves = ()) -> Layout:
    """The distinct choices of four inputs for moments of `type_`: functions of equal order may be exchanged.

    Args:
        m: number of inputs.
        type_: orders in rising sequence.
        moves: permutations of the inputs; what one takes a choice to is the same choice.
    """
    plain = np.indices((m,) * 4).reshape(4, -1)
    codes = np.full(m**4, m**4)
    for move in moves or (tuple(range(m)),):
        choices = np.array(move)[plain]
        for order in set(type_):
            same = [axis for axis in range(4) if type_[axis] == order]
            choices[same] = np.sort(choices[same], axis=0)
        codes = np.minimum(codes, np.ravel_multi_index(tuple(choices), (m,) * 4))
    distinct, position = np.unique(codes, return_inverse=True)
    return Layout(np.stack(np.unravel_index(distinct, (m,) * 4), axis=1), position.reshape((m,) * 4))


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


def sets(families: np.ndarray, moves: Moves = ()) -> Sets:
    """The sets within each row of `families` [families, m], whose inputs rise; those that rows share stand once.

    Of sets that `moves`, permutations of a row's places, take to each other, the first alone.
    """
    members, places = {}, {}
    for size in sizes(families.shape[1]):
        chosen = np.array(list(dict.fromkeys(held for held, _ in _standing(families.shape[1], size, moves).values())))
        own = families[:, chosen]
        members[size], place = np.unique(own.reshape(-1, size), axis=0, return_inverse=True)
        places[size] = place.reshape(own.shape[:2])
    return Sets(members, places)


@functools.cache
def _standing(m: int, size: int, moves: Moves) -> dict[tuple[int, ...], tuple[tuple[int, ...], int]]:
    """For each set of inputs the first of those that moves take it to, and the number of such a move."""
    chosen = np.array(list(itertools.combinations(range(m), size)))
    moved = np.sort(np.array(moves or (tuple(range(m)),))[:, chosen], axis=2)
    codes = np.ravel_multi_index(tuple(np.moveaxis(moved, 2, 0)), (m,) * size)
    first = np.argmin(codes, axis=0)
    held = moved[first, np.arange(len(chosen))]
    return {tuple(a): (tuple(b), k) for a, b, k in zip(chosen.tolist(), held.tolist(), first.tolist(), strict=True)}


def arrangements(type_: str) -> list[tuple[int, ...]]:
    """The distinct ways to give four inputs the orders of a type."""
    return sorted(set(itertools.permutations(map(int, type_))))


@functools.cache
def addresses(m: int, type_: str, moves: Moves = ()) -> np.ndarray:
    """Where the value of each choice stands among those of the sets of all sizes, in turn; [m, m, m, m]."""
    standing = {size: _standing(m, size, moves) for size in sizes(m)}
    numbers = {
        size: {s: i for i, s in enumerate(dict.fromkeys(s for s, _ in standing[size].values()))} for size in standing
    }
    orders = {o: i for i, o in enumerate(arrangements(type_))}
    lengths = [len(numbers[size]) * (len(orders) if size == 4 else size**4) for size in numbers]
    starts = dict(zip(numbers, np.cumsum([0, *lengths]), strict=False))
    choices, position = layout(m, type_, moves)
    found = np.empty(len(choices), np.int64)
    for row, choice in enumerate(choices.tolist()):
        support = sorted(set(choice))
        size = next(size for size in numbers if size >= len(support))
        others = (a for a in range(m) if a not in support)
        own, move = standing[size][tuple(sorted([*support, *itertools.islice(others, size - len(support))]))]
        there = [moves[move][a] for a in choice] if moves else choice
        if size == 4:
            order = tuple(int(type_[there.index(a)]) for a in own)
            local = numbers[4][own] * len(orders) + orders[order]
        else:
            within = [own.index(a) for a in there]
            local = np.ravel_multi_index((numbers[size][own], *within), (len(numbers[size]), *(size,) * 4))
        found[row] = starts[size] + local
    return found[position]
