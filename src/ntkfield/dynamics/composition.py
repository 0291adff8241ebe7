r"""The part of molecules' energies that is a sum over their atoms: dressed atoms.

.. math:: E \approx \sum_z N_z\,\varepsilon_z

with :math:`N_z` atoms of element z. Kernels need not learn it from scratch, and most of an atomization energy is of
this form. Where compositions do not determine every :math:`\varepsilon_z` (an element that is in no molecule,
hydrocarbons whose numbers of hydrogens and carbons are proportional), those nearest to one energy for all are taken.
"""

from typing import Any

import numpy as np

from ntkfield import checks


def element_counts(numbers: Any, n_atoms: Any, elements: Any = None) -> np.ndarray:
    """How many atoms of each element each molecule has, [molecule, element].

    Args:
        numbers: atomic numbers [atom], molecule after molecule.
        n_atoms: atoms of each molecule [molecule].
        elements: atomic numbers, the columns; those that are there, in order, if not given.

    Raises:
        ValueError: if the numbers of atoms do not add up, or an atom is of no such element.
    """
    numbers, n_atoms = np.asarray(numbers), np.asarray(n_atoms)
    if n_atoms.sum() != len(numbers):
        raise checks.refuse("sum of n_atoms", int(n_atoms.sum()), f"the number of atoms, {len(numbers)}")
    columns = np.unique(numbers) if elements is None else np.asarray(elements)
    if not np.isin(numbers, columns).all():
        unknown = numbers[~np.isin(numbers, columns)][0]
        raise checks.refuse("atomic number", int(unknown), f"one of {', '.join(map(str, columns))}")
    of_element = numbers[:, None] == columns
    return np.add.reduceat(of_element, np.cumsum(n_atoms) - n_atoms, axis=0, dtype=np.int64)


def dressed_atoms(counts: Any, energies: Any) -> np.ndarray:
    r"""Energies :math:`\varepsilon_z` of the elements [element], by least squares; see the module's formula.

    Args:
        counts: from :func:`element_counts`, [molecule, element].
        energies: of the molecules [molecule]; the result has their unit.

    Returns:
        Energies with which ``counts @ energies`` predicts: of all that fit best, those whose deviations from one energy
        for all atoms have the smallest sum of squares. An element without atoms gets that one energy.

    Raises:
        ValueError: if there are no atoms, or an array is not finite or of another length.
    """
    counts = checks.array("counts", counts, "molecule, element")
    energies = checks.array("energies", energies, "molecule")
    if len(counts) != len(energies):
        raise checks.refuse("energies of shape", energies.shape, f"[{len(counts)}], one for each row of counts")
    total = counts.sum(axis=1)
    if not total.any():
        raise checks.refuse("number of atoms", 0, "one or more")
    shared = (total @ energies) / (total @ total)
    return shared + np.linalg.lstsq(counts, energies - shared * total, rcond=None)[0]
