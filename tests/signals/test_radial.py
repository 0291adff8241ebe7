"""Shells of distance against their formula, and signals on them against sums over neighbours."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ase.build import molecule

from ntkfield.signals.molecules import atom_signals, bump_coefficients, channel_labels, dataset_signals
from ntkfield.signals.radial import Shells

SHELLS = Shells(first=0.8, last=2.6, count=4, width=0.3, cutoff=3.0, power=1.5, charge=0.5)


def value(shell: int, charges: float, r: float) -> float:
    centre = 0.8 + 0.6 * shell
    window = (1 + np.cos(np.pi * r / 3.0)) / 2 if r < 3.0 else 0.0
    return charges**0.5 / r**1.5 * np.exp(-((r - centre) ** 2) / (2 * 0.3**2)) * window


def test_shells_are_their_formula_and_end_at_the_cutoff() -> None:
    distances, charges = np.array([0.7, 1.4, 2.99, 3.0, 4.0]), np.array([1, 6, 48, 36, 8])
    expected = [[value(k, c, r) for k in range(4)] for c, r in zip(charges, distances, strict=True)]
    np.testing.assert_allclose(SHELLS(charges, distances), expected, rtol=1e-13)
    assert not SHELLS(charges, distances)[3:].any()


def test_signals_on_shells_are_sums_over_neighbours() -> None:
    # The isotropic coefficient is a sum over neighbours of a_0 Y_00 alone.
    water = molecule("H2O")
    signals = np.asarray(atom_signals(water, bandlimit=2, powers=[], shells=SHELLS).coefficients)
    isotropic = signals[:, 0, 1].real.reshape(3, 5, 4) * np.sqrt(4 * np.pi) / bump_coefficients(2)[0]
    distances, z = water.get_all_distances(), water.numbers
    for atom in range(3):
        for element, number in enumerate((1, 6, 7, 8, 9)):
            neighbours = [j for j in range(3) if j != atom and z[j] == number]
            sums = [sum(value(k, z[atom] * z[j], distances[atom, j]) for j in neighbours) for k in range(4)]
            np.testing.assert_allclose(isotropic[atom, element], sums, rtol=1e-12, atol=1e-15)


def test_powers_and_shells_stand_side_by_side() -> None:
    water = molecule("H2O")
    both = np.asarray(atom_signals(water, bandlimit=3, powers=(2,), shells=SHELLS).coefficients)
    parts = [
        atom_signals(water, bandlimit=3, **one).coefficients
        for one in ({"powers": (2,)}, {"powers": (), "shells": SHELLS})
    ]
    split = both.reshape(*both.shape[:-1], 5, 5)
    np.testing.assert_array_equal(split[..., :1], np.asarray(parts[0]).reshape(*both.shape[:-1], 5, 1))
    np.testing.assert_array_equal(split[..., 1:], np.asarray(parts[1]).reshape(*both.shape[:-1], 5, 4))
    assert channel_labels((2,), shells=SHELLS)[:3] == ["H r^-2", "H 0.8 Å", "H 1.4 Å"]


def test_shells_are_differentiable_by_positions() -> None:
    water = molecule("H2O")

    def total(positions):
        signals = dataset_signals(water.numbers, positions, [3], bandlimit=2, powers=[], shells=SHELLS)
        return jnp.sum(jnp.abs(signals.coefficients) ** 2)

    gradient = np.asarray(jax.grad(total)(jnp.asarray(water.positions)))
    step, found = 1e-5, np.zeros((3, 3))
    for place in np.ndindex(3, 3):
        shift = np.zeros((3, 3))
        shift[place] = step
        found[place] = float(total(water.positions + shift) - total(water.positions - shift)) / (2 * step)
    # central differences: an error of step² times third derivatives, of order 10 here
    np.testing.assert_allclose(gradient, found, atol=1e-7 * np.abs(gradient).max())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"last": 3.5}, "last = 3.5 is refused: expected 0.8 to 3.0, the first shell to the cutoff"),
        ({"width": 0.0}, "width = 0.0 is refused"),
        ({"count": 0}, "count = 0 is refused"),
        ({"charge": -1.0}, "charge = -1.0 is refused"),
    ],
)
def test_bad_shells_are_refused(change: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Shells(**{"first": 0.8, "last": 2.6, "count": 4, "width": 0.3, "cutoff": 3.0} | change)


def test_no_channel_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"powers is \(\), but one positive finite number or more is accepted, or none"
    ):
        atom_signals(molecule("H2O"), powers=[])
