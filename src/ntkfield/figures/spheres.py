"""The spherical signals that one atom of a molecule sees."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntkfield.extras import needs
from ntkfield.figures.style import house_style
from ntkfield.signals.harmonics import Harmonics, iterate_harmonics

with needs("molecules", __name__):
    from ase import Atoms
    from ase.data import chemical_symbols, covalent_radii
    from ase.data.colors import jmol_colors

LONGITUDES, LATITUDES = 181, 91


def plot(atoms: Atoms, atom: int, signals: Harmonics, powers: list[float], elements: list[int]) -> Figure:
    """Draw a molecule and, on the sphere around one of its atoms, every signal that is not zero.

    Args:
        atoms: the molecule.
        atom: whose environment is drawn.
        signals: of all atoms of the molecule, channels element-major then power.
        powers: exponents of the distance.
        elements: atomic numbers of the channels.
    """
    values, longitude, latitude = _on_sphere(signals.coefficients[atom])
    shown = [k for k, z in enumerate(elements) if z in np.delete(atoms.numbers, atom)]
    with house_style():
        figure = plt.figure(figsize=(3.3 + 2.7 * len(shown), 1.0 + 1.45 * len(powers)), layout="constrained")
        left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[3.3, 2.7 * len(shown)])[0]
        _molecule(left.add_axes((0.0, 0.0, 1.0, 0.9), projection="3d"), atoms, atom)
        for row, power in enumerate(powers):
            for column, k in enumerate(shown):
                axis = right.add_subplot(len(powers), len(shown), row * len(shown) + column + 1, projection="mollweide")
                _map(axis, longitude, latitude, values[..., k * len(powers) + row])
                if row == 0:
                    axis.set_title(f"neighbours {chemical_symbols[elements[k]]}")
                if column == 0:
                    axis.text(-0.08, 0.5, f"$r^{{-{power:g}}}$", transform=axis.transAxes, ha="right", va="center")
        left.suptitle(f"{atoms.get_chemical_formula()}, atom {chemical_symbols[atoms.numbers[atom]]} (ringed)")
        right.suptitle("what it sees in every direction, each map on its own scale: dark = weak, bright = strong")
    return figure


def finding(atoms: Atoms, atom: int) -> str:
    """Which atom is drawn, and how far its neighbours are.

    Args:
        atoms: the molecule.
        atom: whose environment is drawn.
    """
    distances = np.delete(atoms.get_distances(atom, range(len(atoms))), atom)
    return (
        f"In {atoms.get_chemical_formula()}, the ringed {chemical_symbols[atoms.numbers[atom]]} sees {len(distances)} "
        f"atoms, the nearest {distances.min():.2f} Å and the farthest {distances.max():.2f} Å away."
    )


def _on_sphere(coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values [latitude, longitude, channel] of real signals given by coefficients [L, 2L-1, c]."""
    bandlimit = coefficients.shape[0]
    longitude, latitude = np.linspace(-np.pi, np.pi, LONGITUDES), np.linspace(-np.pi / 2, np.pi / 2, LATITUDES)
    phi, theta = np.meshgrid(longitude, latitude)
    directions = np.stack([np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), np.sin(theta)], axis=-1)
    values = np.zeros((phi.size, coefficients.shape[-1]))
    for l, m, harmonic in iterate_harmonics(directions.reshape(-1, 3), bandlimit):
        share = (harmonic[:, None] * coefficients[l, bandlimit - 1 + m]).real
        values += share if m == 0 else 2 * share
    return values.reshape(*phi.shape, -1), longitude, latitude


def _map(axis: Axes, longitude: np.ndarray, latitude: np.ndarray, values: np.ndarray) -> None:
    axis.pcolormesh(longitude, latitude, values, cmap="cividis", shading="gouraud", rasterized=True)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(False)


def _molecule(axis: Any, atoms: Atoms, atom: int) -> None:
    """On an axis in three dimensions, of which matplotlib annotates nothing."""
    positions, numbers = atoms.positions - atoms.positions.mean(axis=0), atoms.numbers
    for i in range(len(atoms)):
        for j in range(i):
            if atoms.get_distance(i, j) < 1.25 * (covalent_radii[numbers[i]] + covalent_radii[numbers[j]]):
                axis.plot(*positions[[i, j]].T, color="0.6", linewidth=2.5, zorder=1)
    sizes = 420 * covalent_radii[numbers] ** 2
    axis.scatter(*positions.T, s=sizes, c=jmol_colors[numbers], edgecolors="black", linewidths=0.8, depthshade=False)
    ring = positions[atom][:, None]
    axis.scatter(*ring, s=3.2 * sizes[atom], facecolors="none", edgecolors="crimson", linewidths=2)
    for element in sorted(set(numbers)):
        axis.scatter([], [], [], s=60, color=jmol_colors[element], edgecolors="black", label=chemical_symbols[element])
    axis.legend(loc="lower left", ncols=5, handletextpad=0.1, columnspacing=0.8, bbox_to_anchor=(0.0, 0.0))
    axis.set_box_aspect(np.maximum(np.ptp(positions, axis=0), 1.0), zoom=1.35)
    axis.set_axis_off()
