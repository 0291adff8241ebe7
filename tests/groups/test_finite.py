import numpy as np
import pytest

from ntkfield.groups import finite
from ntkfield.groups.finite import FiniteGroup, generated, point_action, point_group

GROUPS = [
    (finite.cyclic(5), 5),
    (finite.dihedral(6), 12),
    (finite.dihedral(2), 2),
    (finite.symmetric(4), 24),
    (finite.octahedral("vertices"), 24),
    (finite.octahedral("edges"), 24),
    (finite.octahedral("faces"), 24),
    (finite.octahedral(3), 24),
    (point_group("c1", 3, 5), 1),
    (point_group("c4", 5, 5), 4),
    (point_group("d4", 4, 4), 8),
    (point_group("d4", 1, 1), 1),
]


@pytest.mark.parametrize(("group", "order"), GROUPS, ids=lambda value: getattr(value, "name", None))
def test_products_and_inverses_are_those_of_the_permutations(group, order):
    assert group.order == order
    g, h = np.random.default_rng(0).integers(order, size=(2, 20))
    rows = group.permutations
    composed = np.array([rows[a][rows[b]] for a, b in zip(g, h, strict=True)])
    assert np.array_equal(rows[group.products[g, h]], composed)
    assert (group.products[np.arange(order), group.inverses] == group.identity).all()


def test_the_orbit_of_an_image_is_its_rotations_and_reflections():
    image = np.random.default_rng(0).normal(size=(5, 5))
    orbit = point_group("d4", 5, 5).orbit(image.reshape(1, 25)).reshape(8, 5, 5)
    expected = [np.rot90(side, k) for side in (image, image[::-1]) for k in range(4)]
    found = [next(k for k, e in enumerate(expected) if np.array_equal(o, e)) for o in orbit]
    assert sorted(found) == list(range(8))


def test_a_group_acts_on_signals_from_the_left():
    group = finite.symmetric(3)
    f = np.random.default_rng(0).normal(size=(1, 3))
    for g in range(6):
        twice = group.orbit(group.orbit(f)[:, g])
        assert np.array_equal(twice[0], group.orbit(f)[0, group.products[:, g]])


def test_the_cube_has_its_cycle_types():
    # Rotations of a cube permute its faces with 6, 3, 3, 6 and 8 elements that fix 2 (quarter), 2 (half), ... faces.
    fixed = (finite.octahedral("faces").permutations == np.arange(6)).sum(axis=1)
    assert sorted(fixed) == sorted([6] + [2] * 6 + [2] * 3 + [0] * 6 + [0] * 8)


def test_a_point_group_has_one_order_of_elements_for_all_sizes():
    products = point_group("d4", 2, 2).products
    for size in (1, 3, 4):
        rows = point_action("d4", size, size)
        for g in range(8):
            assert np.array_equal(rows[g][rows], rows[products[g]])


def test_normaliser():
    shifts = finite.cyclic(5)
    assert shifts.normalised_by(np.arange(5)[::-1])
    assert not shifts.normalised_by(np.array([1, 0, 2, 3, 4]))


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: FiniteGroup("x", [[0, 1, 2], [1, 2, 0]]), "closed set"),
        (lambda: FiniteGroup("x", [[0, 1], [0, 1]]), "differ"),
        (lambda: FiniteGroup("x", [[0, 0]]), r"permutations\[0\]"),
        (lambda: FiniteGroup("x", [[0.0, 1.0]]), "integers"),
        (lambda: FiniteGroup("x", [[0, 1], [0, 2, 1]]), r"permutations = .* is refused: expected rows of one length"),
        (lambda: generated("x", [[0, 1], [0, 2, 1]]), r"permutations = .* is refused: expected rows of one length"),
        (lambda: generated("x", []), r"generators = \[\] is refused: expected at least one permutation"),
        (lambda: generated("x", [[1, 0]], 3), "points = 3 is refused: expected 2, as many"),
        (lambda: generated("x", [], 0), "points = 0 is refused: expected a whole number"),
        (lambda: generated("x", [np.roll(np.arange(7), 1), np.array([1, 0, 2, 3, 4, 5, 6])]), "2048"),
        (lambda: point_group("c4", 3, 4), "square"),
        (lambda: point_group("c5", 3, 3), "c1, c4, d4"),
        (lambda: finite.octahedral("corner"), "vertices"),
        (lambda: finite.octahedral(1), "vertices"),
        (lambda: finite.symmetric(7), "6 points"),
        (lambda: finite.cyclic(0), "1 or above"),
    ],
)
def test_what_is_no_group_is_refused(make, complaint):
    with pytest.raises(ValueError, match=complaint):
        make()
