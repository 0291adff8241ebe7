r"""Finite groups, given by what they do: permutations of the points of a finite set X.

An element g takes the point x to ``permutations[g, x]``, and a signal f on X to :math:`(\rho(g)f)(x) = f(g^{-1}x)`.
Images are signals on the set of their pixels, so the planar point groups are groups like any other here.
"""

import dataclasses
import functools
import itertools
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ntkfield import checks

MAX_ORDER = 2_048
_CUBE = {"faces": 1, "edges": 2, "vertices": 3}


class PointGroup(NamedTuple):
    """Rotations and reflections of the plane about a point that map the square grid to itself.

    Attributes:
        meaning: what they are, in words.
        matrices: integers [order, 2, 2], each the row and column that (1, 0) and (0, 1) go to as its columns.
    """

    meaning: str
    matrices: np.ndarray

    @property
    def needs_squares(self) -> bool:
        """Whether an element turns rows into columns, so that only square images and filters go to themselves."""
        return bool(self.matrices[:, 0, 1].any())

    def keeps_centre(self, sides: tuple[int, ...], padding: str) -> bool:
        """Whether the elements map a filter's centre to itself where the padding puts it: an even side has none."""
        return len(self.matrices) == 1 or padding == "VALID" or all(side % 2 for side in sides)


def _turns(order: int) -> np.ndarray:
    """A full turn in so many steps, 1, 2 or 4."""
    quarter = np.array([[0, -1], [1, 0]])
    return np.stack([np.linalg.matrix_power(quarter, k) for k in range(0, 4, 4 // order)])


PLANAR_GROUPS = {
    "c1": PointGroup("the identity alone", _turns(1)),
    "c4": PointGroup("quarter turns", _turns(4)),
    "d4": PointGroup("quarter turns and mirror images", np.concatenate([_turns(4), _turns(4) @ np.diag([1, -1])])),
}
"""The groups that turn images about their centre, by name."""


@dataclasses.dataclass(frozen=True, eq=False)
class FiniteGroup:
    r"""A group of permutations of a finite set X.

    Attributes:
        name: how results call it.
        permutations: integers [order, \|X\|]; row g lists where g takes each point. Rows are distinct, closed under
            composition, and of any order.

    Raises:
        ValueError: naming the row that is no permutation, appears twice, or leads out of the group.
    """

    name: str
    permutations: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "permutations", _permutations(self.permutations))
        _ = self.products  # validates closure

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FiniteGroup) and np.array_equal(self.permutations, other.permutations)

    def __hash__(self) -> int:
        return hash((self.permutations.shape, self.permutations.tobytes()))

    def __repr__(self) -> str:
        return f"FiniteGroup({self.name!r}, order {self.order}, on {self.points} points)"

    @property
    def order(self) -> int:
        """Number of elements."""
        return self.permutations.shape[0]

    @property
    def points(self) -> int:
        """Number of points of X."""
        return self.permutations.shape[1]

    @functools.cached_property
    def products(self) -> np.ndarray:
        """Index of the product gh, first h, then g [order, order]."""
        index = self._index
        table = np.empty((self.order, self.order), dtype=np.int64)
        for g, row in enumerate(self.permutations):
            for h, product in enumerate(row[self.permutations]):
                table[g, h] = index.get(product.tobytes(), -1)
                if table[g, h] < 0:
                    raise checks.refuse(
                        "permutations", self.name, f"a closed set, but row {g} after row {h} is {product.tolist()}"
                    )
        return table

    @functools.cached_property
    def inverses(self) -> np.ndarray:
        """Index of the inverse of each element [order]."""
        return np.argmax(self.products == self.identity, axis=1)

    @functools.cached_property
    def identity(self) -> int:
        """Index of the neutral element."""
        return self._index[np.arange(self.points).tobytes()]

    @functools.cached_property
    def _index(self) -> dict[bytes, int]:
        return {row.tobytes(): g for g, row in enumerate(self.permutations)}

    def __contains__(self, permutation: np.ndarray) -> bool:
        r"""Whether a permutation [\|X\|] is an element."""
        return np.asarray(permutation, dtype=np.int64).tobytes() in self._index

    def orbit(self, signals: np.ndarray) -> np.ndarray:
        r"""All copies :math:`\rho(g)f` of signals [n, \|X\|, ...], as [n, order, \|X\|, ...]."""
        return signals[:, self.permutations[self.inverses]]

    def normalised_by(self, permutation: np.ndarray) -> bool:
        r"""Whether conjugation by a permutation [\|X\|] of the points maps the group to itself."""
        inverse = np.argsort(permutation)
        return all(permutation[row[inverse]] in self for row in self.permutations)


def generated(name: str, generators: Iterable[np.ndarray], points: int | None = None) -> FiniteGroup:
    r"""The smallest group that holds some permutations.

    Args:
        name: how results call it.
        generators: permutations [\|X\|] of the same points.
        points: \|X\|; needed only where there is no generator.

    Raises:
        ValueError: for an array that is no permutation, permutations of different points, no generator and no
            `points`, or a group of more than 2048 elements.
    """
    rows = list(generators)
    if not rows and points is None:
        raise checks.refuse("generators", rows, "at least one permutation, or the number of points beside none")
    rows = list(_permutations(rows, distinct=False)) if rows else []
    if points is not None and rows and points != len(rows[0]):
        raise checks.refuse("points", points, f"{len(rows[0])}, as many as the generators permute")
    start = np.arange(len(rows[0]) if rows else checks.whole("points", points, 1))
    found, frontier = {start.tobytes(): start}, [start]
    while frontier:
        fresh = []
        for element, generator in itertools.product(frontier, rows):
            product = generator[element]
            if product.tobytes() not in found:
                found[product.tobytes()] = product
                fresh.append(product)
        if len(found) > MAX_ORDER:
            raise checks.refuse("generators", name, f"those of a group of at most {MAX_ORDER} elements")
        frontier = fresh
    return FiniteGroup(name, np.stack(list(found.values())))


def cyclic(n: int) -> FiniteGroup:
    """Shifts of a ring of n points."""
    points = np.arange(checks.whole("n", n, 1))
    return generated(f"cyclic({n})", [np.roll(points, -1)], n)


def dihedral(n: int) -> FiniteGroup:
    """Shifts and reflections of a ring of n points; 2n elements for n > 2."""
    points = np.arange(checks.whole("n", n, 1))
    return generated(f"dihedral({n})", [np.roll(points, -1), points[::-1]], n)


def symmetric(n: int) -> FiniteGroup:
    """All n! permutations of n points, n at most 6."""
    if checks.whole("n", n, 1) > 6:
        raise checks.refuse("n", n, "6 points or fewer (720 permutations)")
    return FiniteGroup(f"symmetric({n})", np.array(list(itertools.permutations(range(n)))))


def octahedral(on: str | int = "vertices") -> FiniteGroup:
    """The 24 rotations of a cube, acting on its "vertices", "edges", "faces", or on n × n × n voxels.

    Args:
        on: which points, in lexicographic order of their coordinates; a number n >= 2 for voxels.
    """
    if on in _CUBE:
        corners = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
        points = corners[np.count_nonzero(corners, axis=1) == _CUBE[on]]
    elif isinstance(on, int | np.integer) and not isinstance(on, bool) and on >= 2:
        points = np.array(list(itertools.product(np.arange(on) * 2 - (on - 1), repeat=3)))
    else:
        raise checks.refuse("on", on, f"one of {', '.join(_CUBE)}, or a number of voxels a side, 2 or above")
    quarters = [_about(axis) for axis in range(3)]
    return generated(f"octahedral({on})", [_moved(points, matrix) for matrix in quarters])


@functools.lru_cache(maxsize=64)
def point_action(name: str, height: int, width: int) -> np.ndarray:
    """What rotations and reflections of an image about its centre do to its pixels i · width + j.

    Args:
        name: one of :data:`PLANAR_GROUPS`.
        height: number of rows.
        width: number of columns; equal to the height where an element turns rows into columns.

    Returns:
        Permutations [order, height · width], in the same order of elements for every size; the products of elements are
        those of ``point_group(name, 2, 2)``.
    """
    if name not in PLANAR_GROUPS:
        raise checks.refuse("group", name, f"one of {', '.join(PLANAR_GROUPS)}")
    matrices = PLANAR_GROUPS[name].matrices
    if PLANAR_GROUPS[name].needs_squares and height != width:
        raise checks.refuse("height and width", (height, width), f"a square, which {name} maps to itself")
    rows, columns = (axis.ravel() for axis in np.indices((height, width)))
    points = np.stack([2 * rows - (height - 1), 2 * columns - (width - 1)], axis=1)
    action = np.stack([_moved(points, matrix) for matrix in matrices])
    action.setflags(write=False)
    return action


@functools.lru_cache(maxsize=64)
def point_group(name: str, height: int, width: int) -> FiniteGroup:
    """The group of the permutations that :func:`point_action` lists, each once (an image of one pixel has only one)."""
    action = point_action(name, height, width)
    return FiniteGroup(name, action[np.sort(np.unique(action, axis=0, return_index=True)[1])])


def _moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    r"""The permutation by which a matrix acts on integer points [\|X\|, d]."""
    index = {point.tobytes(): x for x, point in enumerate(points)}
    return np.array([index[point.tobytes()] for point in np.ascontiguousarray(points @ matrix.T)])


def _about(axis: int) -> np.ndarray:
    """The quarter turn about a coordinate axis."""
    first, second = (a for a in range(3) if a != axis)
    matrix = np.zeros((3, 3), dtype=np.int64)
    matrix[axis, axis] = matrix[second, first] = 1
    matrix[first, second] = -1
    return matrix


def _permutations(value: object, distinct: bool = True) -> np.ndarray:
    """Read-only int64 rows, each checked to be a permutation."""
    try:
        rows = np.asarray(value)
    except ValueError:  # NumPy's refusal of rows of different lengths
        raise checks.refuse("permutations", value, "rows of one length, integers [order, |X|]") from None
    if rows.ndim != 2 or 0 in rows.shape or rows.dtype.kind not in "iu":
        shape = (rows.shape, str(rows.dtype))
        raise checks.refuse("permutations of shape and type", shape, "integers [order, |X|]")
    rows = rows.astype(np.int64)
    bad = np.flatnonzero((np.sort(rows, axis=1) != np.arange(rows.shape[1])).any(axis=1))
    if len(bad):
        row = rows[bad[0]].tolist()
        raise checks.refuse(f"permutations[{bad[0]}]", row, f"each of 0 to {rows.shape[1] - 1} once")
    if distinct and len(np.unique(rows, axis=0)) != len(rows):
        raise checks.refuse("permutations", f"{len(rows)} rows", "rows that differ from each other")
    rows.setflags(write=False)
    return rows
