"""Four-point moments of families of inputs that share some, and where each choice of inputs finds its value."""

import itertools

import numpy as np
import pytest

from ntkfield.activations import activation
from ntkfield.gaussian import choices, multipoint
from ntkfield.gaussian.tower import Tower

TYPES = ("0000", "0011", "0112", "1111", "1113", "1122")
RNG = np.random.default_rng(2)
X = RNG.normal(size=(6, 3))
K = X @ X.T / 3  # of rank 3


@pytest.mark.parametrize("name", ["gelu", "relu", "identity"])
@pytest.mark.parametrize("families", [[[0, 1, 2, 4], [0, 1, 2, 5], [1, 2, 3, 4]], [[0, 2], [1, 2]], [[3], [5]]])
def test_families_are_as_each_alone(name: str, families: list[list[int]]) -> None:
    sigma, types = activation(name), TYPES[:2] if name == "relu" else TYPES
    together = list(sigma.four_point_families(K, types, 18, np.array(families)))
    assert len(together) == len(families)
    for rows, found in zip(families, together, strict=True):
        alone = sigma.four_point_moments(K[np.ix_(rows, rows)], types, 18)
        for type_ in types:
            # The table's reach is that of all inputs: both interpolate to 1e-9 of the largest moment.
            np.testing.assert_allclose(found[type_], alone[type_], atol=1e-9 * np.max(np.abs(alone[type_])))


def test_every_choice_of_three_inputs_against_a_grid() -> None:
    """All 81 choices of each type, by one sum over three whitened variables that knows nothing of sets or products."""
    k, tower, order = np.cov(RNG.normal(size=(3, 8))), Tower(activation("tanh").derivative), 130
    rule = multipoint.trapezoid(order)
    nodes = np.stack([x.ravel() for x in np.meshgrid(*[rule.nodes] * 3, indexing="ij")])
    weights = np.einsum("i,j,k->ijk", *[rule.weights] * 3).ravel()
    z = np.linalg.cholesky(k) @ nodes
    values = tower(3, z.reshape(-1)).reshape(-1, 3, z.shape[1])
    found = activation("tanh").four_point_moments(k, TYPES, 98)
    for type_ in TYPES:
        for inputs in itertools.product(range(3), repeat=4):
            factors = [values[int(o), i] for o, i in zip(type_, inputs, strict=True)]
            expected = np.sum(weights * np.prod(factors, axis=0))
            np.testing.assert_allclose(found[type_][inputs], expected, atol=1e-9)  # of moments up to 1


def test_shared_sets_stand_once() -> None:
    found = choices.sets(np.array([[0, 1, 2, 3, 7], [0, 1, 2, 3, 9]]))
    assert len(found.members[4]) == 1 + 2 * 4  # the training inputs, and three of them with each query
    for size, members in found.members.items():
        assert len({tuple(row) for row in members.tolist()}) == len(members)
        expected = list(itertools.combinations([0, 1, 2, 3, 9], size))
        assert [tuple(row) for row in members[found.places[size][1]].tolist()] == expected


@pytest.mark.parametrize("rows", [[1], [0, 4], [0, 1, 2, 4, 5]])
def test_programs_compute_what_stands(rows: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Work of any size by compiled programs and without; a rank of 3 below five inputs drops pivots in both."""
    k, sigma = K[np.ix_(rows, rows)], activation("tanh")
    monkeypatch.setattr(multipoint, "COMPILED", np.inf)
    stands = sigma.four_point_moments(k, TYPES, 18)
    monkeypatch.setattr(multipoint, "COMPILED", 0)
    for type_, found in sigma.four_point_moments(k, TYPES, 18).items():
        # The same sums in another order: rounding.
        np.testing.assert_allclose(found, stands[type_], atol=1e-13)


def shifted(m: int, order: int) -> choices.Moves:
    """Shifts of the positions of m inputs at a ring of so many points, all at once."""
    positions = np.arange(m * order).reshape(m, order)
    return tuple(tuple(np.roll(positions, -k, axis=1).ravel().tolist()) for k in range(order))


@pytest.mark.parametrize(("order", "alone", "together"), [(4, 330, 86), (8, 3876, 490)])
def test_a_common_symmetry_leaves_fewer_choices(order: int, alone: int, together: int) -> None:
    assert len(choices.layout(2 * order, "0000").choices) == alone
    found = choices.layout(2 * order, "0000", shifted(2, order))
    assert len(found.choices) == together  # orbits of the shifts on multisets of four, by Burnside's lemma
    for move in shifted(2, order):
        np.testing.assert_array_equal(found.position[np.ix_(*[move] * 4)], found.position)


@pytest.mark.parametrize("name", ["gelu", "relu", "identity"])
def test_symmetry_spares_what_is_alike(name: str) -> None:
    moves, x = shifted(2, 4), RNG.normal(size=(2, 4))
    rows = np.stack([np.roll(x, -k, axis=1) for k in range(4)], axis=1).reshape(8, 4)
    k = rows @ rows.T / 4
    own, sigma, types = np.arange(8)[None], activation(name), TYPES[:2] if name == "relu" else TYPES
    (plain,), (spared,) = (list(sigma.four_point_families(k, types, 32, own, some)) for some in ((), moves))
    for type_ in types:
        # Alike sets may take equal pivots in another order, which shows the rule's error: 1e-6 at order 18, 1e-9 at 32.
        np.testing.assert_allclose(spared[type_], plain[type_], atol=1e-8 * np.max(np.abs(plain[type_])))
    kept = choices.sets(own, moves).members
    assert len(kept[4]) < 0.3 * len(choices.sets(own).members[4])
