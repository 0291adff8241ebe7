"""Descriptors made by hand: invariance, and kernels against sums written out."""

import numpy as np
import pytest
from ase.build import molecule

from ntkfield.signals import descriptors

MOLECULES = [molecule(name) for name in ("H2O", "CH3CH2OH", "NH3")]
NUMBERS = np.concatenate([one.numbers for one in MOLECULES])
POSITIONS = np.concatenate([one.positions for one in MOLECULES])
N_ATOMS = np.array([len(one) for one in MOLECULES])
DESCRIBED = {
    "soap": lambda z, r, n: descriptors.soap(z, r, n, 3.5, 0.3),
    "fchl19": descriptors.fchl19,
}


@pytest.mark.parametrize("name", DESCRIBED)
def test_turned_moved_and_reordered_molecules_have_the_same_kernels(name: str) -> None:
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    turn *= np.linalg.det(turn)
    order = np.random.default_rng(1).permutation(N_ATOMS[0])  # of the first molecule's atoms
    order = np.concatenate([order, np.arange(N_ATOMS[0], N_ATOMS.sum())])
    sides = [
        (DESCRIBED[name](z, r, N_ATOMS), z, N_ATOMS)
        for z, r in ((NUMBERS, POSITIONS), (NUMBERS[order], POSITIONS[order] @ turn.T + 5.0))
    ]
    kernels = [descriptors.molecule_sums([descriptors.gaussian(2.0)], side, side) for side in sides]
    # SOAP's density is expanded in radial functions by float64 quadrature, FCHL19 sums neighbours in another order
    np.testing.assert_allclose(*kernels, rtol=1e-8)


def test_kernels_are_sums_over_pairs_of_equal_element() -> None:
    features = np.random.default_rng(2).normal(size=(len(NUMBERS), 4))
    side, molecule_of = (features, NUMBERS, N_ATOMS), np.repeat(np.arange(3), N_ATOMS)
    expected = np.zeros((2, 3, 3))
    for i, j in np.ndindex(len(NUMBERS), len(NUMBERS)):
        if NUMBERS[i] == NUMBERS[j]:
            place = molecule_of[i], molecule_of[j]
            expected[0][place] += (features[i] @ features[j]) ** 2
            expected[1][place] += np.exp(-((features[i] - features[j]) ** 2).sum() / (2 * 1.5**2))
    kernels = [descriptors.powers_of_products(2), descriptors.gaussian(1.5)]
    np.testing.assert_allclose(descriptors.molecule_sums(kernels, side, side), expected, rtol=1e-12)


def test_soap_has_norm_one() -> None:
    features = DESCRIBED["soap"](NUMBERS, POSITIONS, N_ATOMS)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1.0)


def test_a_length_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cutoff = 0.0 is refused"):
        descriptors.soap(NUMBERS, POSITIONS, N_ATOMS, 0.0, 0.3)
    with pytest.raises(ValueError, match=r"length = -1.0 is refused"):
        descriptors.gaussian(-1.0)
