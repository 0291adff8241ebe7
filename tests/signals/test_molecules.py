from math import erf, pi

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule as build
from scipy.integrate import quad
from scipy.spatial.transform import Rotation
from scipy.special import eval_legendre, sph_harm_y

from ntkfield.datasets import qm9
from ntkfield.signals.molecules import (
    atom_signals,
    bump_coefficients,
    channel_labels,
    check_learnable,
    dataset_signals,
    truncation_error,
)

ELEMENTS, POWERS = (1, 6, 7, 8, 9), (2, 6)


def distorted(name, seed=0):
    """A molecule of ase's collection, turned and shaken out of every symmetry."""
    atoms = build(name)
    atoms.rotate(40, "x")
    atoms.positions += np.random.default_rng(seed).normal(scale=0.1, size=atoms.positions.shape)
    return atoms


def fine_grid(n):
    """Directions [k, 3], angles and quadrature weights of a Gauss-Legendre by trapezoid grid."""
    z, weights = np.polynomial.legendre.leggauss(n)
    phi = 2 * pi * np.arange(2 * n) / (2 * n)
    theta, phi = (a.ravel() for a in np.meshgrid(np.arccos(z), phi, indexing="ij"))
    directions = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=1)
    return directions, theta, phi, np.repeat(weights * pi / n, 2 * n)


def formula(atoms, directions, cutoff_angle=pi / 4):
    """f_{i,z,p} [atom, direction, channel], term by term as published."""
    beta = -((np.cos(cutoff_angle) - 1) ** 2) / np.log(0.05)
    values = np.zeros((len(atoms), len(directions), len(ELEMENTS) * len(POWERS)))
    for i, a in enumerate(atoms):
        for j, b in enumerate(atoms):
            if i == j:
                continue
            r = b.position - a.position
            distance = np.sqrt((r**2).sum())
            bump = np.exp(-((directions @ r / distance - 1) ** 2) / beta)
            for k, power in enumerate(POWERS):
                channel = 2 * ELEMENTS.index(b.number) + k
                values[i, :, channel] += a.number * b.number / distance**power * bump
    return values


@pytest.mark.parametrize("cutoff_angle", [pi / 4, 1.5])
def test_coefficients_are_the_projection_of_the_formula(cutoff_angle):
    atoms = distorted("CH3CONH2")
    directions, theta, phi, weights = fine_grid(60)
    values = formula(atoms, directions, cutoff_angle)
    signals = atom_signals(atoms, cutoff_angle=cutoff_angle)
    assert signals.coefficients.shape == (9, 6, 11, 10)
    scale = np.abs(signals.coefficients).max()
    for l in range(6):
        for m in range(-l, l + 1):
            projected = np.einsum("k,k,ikc->ic", weights, sph_harm_y(l, m, theta, phi).conj(), values)
            np.testing.assert_allclose(signals.coefficients[:, l, 5 + m], projected, atol=1e-12 * scale)


def test_a_large_bandlimit_reproduces_the_formula_on_a_grid():
    atoms = distorted("H2O")
    signals = atom_signals(atoms, bandlimit=48)
    z, _ = np.polynomial.legendre.leggauss(48)
    theta, phi = np.arccos(z[::-1]), 2 * pi * np.arange(95) / 95
    directions = np.stack(
        [np.outer(np.sin(theta), np.cos(phi)), np.outer(np.sin(theta), np.sin(phi)), np.outer(z[::-1], np.ones(95))],
        axis=-1,
    ).reshape(-1, 3)
    values = formula(atoms, directions).reshape(3, 48, 95, 10)
    np.testing.assert_allclose(signals.to_grid("gl"), values, atol=1e-9 * values.max())


def test_hydrogen_molecule_by_hand():
    signals = atom_signals(Atoms("H2", positions=[[0, 0, 0], [0, 0, 0.5]]))
    beta = (1 - np.cos(pi / 4)) ** 2 / np.log(20)
    integral = 2 * pi * np.sqrt(pi * beta) / 2 * erf(2 / np.sqrt(beta))  # a_0 in closed form
    expected = np.zeros((2, 10))
    expected[:, 0], expected[:, 1] = 4.0, 64.0  # 1·1/0.5², 1·1/0.5⁶ in the channels of hydrogen
    np.testing.assert_allclose(signals.coefficients[:, 0, 5], expected * integral / np.sqrt(4 * pi), rtol=1e-13)
    off_axis = np.delete(signals.coefficients, 5, axis=2)
    np.testing.assert_array_equal(off_axis, 0)
    up, down = signals.coefficients[0, :, 5, 0], signals.coefficients[1, :, 5, 0]
    np.testing.assert_allclose(down, up * (-1) ** np.arange(6), rtol=1e-13)


@pytest.mark.parametrize("cutoff_angle", [1e-6, 0.05, pi / 4, 2.0, pi])
def test_bump_coefficients_agree_with_adaptive_quadrature(cutoff_angle):
    beta = 4 * np.sin(cutoff_angle / 2) ** 4 / np.log(20)
    width = min(2.0, 8 * np.sqrt(beta))
    for l, found in enumerate(bump_coefficients(12, cutoff_angle)):
        expected, _ = quad(
            lambda u, l=l: np.exp(-(u**2) / beta) * eval_legendre(l, 1 - u), 0, width, epsabs=1e-12 * width
        )
        assert found == pytest.approx(2 * pi * expected, rel=1e-9)


def test_a_bump_falls_to_five_percent_at_the_cutoff_angle():
    angle = 0.9
    l = np.arange(64)
    value = np.sum((2 * l + 1) / (4 * pi) * bump_coefficients(64, angle) * eval_legendre(l, np.cos(angle)))
    assert value == pytest.approx(0.05, rel=1e-10)


@pytest.mark.parametrize("bandlimit", [1, 3, 6, 8, 12])
def test_truncation_error_is_the_share_of_the_higher_degrees(bandlimit):
    l = np.arange(80)
    power = (2 * l + 1) * bump_coefficients(80) ** 2
    expected = np.sqrt(power[bandlimit:].sum() / power.sum())
    assert truncation_error(bandlimit) == pytest.approx(expected, rel=1e-10)


def test_truncation_error_of_the_published_setting():
    errors = [truncation_error(L) for L in range(1, 40)]
    assert errors[5] == pytest.approx(0.121, abs=1e-3)
    assert (np.diff(errors) <= 0).all()
    assert truncation_error(60) < 1e-11


def test_rotating_the_molecule_rotates_the_signals():
    atoms, angles = distorted("CH3CONH2"), (0.7, 2.1, -1.3)
    turned = atoms.copy()
    turned.positions = atoms.positions @ Rotation.from_euler("ZYZ", angles).as_matrix().T + [1.0, -2.0, 3.0]
    expected = atom_signals(atoms).rotate(*angles).coefficients
    found = atom_signals(turned).coefficients
    np.testing.assert_allclose(found, expected, atol=1e-12 * np.abs(expected).max())
    assert np.abs(found - atom_signals(atoms).coefficients).max() > 0.1 * np.abs(expected).max()


def test_permuting_atoms_permutes_signals():
    atoms = distorted("CH3CONH2")
    order = np.random.default_rng(1).permutation(len(atoms))
    expected = atom_signals(atoms).coefficients[order]
    np.testing.assert_allclose(atom_signals(atoms[order]).coefficients, expected, atol=1e-12 * np.abs(expected).max())


def test_channels_are_element_major():
    assert channel_labels()[:3] == ["H r^-2", "H r^-6", "C r^-2"]
    assert channel_labels(powers=(1.5,), elements=(8, 1)) == ["O r^-1.5", "H r^-1.5"]
    water = distorted("H2O")
    norms = np.abs(atom_signals(water).coefficients).sum(axis=(1, 2))
    seen = [[channel_labels()[c].split()[0] for c in np.flatnonzero(row)] for row in norms]
    assert seen == [["H", "H"], ["H", "H", "O", "O"], ["H", "H", "O", "O"]]
    swapped = atom_signals(water, powers=(6, 2), elements=(8, 1)).coefficients
    np.testing.assert_array_equal(swapped, atom_signals(water).coefficients[..., [7, 6, 1, 0]])


def test_a_lone_atom_sees_nothing():
    signals = atom_signals(Atoms("N", positions=[[1, 2, 3]]))
    assert signals.coefficients.shape == (1, 6, 11, 10)
    np.testing.assert_array_equal(signals.coefficients, 0)


def test_many_molecules_at_once_equal_one_by_one():
    molecules = [distorted(name) for name in ("CH4", "H2O", "CH3CONH2", "HCN")]
    molecules.insert(2, Atoms("F"))
    numbers = np.concatenate([atoms.numbers for atoms in molecules]).astype(np.uint8)
    positions = np.concatenate([atoms.positions for atoms in molecules])
    together = dataset_signals(numbers, positions, [len(atoms) for atoms in molecules])
    singly = np.concatenate([atom_signals(atoms).coefficients for atoms in molecules])
    np.testing.assert_allclose(together.coefficients, singly, rtol=1e-13, atol=1e-13)


@pytest.fixture(scope="module")
def first_of_qm9(tmp_path_factory):
    """The first hundred molecules of each real table."""
    folder = tmp_path_factory.mktemp("qm9")
    for source in sorted(qm9._qm9pack_folder().glob("qm9_part?.csv")):
        with open(source) as lines:
            (folder / source.name).write_text("".join(next(lines) for _ in range(101)))
    return qm9.read_qm9pack(folder)


def test_signals_of_real_molecules(first_of_qm9):
    data = first_of_qm9
    signals = dataset_signals(data["numbers"].values, data["positions"].values, data["n_atoms"].values)
    assert len(signals) == data.sizes["atom"]
    for i in (0, 150, 299):
        atoms = qm9.molecule(data, i)
        directions, theta, phi, weights = fine_grid(40)
        projected = np.einsum("k,k,ikc->ic", weights, sph_harm_y(4, 3, theta, phi).conj(), formula(atoms, directions))
        start = data["first_atom"].values[i]
        found = signals.coefficients[start : start + len(atoms), 4, 5 + 3]
        np.testing.assert_allclose(found, projected, atol=1e-10 * np.abs(projected).max())


def test_the_carbon_of_methane_sees_a_tetrahedron(first_of_qm9):
    carbon = atom_signals(qm9.molecule(first_of_qm9, 0)).coefficients[0, :, :, 0]
    power = np.sqrt((np.abs(carbon) ** 2).sum(axis=1)) / np.abs(carbon[0]).max()
    assert power[[1, 2, 5]].max() < 1e-3  # degrees a tetrahedron cannot have
    assert power[[3, 4]].min() > 0.1


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (Atoms("SH2", positions=np.eye(3)), r"atom 0 \(S\) of molecule 0 .* only H C N O F are accepted"),
        (Atoms("OH", positions=[[0, 0, 0], [0, np.nan, 1]]), r"atom 1 \(H\) .* position \[0\.0, nan, 1\.0\]"),
        (Atoms("OH", positions=[[0, 0, 0], [0, np.inf, 1]]), "only finite coordinates"),
        (
            Atoms("OCH", positions=[[0, 0, 0], [2, 0, 0], [2, 0, 0.05]]),
            r"atom 1 \(C\) .* atom 2 \(H\) .* 0\.05 angstrom",
        ),
        (Atoms("OH", positions=np.zeros((2, 3))), "0 angstrom apart, but at least 0.1"),
        (Atoms(), "molecule 0 has no atoms"),
        (Atoms("OH", positions=np.eye(3)[:2], cell=[5, 5, 5], pbc=True), "without periodicity"),
    ],
)
def test_molecules_without_signals_are_refused(atoms, message):
    with pytest.raises(ValueError, match=message):
        atom_signals(atoms)


@pytest.mark.parametrize("atoms", ["H2O", None, [build("CH4")]], ids=str)
def test_what_is_no_molecule_is_refused(atoms):
    with pytest.raises(ValueError, match=r"atoms = .* is refused: expected an ase\.Atoms, as from"):
        atom_signals(atoms)


def test_the_molecule_at_fault_is_named():
    numbers, positions = np.array([1, 1, 6, 1, 17]), np.arange(15.0).reshape(5, 3)
    with pytest.raises(ValueError, match=r"atom 1 \(Cl\) of molecule 2"):
        dataset_signals(numbers, positions, [2, 1, 2])
    with pytest.raises(ValueError, match="molecule 1 has no atoms"):
        dataset_signals(numbers, positions, [4, 0, 1])
    with pytest.raises(ValueError, match=r"shapes \(5,\) and \(5, 3\), but \[4\] and \[4, 3\]"):
        dataset_signals(numbers, positions, [2, 2])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bandlimit": 0}, "bandlimit is 0"),
        ({"bandlimit": 6.0}, r"bandlimit is 6\.0"),
        ({"powers": ()}, r"powers is \(\)"),
        ({"powers": (2, -1)}, r"powers is \(2, -1\)"),
        ({"powers": (2, float("nan"))}, "powers is"),
        ({"cutoff_angle": 0}, "cutoff_angle is 0"),
        ({"cutoff_angle": 3.2}, r"cutoff_angle is 3\.2"),
        ({"cutoff_angle": float("nan")}, "cutoff_angle is nan"),
        ({"elements": ()}, r"elements is \(\)"),
        ({"elements": (1, 1)}, r"elements is \(1, 1\)"),
        ({"elements": (0, 1)}, r"elements is \(0, 1\)"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        atom_signals(build("CH4"), **settings)


OWN = [build(name) for name in ("H2O", "CH4", "NH3")]


def own(tmp_path, molecules, energies):
    """Molecules read from a file; an energy may be missing."""
    for atoms, energy in zip(molecules, energies, strict=True):
        atoms.info = {} if energy is None else {"atomization_energy": energy}
    ase.io.write(tmp_path / "own.extxyz", molecules)
    return qm9.read_molecules(tmp_path / "own.extxyz")


def test_own_molecules_with_energies_can_be_learned_from(tmp_path):
    check_learnable(own(tmp_path, OWN, [-10.0, -17.2, -12.0]), 3)


@pytest.mark.parametrize(
    ("molecules", "energies", "needed", "message"),
    [
        (OWN, [-10.0, -17.2, -12.0], 4, "number of molecules = 3 is refused: expected 4"),
        (OWN, [-10.0, None, -12.0], 3, "atomization_energy of molecule 1 = nan is refused: expected a finite energy"),
        (OWN, [-10.0, -17.2, np.nan], 3, "atomization_energy of molecule 2 = nan"),
        ([*OWN, build("SH2")], [-10.0, -17.2, -12.0, -7.5], 4, r"\(S\) of molecule 3 is refused: only H C N O F"),
        ([*OWN, Atoms("H")], [-10.0, -17.2, -12.0, 0.0], 4, "number of atoms of molecule 3 = 1 is refused"),
    ],
)
def test_molecules_to_learn_nothing_from_are_refused(tmp_path, molecules, energies, needed, message):
    with pytest.raises(ValueError, match=message):
        check_learnable(own(tmp_path, molecules, energies), needed)
