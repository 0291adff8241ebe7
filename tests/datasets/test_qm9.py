import subprocess
import sys

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from ntkfield import store
from ntkfield.datasets import qm9

ISOTOPE_MASSES = {1: 1.00782503, 6: 12.0, 7: 14.0030740, 8: 15.9949146, 9: 18.9984032}
KCAL_PER_MOL_IN_EV = 0.0433641153

TABLE_HEAD = "Index,SMILES,N_atoms,Elements,XYZ_Ang,InternalEnergy_0K_au,Other\n"
WATER_ROW = """7,"O",3,"['O','H','H']","[[0.,0.,-1.],[1.5E-6,0.5,1.],[-2.,-0.25,0.]]",-76.404702,x\n"""
METHANE_KCAL_PER_MOL = -395.999


@pytest.fixture(scope="module")
def dataset():
    return qm9.read_qm9pack()


@pytest.fixture(scope="module")
def raw_columns():
    """Columns of the same tables that read_qm9pack does not use."""
    columns = ["XYZ_file", "Stoichiometry", "RotA_GHz", "RotB_GHz", "RotC_GHz"]
    folder = qm9._qm9pack_folder()
    return pd.concat([pd.read_csv(folder / f"qm9_part{i}.csv", usecols=columns) for i in (1, 2, 3)], ignore_index=True)


def write_tables(folder, rows=WATER_ROW, head=TABLE_HEAD):
    for part in (1, 2, 3):
        (folder / f"qm9_part{part}.csv").write_text(head + rows.replace("7,", f"{part},", 1))


def test_every_characterised_molecule_is_there(dataset):
    assert dataset.sizes["molecule"] == 130_831
    assert dataset.sizes["atom"] == dataset["n_atoms"].sum()
    np.testing.assert_array_equal(dataset["first_atom"][1:], np.cumsum(dataset["n_atoms"])[:-1])
    index = dataset["index"].values
    assert (np.diff(index) > 0).all()
    assert index[[0, -1]].tolist() == [1, 133_885]
    assert dataset["n_atoms"].values.min() == 3
    assert dataset["n_atoms"].values.max() == 29


def test_units_and_types_are_stated(dataset):
    assert dataset["positions"].attrs["units"] == "angstrom"
    assert dataset["energy_U0"].attrs["units"] == "hartree"
    assert dataset["atomization_energy"].attrs["units"] == "eV"
    assert dataset["numbers"].dtype == np.uint8
    assert dataset["positions"].dtype == np.float64
    assert dataset["first_atom"].dtype == dataset["n_atoms"].dtype == dataset["index"].dtype == np.int64


def test_methane_has_its_published_atomization_energy(dataset):
    assert dataset["smiles"].values[0] == "C"
    energy = dataset["atomization_energy"].values[0]
    assert energy == pytest.approx(METHANE_KCAL_PER_MOL * KCAL_PER_MOL_IN_EV, abs=1e-3)
    assert energy == pytest.approx(-17.172, abs=1e-3)


def test_atomization_energies_have_the_published_mean_and_spread(dataset):
    energies = dataset["atomization_energy"].values
    assert energies.mean() == pytest.approx(-76.116, abs=2e-3)
    assert energies.std() == pytest.approx(10.324, abs=2e-3)


def test_atoms_agree_with_the_stoichiometry_column(dataset, raw_columns):
    expected = np.array(raw_columns["Stoichiometry"].str.strip("[]").str.split(",").to_list(), dtype=int)
    numbers, first_atom = dataset["numbers"].values, dataset["first_atom"].values
    found = np.stack([np.add.reduceat((numbers == z).astype(int), first_atom) for z in (1, 6, 7, 8, 9)], axis=1)
    np.testing.assert_array_equal(found, expected)


def test_index_agrees_with_the_file_names(dataset, raw_columns):
    in_name = raw_columns["XYZ_file"].str.extract(r"^dsgdb9nsd_(\d{6})\.xyz$")[0].astype(int)
    np.testing.assert_array_equal(dataset["index"], in_name)


def test_positions_reproduce_the_rotational_constants(dataset, raw_columns):
    for i in np.random.default_rng(0).choice(130_831, size=100, replace=False):
        atoms = qm9.molecule(dataset, i)
        atoms.set_masses([ISOTOPE_MASSES[z] for z in atoms.numbers])
        constants = 505.379 / atoms.get_moments_of_inertia()  # GHz amu angstrom^2
        expected = raw_columns.loc[i, ["RotA_GHz", "RotB_GHz", "RotC_GHz"]].to_numpy(float)
        np.testing.assert_allclose(constants, expected, rtol=1e-4)


def test_water_has_its_bond_length_and_angle(dataset):
    water = qm9.molecule(dataset, 2)
    assert water.get_chemical_formula() == "H2O"
    np.testing.assert_allclose([water.get_distance(0, 1), water.get_distance(0, 2)], 0.962, atol=1e-3)
    assert water.get_angle(1, 0, 2) == pytest.approx(103.9, abs=0.5)
    assert water.info["index"] == 3
    assert water.info["energy_U0"] == -76.404702


def test_no_two_atoms_of_a_small_sample_overlap(dataset):
    for i in (0, 76_222, 130_830):  # the second holds the shortest bond of QM9
        distances = qm9.molecule(dataset, i).get_all_distances()
        assert distances[~np.eye(len(distances), dtype=bool)].min() > 0.95


def test_select_keeps_molecules_whole_and_in_order(dataset):
    chosen = qm9.select(dataset, [100_000, 3, 3])
    assert chosen["index"].values.tolist() == [dataset["index"].values[100_000], 4, 4]
    assert chosen["first_atom"].values.tolist() == np.cumsum([0, *chosen["n_atoms"].values[:-1]]).tolist()
    for position, source in enumerate([100_000, 3, 3]):
        assert qm9.molecule(chosen, position) == qm9.molecule(dataset, source)
    assert chosen["positions"].attrs["units"] == "angstrom"


@pytest.mark.parametrize("position", [-1, 130_831])
def test_select_refuses_positions_outside(dataset, position):
    with pytest.raises(IndexError, match=f"molecules contains {position}"):
        qm9.select(dataset, [0, position])


def test_the_dataset_survives_storage(dataset, tmp_path):
    path = tmp_path / "qm9.zarr.zip"
    store.save(dataset, path)
    loaded = store.load(path)
    assert loaded.drop_attrs(deep=False).identical(dataset.drop_attrs(deep=False))


def test_reading_does_not_import_qm9pack(tmp_path):
    write_tables(tmp_path)
    code = (
        "import sys; from ntkfield.datasets import qm9; "
        f"qm9._qm9pack_folder(); qm9.read_qm9pack({str(tmp_path)!r}); assert 'qm9pack' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_folder_of_tables_can_be_given(tmp_path):
    write_tables(tmp_path)
    small = qm9.read_qm9pack(tmp_path)
    assert small["index"].values.tolist() == [1, 2, 3]
    assert small["numbers"].values.tolist() == [8, 1, 1] * 3
    expected = [[0.0, 0.0, -1.0], [1.5e-6, 0.5, 1.0], [-2.0, -0.25, 0.0]]
    np.testing.assert_array_equal(small["positions"], expected * 3)
    assert small["energy_U0"].values.tolist() == [-76.404702] * 3


def test_missing_tables_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"qm9_part1\.csv"):
        qm9.read_qm9pack(tmp_path)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(qm9, "find_spec", lambda _name: None)
    with pytest.raises(FileNotFoundError, match="qm9pack is not installed"):
        qm9.read_qm9pack()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("'O'", "'S'", "Elements holds a symbol other than"),
        ("'O',", "", "Elements in row 0 has 2 entries"),
        (",[-2.,-0.25,0.]", "", "XYZ_Ang in row 0 has 6 entries"),
        ("0.5", "nan", "XYZ_Ang holds a number that is not finite"),
        ("0.5", "half", "XYZ_Ang holds text that is no number"),
    ],
)
def test_damaged_rows_are_refused(tmp_path, old, new, message):
    write_tables(tmp_path, rows=WATER_ROW.replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        qm9.read_qm9pack(tmp_path)


def test_a_table_without_the_columns_is_refused(tmp_path):
    write_tables(tmp_path, head=TABLE_HEAD.replace("SMILES", "Name"))
    with pytest.raises(ValueError, match="SMILES"):
        qm9.read_qm9pack(tmp_path)


@pytest.fixture
def own_molecules():
    water = Atoms("OH2", positions=[[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    water.calc = SinglePointCalculator(water, energy=-76.404702 * 27.211386245981)
    hydrogen = Atoms("H2", positions=[[0, 0, 0], [0, 0, 0.74]], info={"atomization_energy": -4.5, "smiles": "[H][H]"})
    return [water, hydrogen, Atoms("SH2", positions=[[0, 0, 0], [1.3, 0, 0], [0, 1.3, 0]])]


def test_own_molecules_come_in_the_same_layout(own_molecules, dataset, tmp_path):
    ase.io.write(tmp_path / "own.extxyz", own_molecules)
    own = qm9.read_molecules(tmp_path / "own.extxyz")
    assert set(own.variables) == set(dataset.variables)
    assert {n: (v.dims, v.dtype.kind) for n, v in own.variables.items()} == {
        n: (v.dims, v.dtype.kind) for n, v in dataset.variables.items()
    }
    assert own["n_atoms"].values.tolist() == [3, 2, 3]
    assert own["smiles"].values.tolist() == ["", "[H][H]", ""]
    np.testing.assert_allclose(own["positions"].values[3:5], own_molecules[1].positions)


def test_energies_of_own_molecules_are_optional(own_molecules, dataset, tmp_path):
    ase.io.write(tmp_path / "own.extxyz", own_molecules)
    own = qm9.read_molecules(tmp_path / "own.extxyz")
    water = dataset["atomization_energy"].values[2]
    np.testing.assert_allclose(own["atomization_energy"], [water, -4.5, np.nan], atol=1e-6)
    np.testing.assert_allclose(own["energy_U0"], [-76.404702, np.nan, np.nan], rtol=1e-8)


def test_folders_and_lists_of_files_are_read_in_order(own_molecules, tmp_path):
    names = ["b.xyz", "a.extxyz", "c.xyz"]
    for name, atoms in zip(names, own_molecules, strict=True):
        ase.io.write(tmp_path / name, atoms, format="extxyz")
    (tmp_path / "notes.txt").write_text("no molecule")
    assert qm9.read_molecules(tmp_path)["n_atoms"].values.tolist() == [2, 3, 3]
    assert qm9.read_molecules([tmp_path / name for name in names])["n_atoms"].values.tolist() == [3, 2, 3]


def test_files_that_are_not_there_or_not_molecules_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.xyz"):
        qm9.read_molecules(tmp_path / "absent.xyz")
    with pytest.raises(FileNotFoundError, match="a folder without"):
        qm9.read_molecules(tmp_path)
    with pytest.raises(ValueError, match="empty list"):
        qm9.read_molecules([])
    (tmp_path / "bad.xyz").write_text("two\nlines of prose\n")
    with pytest.raises(ValueError, match=r"bad\.xyz.*cannot be read"):
        qm9.read_molecules(tmp_path / "bad.xyz")
    (tmp_path / "empty.xyz").write_text("0\n\n")
    with pytest.raises(ValueError, match=r"empty\.xyz.*empty molecule"):
        qm9.read_molecules(tmp_path / "empty.xyz")
