"""A calculator trained on distorted waters of another potential: its forces, what it relaxes to, what it refuses."""

import numpy as np
import pytest
from ase.build import molecule
from ase.calculators.emt import EMT
from ase.optimize import BFGS

import ntkfield as nf

RNG = np.random.default_rng(3)
NETWORK = nf.GroupCNN("so3", 1, "erf", 2.0, 0.1, bandlimit=3, quadrature=10)
SEEN = {"bandlimit": 3, "powers": (1, 2)}


def distorted(size: float):
    atoms = molecule("H2O")
    atoms.positions += size * RNG.normal(size=(3, 3))
    return atoms


def energy(atoms) -> float:
    """Of ASE's effective-medium potential, which knows H and O."""
    atoms = atoms.copy()
    atoms.calc = EMT()
    return atoms.get_potential_energy()


KNOWN = [distorted(0.08) for _ in range(60)]
ENERGIES = np.array([energy(atoms) for atoms in KNOWN])


@pytest.fixture(scope="module")
def calculator():
    return nf.calculator(NETWORK, KNOWN, ENERGIES, **SEEN)


def test_it_has_learned(calculator):
    new = [distorted(0.06) for _ in range(20)]
    errors, stds = [], []
    for atoms in new:
        atoms.calc = calculator
        errors.append(atoms.get_potential_energy() - energy(atoms))
        stds.append(calculator.results["energy_std"])
    spread = np.std([energy(atoms) for atoms in new])
    # All waters have one composition: what is not learned is the whole spread.
    assert np.sqrt(np.mean(np.square(errors))) < 0.2 * spread
    assert calculator.leave_one_out_error < 0.2 * ENERGIES.std()
    # A process that is right has errors of its standard deviation: the mean square of 20 ratios, a factor 3 either way.
    assert 1 / 9 < np.mean(np.square(errors) / np.square(stds)) < 9


def test_it_knows_what_it_was_trained_on(calculator):
    far = molecule("H2O")
    far.positions *= 1.6
    stds = []
    for atoms in (KNOWN[0].copy(), far):
        atoms.calc = calculator
        atoms.get_potential_energy()
        stds.append(calculator.results["energy_std"])
    assert stds[0] < 0.2 * stds[1]


def test_forces_are_those_of_differences(calculator):
    atoms, step = distorted(0.05), 2e-3
    atoms.calc = calculator
    forces = atoms.get_forces()
    for i, a in ((0, 1), (1, 2), (2, 0)):
        values = []
        for shift in (-2, -1, 1, 2):
            moved = atoms.copy()
            moved.positions[i, a] += shift * step
            moved.calc = calculator
            values.append(moved.get_potential_energy())
        slope = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)  # to the fourth power of the step
        assert forces[i, a] == pytest.approx(-slope, abs=1e-6 * np.abs(forces).max())
    np.testing.assert_allclose(forces.sum(axis=0), 0.0, atol=1e-9 * np.abs(forces).max())


def test_a_molecule_relaxes(calculator):
    atoms = distorted(0.05)
    atoms.calc = calculator
    before = energy(atoms)
    assert BFGS(atoms, logfile=None).run(fmax=0.02, steps=50)
    exact = atoms.copy()
    exact.calc = EMT()
    BFGS(exact, logfile=None).run(fmax=1e-3, steps=100)
    lowest = exact.get_potential_energy()
    assert energy(atoms) - lowest < 0.05 * (before - lowest)


def test_an_orientation_changes_what_the_estimate_says(calculator):
    atoms = distorted(0.05)
    estimated = calculator.orientation_error(atoms)
    energies = []
    for angle in (50, 110, 160):
        turned = atoms.copy()
        turned.rotate(angle, (1, 2, 3))
        turned.calc = calculator
        energies.append(turned.get_potential_energy())
    assert 0 < np.ptp(energies) < 3 * estimated  # the ranges of three and of six draws from one distribution
    # The quadrature's error falls by more than ten from 6 nodes to 10.
    coarse = nf.calculator(nf.GroupCNN("so3", 1, "erf", 2.0, 0.1, bandlimit=3, quadrature=6), KNOWN, ENERGIES, **SEEN)
    assert estimated < 0.1 * coarse.orientation_error(atoms)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernel": "rbf"}, "kernel = 'rbf' is refused: expected nngp or ntk"),
        ({"energies": [1.0]}, "number of molecules = 60 is refused: expected as many as energies, 1, and two or more"),
        ({"energies": ENERGIES * np.nan}, "energies.* is refused: expected finite numbers only"),
        ({"molecules": ["H2O"] * 60}, "molecule = 'H2O' is refused: expected an ase.Atoms"),
        ({"diag_reg": -1.0}, "diag_reg = -1.0 is refused: expected a finite number above 0"),
    ],
)
def test_refusals(change, message):
    options = {"molecules": KNOWN, "energies": ENERGIES} | change
    with pytest.raises(ValueError, match=message):
        nf.calculator(NETWORK, **options, **SEEN)


def test_molecules_unlike_those_trained_on_are_refused(calculator):
    for atoms, message in (
        (molecule("NH3"), "element = 'N' is refused: expected one of those trained on, H, O"),
        (molecule("H2O", pbc=True, cell=np.eye(3) * 9), r"pbc = \[True, True, True\] is refused"),
    ):
        atoms.calc = calculator
        with pytest.raises(ValueError, match=message):
            atoms.get_potential_energy()
    close = molecule("H2O")
    close.positions[1] = close.positions[0] + 0.01
    close.calc = calculator
    with pytest.raises(ValueError, match=r"0\.0173 angstrom apart"):
        close.get_potential_energy()
