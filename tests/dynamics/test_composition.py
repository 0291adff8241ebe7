"""Dressed atoms against exact sums, and where compositions leave them undetermined."""

import numpy as np
import pytest

from ntkfield.dynamics.composition import dressed_atoms, element_counts

# Water, methane, ammonia, carbon dioxide.
NUMBERS, N_ATOMS = np.array([8, 1, 1, 6, 1, 1, 1, 1, 7, 1, 1, 1, 6, 8, 8]), np.array([3, 5, 4, 3])
COUNTS = np.array([[2, 0, 0, 1], [4, 1, 0, 0], [3, 0, 1, 0], [0, 1, 0, 2]])
ROUNDING = {"rtol": 1e-12}


def test_atoms_are_counted() -> None:
    np.testing.assert_array_equal(element_counts(NUMBERS, N_ATOMS), COUNTS)
    with_fluorine = element_counts(NUMBERS, N_ATOMS, (9, 8, 7, 6, 1))
    np.testing.assert_array_equal(with_fluorine, np.column_stack([np.zeros(4), COUNTS[:, ::-1]]))


def test_a_sum_over_atoms_is_found() -> None:
    energies = np.array([-2.5, -7.0, -4.0, -6.0])
    np.testing.assert_allclose(dressed_atoms(COUNTS, COUNTS @ energies), energies, **ROUNDING)


def test_an_element_without_atoms_gets_the_energy_of_all() -> None:
    found = dressed_atoms([[2, 0], [5, 0]], [-4.0, -10.0])
    np.testing.assert_allclose(found, [-2.0, -2.0], **ROUNDING)


def test_proportional_compositions_fit_exactly_and_stay_near_one_energy() -> None:
    # Ethene, cyclopropane, cyclobutane: twice as many hydrogens as carbons.
    counts, energies = np.array([[4, 2], [6, 3], [8, 4]]), np.array([-24.0, -36.0, -48.0])
    found = dressed_atoms(counts, energies)
    np.testing.assert_allclose(counts @ found, energies, **ROUNDING)
    np.testing.assert_allclose(found, [-4.0, -4.0], **ROUNDING)


def test_order_of_elements_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    counts, energies = rng.integers(0, 5, size=(3, 4)), rng.normal(size=3)  # fewer molecules than elements
    np.testing.assert_allclose(
        dressed_atoms(counts[:, ::-1], energies)[::-1], dressed_atoms(counts, energies), rtol=1e-9
    )


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: element_counts(NUMBERS, [3, 5]), "sum of n_atoms = 8 is refused: expected the number of atoms, 15"),
        (lambda: element_counts(NUMBERS, N_ATOMS, (1, 6)), "atomic number = 8 is refused: expected one of 1, 6"),
        (lambda: dressed_atoms(COUNTS, [1.0, 2.0]), r"energies of shape = \(2,\) is refused: expected \[4\]"),
        (lambda: dressed_atoms(COUNTS, [1.0, np.nan, 1.0, 1.0]), r"energies\[1\] = nan is refused"),
        (lambda: dressed_atoms([[0, 0]], [1.0]), "number of atoms = 0 is refused: expected one or more"),
    ],
)
def test_bad_input_is_refused(call, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        call()
