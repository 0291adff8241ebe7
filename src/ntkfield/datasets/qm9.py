"""QM9 and other molecules as ragged arrays in one dataset.

QM9 (Ramakrishnan, Dral, Rupp, von Lilienfeld, Scientific Data 1, 140022, 2014) comes from the Python package qm9pack:
the 130,831 molecules that its authors characterised, with B3LYP/6-31G(2df,p) geometries and energies.
"""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from ntkfield.extras import needs

with needs("molecules", __name__):
    import ase.io
    from ase import Atoms
    from ase.data import chemical_symbols

HARTREE_IN_EV = 27.211386245981
FREE_ATOM_ENERGIES = {1: -0.500273, 6: -37.846772, 7: -54.583861, 8: -75.064579, 9: -99.718730}
"""U0 of the free atoms in hartree, B3LYP/6-31G(2df,p), by atomic number."""

_PARTS = ("qm9_part1.csv", "qm9_part2.csv", "qm9_part3.csv")
_COLUMNS = ("Index", "SMILES", "N_atoms", "Elements", "XYZ_Ang", "InternalEnergy_0K_au")
_MOLECULE_SUFFIXES = (".extxyz", ".xyz")
_ATTRIBUTES = {
    "numbers": {"long_name": "atomic number"},
    "positions": {"long_name": "position of the nucleus", "units": "angstrom"},
    "first_atom": {"long_name": "offset of the molecule's first atom along dimension atom"},
    "n_atoms": {"long_name": "number of atoms"},
    "index": {"long_name": "number of the molecule in its source, from 1"},
    "smiles": {"long_name": "SMILES of the molecule, empty if not known"},
    "energy_U0": {"long_name": "internal energy at 0 K", "units": "hartree"},
    "atomization_energy": {"long_name": "U0 of the molecule minus U0 of its free atoms", "units": "eV"},
}


def read_qm9pack(path: str | os.PathLike[str] | None = None) -> xr.Dataset:
    """Read QM9 from the three tables of the package qm9pack.

    Args:
        path: Folder that holds ``qm9_part1.csv`` to ``qm9_part3.csv``; by default that of the installed qm9pack, which
            is found but not imported (importing it needs a part of setuptools that newer versions lack).

    Returns:
        Dataset over the dimensions molecule and atom, with the atoms of all molecules one after the other:
        ``numbers[atom]``, ``positions[atom, xyz]`` in angstrom, ``first_atom[molecule]``, ``n_atoms[molecule]``,
        ``index[molecule]`` (QM9's own number, from 1, with gaps), ``smiles[molecule]``, ``energy_U0[molecule]`` in
        hartree and ``atomization_energy[molecule]`` = U0 - sum over atoms of U0(free atom), in eV.

    Raises:
        FileNotFoundError: if the package or a table is missing.
        ValueError: if a table does not hold what its columns say.

    """
    folder = _qm9pack_folder() if path is None else Path(path)
    table = pd.concat([_read_table(folder / name) for name in _PARTS], ignore_index=True)
    n_atoms = table["N_atoms"].to_numpy(np.int64)
    return _ragged_dataset(
        numbers=_parse_elements(table.loc[:, "Elements"], n_atoms),
        positions=_parse_positions(table.loc[:, "XYZ_Ang"], n_atoms),
        n_atoms=n_atoms,
        index=table["Index"].to_numpy(np.int64),
        smiles=table["SMILES"].to_numpy(str),
        energy_U0=table["InternalEnergy_0K_au"].to_numpy(str).astype(np.float64),
        source="QM9 (doi:10.1038/sdata.2014.22), as packaged in qm9pack",
    )


def read_molecules(path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> xr.Dataset:
    """Read molecules of one's own into the layout of :func:`read_qm9pack`.

    Args:
        path: A file with one or more molecules in any format of ``ase.io`` (extended XYZ is the one to prefer), a
            folder of ``*.xyz`` and ``*.extxyz`` files (read in the order of their names), or a list of files.
            An energy that ASE finds (``energy=`` in extended XYZ) is taken as the total energy U0 in eV; it can be
            compared with QM9 only if computed at QM9's level of theory, as the free-atom energies are. A key
            ``atomization_energy=``, in eV, is taken as it stands. An energy that a molecule lacks is NaN, as is the
            atomization energy computed for elements other than H, C, N, O and F.

    Returns:
        Dataset as from :func:`read_qm9pack`; ``index`` counts from 1 and ``smiles`` is empty unless a key gives it.

    Raises:
        FileNotFoundError: if a file is missing, or a folder has no molecule files.
        ValueError: if a file cannot be read as molecules, or the list is empty.

    """
    molecules = [atoms for file in _molecule_files(path) for atoms in _read_file(file)]
    energies = np.array([_total_energy(atoms) for atoms in molecules]) / HARTREE_IN_EV
    dataset = _ragged_dataset(
        numbers=np.concatenate([atoms.numbers for atoms in molecules]).astype(np.uint8),
        positions=np.concatenate([atoms.positions for atoms in molecules]).astype(np.float64),
        n_atoms=np.array([len(atoms) for atoms in molecules], dtype=np.int64),
        index=np.arange(1, len(molecules) + 1),
        smiles=np.array([str(atoms.info.get("smiles", "")) for atoms in molecules]),
        energy_U0=energies,
        source="molecule files",
    )
    given = np.array([float(atoms.info.get("atomization_energy", np.nan)) for atoms in molecules])
    dataset["atomization_energy"] = dataset["atomization_energy"].where(np.isnan(given), given)
    return dataset


def select(dataset: xr.Dataset, molecules: Sequence[int] | np.ndarray) -> xr.Dataset:
    """The molecules at the given positions, in that order, with their atoms, as a dataset of the same layout.

    Args:
        dataset: From :func:`read_qm9pack` or :func:`read_molecules`.
        molecules: Positions along the dimension molecule, from 0 (not the numbers in ``index``).

    Raises:
        IndexError: if a position lies outside the dataset.

    """
    rows = np.asarray(molecules, dtype=np.int64)
    outside = rows[(rows < 0) | (rows >= dataset.sizes["molecule"])]
    if outside.size:
        raise IndexError(f"molecules contains {outside[0]}, but 0 to {dataset.sizes['molecule'] - 1} are accepted")
    n_atoms = dataset["n_atoms"].values[rows]
    first_atom = _offsets(n_atoms)
    within_molecule = np.arange(n_atoms.sum()) - np.repeat(first_atom, n_atoms)
    atoms = np.repeat(dataset["first_atom"].values[rows], n_atoms) + within_molecule
    chosen = dataset.isel(molecule=rows, atom=atoms)
    return chosen.assign(first_atom=("molecule", first_atom, dataset["first_atom"].attrs))


def molecule(dataset: xr.Dataset, i: int) -> Atoms:
    """The i-th molecule (from 0) as ``ase.Atoms``, with its index, SMILES and energies in ``info``.

    Raises:
        IndexError: if there is no such molecule.

    """
    single = select(dataset, [i])
    names = ("index", "smiles", "energy_U0", "atomization_energy")
    info = {name: single[name].values[0].item() for name in names}
    return Atoms(numbers=single["numbers"].values, positions=single["positions"].values, info=info)


def _ragged_dataset(
    *,
    numbers: np.ndarray,
    positions: np.ndarray,
    n_atoms: np.ndarray,
    index: np.ndarray,
    smiles: np.ndarray,
    energy_U0: np.ndarray,
    source: str,
) -> xr.Dataset:
    """Assemble the dataset, with offsets, atomization energies and units."""
    first_atom = _offsets(n_atoms)
    variables = {
        "numbers": ("atom", numbers),
        "positions": (("atom", "xyz"), positions),
        "first_atom": ("molecule", first_atom),
        "n_atoms": ("molecule", n_atoms),
        "index": ("molecule", index),
        "smiles": ("molecule", smiles),
        "energy_U0": ("molecule", energy_U0),
        "atomization_energy": ("molecule", _atomization_energies(numbers, first_atom, energy_U0)),
    }
    return xr.Dataset(
        {name: (*value, _ATTRIBUTES[name]) for name, value in variables.items()},
        coords={"xyz": ["x", "y", "z"]},
        attrs={"source": source},
    )


def _offsets(n_atoms: np.ndarray) -> np.ndarray:
    """Offset of each molecule's first atom, from the numbers of atoms."""
    return np.cumsum(n_atoms) - n_atoms


def _atomization_energies(numbers: np.ndarray, first_atom: np.ndarray, energy_U0: np.ndarray) -> np.ndarray:
    """U0 - sum over atoms of U0(free atom), in eV; NaN where an energy is not known."""
    free = np.full(256, np.nan)
    free[list(FREE_ATOM_ENERGIES)] = list(FREE_ATOM_ENERGIES.values())
    return (energy_U0 - np.add.reduceat(free[numbers], first_atom)) * HARTREE_IN_EV


def _qm9pack_folder() -> Path:
    """The data folder of the installed package qm9pack, without importing it."""
    spec = find_spec("qm9pack")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            'qm9pack is not installed: pip install "ntkfield[qm9]", or give a path to its data folder'
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def _read_table(path: Path) -> pd.DataFrame:
    """The needed columns of one table of qm9pack; energies stay text, which numpy reads exactly."""
    if not path.is_file():
        raise FileNotFoundError(f"path holds no {path.name!r} in {str(path.parent)!r}: give qm9pack's data folder")
    try:
        return pd.read_csv(path, usecols=list(_COLUMNS), keep_default_na=False, dtype={"InternalEnergy_0K_au": str})
    except ValueError as error:
        raise ValueError(f"{str(path)!r} is no table of qm9pack: it needs the columns {', '.join(_COLUMNS)}") from error


def _parse_elements(column: pd.Series, n_atoms: np.ndarray) -> np.ndarray:
    """Atomic numbers of all atoms from texts like ``['C','H']``; the five elements of QM9 have one-letter symbols."""
    _require_counts("Elements", column, n_atoms)
    letters = "".join(column).translate(str.maketrans("", "", "[]', "))
    table = np.zeros(256, dtype=np.uint8)
    table[[ord(chemical_symbols[z]) for z in FREE_ATOM_ENERGIES]] = list(FREE_ATOM_ENERGIES)
    numbers = table[np.frombuffer(letters.encode("latin-1", "replace"), dtype=np.uint8)]
    if len(numbers) != n_atoms.sum() or not numbers.all():
        raise ValueError("Elements holds a symbol other than H, C, N, O and F, the elements of QM9")
    return numbers


def _parse_positions(column: pd.Series, n_atoms: np.ndarray) -> np.ndarray:
    """Positions [atom, 3] of all atoms from texts like ``[[0.5,0.,-1.],[1.5E-6,0.,1.]]``."""
    _require_counts("XYZ_Ang", column, 3 * n_atoms)
    numbers = ",".join(column).translate(str.maketrans("", "", "[] "))
    try:
        positions = np.fromstring(numbers, sep=",").reshape(n_atoms.sum(), 3)
    except ValueError as error:
        raise ValueError("XYZ_Ang holds text that is no number; three finite numbers per atom are accepted") from error
    if not np.isfinite(positions).all():
        raise ValueError("XYZ_Ang holds a number that is not finite; three finite numbers per atom are accepted")
    return positions


def _require_counts(name: str, column: pd.Series, expected: np.ndarray) -> None:
    """Refuse a column whose lists have other lengths than the column N_atoms says."""
    found = column.str.count(",").to_numpy(np.int64) + 1
    wrong = np.flatnonzero(found != expected)
    if wrong.size:
        row = wrong[0]
        raise ValueError(f"{name} in row {row} has {found[row]} entries, but N_atoms asks for {expected[row]}")


def _molecule_files(path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> list[Path]:
    """The files meant by a file, a folder or a list of files."""
    if not isinstance(path, str | os.PathLike):
        if not path:
            raise ValueError("path is an empty list: give one molecule file or more")
        return [Path(file) for file in path]
    folder = Path(path)
    if not folder.is_dir():
        return [folder]
    files = sorted(file for file in folder.iterdir() if file.suffix in _MOLECULE_SUFFIXES)
    if not files:
        raise FileNotFoundError(f"path is {str(path)!r}, a folder without {' or '.join(_MOLECULE_SUFFIXES)} files")
    return files


def _read_file(file: Path) -> list[Atoms]:
    """All molecules of one file."""
    if not file.is_file():
        raise FileNotFoundError(f"path is {str(file)!r}, where no file lies: give a molecule file")
    try:
        molecules = list(ase.io.iread(file, index=":"))
    except Exception as error:  # the readers of ase share no class of error
        raise ValueError(
            f"path is {str(file)!r}, which cannot be read ({error}): give a molecule file that ase.io reads"
        ) from error
    if not molecules or not all(len(atoms) for atoms in molecules):
        raise ValueError(f"path is {str(file)!r}, which holds an empty molecule: one atom or more is accepted")
    return molecules


def _total_energy(atoms: Atoms) -> float:
    """The energy in eV that came with the molecule, NaN if none did."""
    return float(atoms.calc.results.get("energy", np.nan)) if atoms.calc is not None else np.nan
