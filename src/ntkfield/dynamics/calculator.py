r"""Energies and forces of molecules from an infinitely wide network, as a calculator of ASE.

A kernel between molecules (:mod:`ntkfield.infinite.molecules`) learns what a sum over atoms leaves of their energies,

.. math:: E(x) = \sum_z N_z\,\varepsilon_z + e_0 + k(x, X)\, M^{-1} y, \qquad
   M = K + r\,\mathrm{mean}(\mathrm{diag}\,K)\,1,

and forces are :math:`-\partial E/\partial x`, by differentiation through kernel and signals. The standard deviation is
that of the Gaussian process of covariance :math:`s^2 k`, :math:`s^2(k(x, x) - k(x, X) M^{-1} k(X, x))`, with the
amplitude of :mod:`ntkfield.dynamics.selection`. Source for the process: Rasmussen and Williams (2006), equations 2.25
and 2.26.
"""

from collections.abc import Callable, Sequence
from math import pi
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from scipy.spatial.transform import Rotation

from ntkfield import checks
from ntkfield.dynamics.composition import dressed_atoms, element_counts
from ntkfield.dynamics.selection import leave_one_out
from ntkfield.extras import needs
from ntkfield.infinite.molecules import Environments, molecule_kernels
from ntkfield.networks.group_cnn import GroupCNN
from ntkfield.networks.mlp import MLP
from ntkfield.signals.radial import Shells

with needs("molecules", __name__):
    from ase import Atoms
    from ase.calculators.calculator import Calculator, all_changes
    from ase.data import chemical_symbols

    from ntkfield.signals.molecules import dataset_signals

REGULARISERS = tuple(10.0**k for k in range(-10, 0))
"""Of which the one whose leave-one-out errors are smallest is taken."""
TURNS = 6  # of a molecule, whose energies are compared


def calculator(
    network: MLP | GroupCNN,
    molecules: Sequence[Atoms],
    energies: Any,
    *,
    kernel: str = "nngp",
    composition: bool = True,
    diag_reg: float | Sequence[float] = REGULARISERS,
    bandlimit: int = 6,
    powers: Sequence[float] = (2, 6),
    shells: Shells | None = None,
    cutoff_angle: float = pi / 4,
) -> "KernelCalculator":
    """Train on molecules and their energies; see the module's formulas.

    Args:
        network: an SO(3) network, whose forces have no torque but for its quadrature's error, or an MLP.
        molecules: n molecules to learn from, positions in angstrom.
        energies: theirs [n], in eV, from any zero.
        kernel: "nngp" or "ntk".
        composition: whether to take off first what a sum over atoms explains.
        diag_reg: regulariser r, or several to choose from by leave-one-out errors.
        bandlimit: of the signals, as for :func:`ntkfield.atom_signals`, and of the network.
        powers: of the signals.
        shells: of the signals.
        cutoff_angle: of the signals, in radians.

    Returns:
        A calculator of ASE with energy (eV), forces (eV/angstrom) and ``energy_std`` (eV), for molecules of the
        elements that it was trained on. A first call for a composition compiles a program, further ones reuse it. Its
        ``orientation_error`` is what the quadrature over rotations may add.

    Raises:
        ValueError: naming the field, the value and what is accepted; also later, for a molecule with an element that it
            was not trained on, with periodicity or with overlapping atoms.
    """
    if kernel not in ("nngp", "ntk"):
        raise checks.refuse("kernel", kernel, "nngp or ntk")
    y = checks.array("energies", energies, "n")
    molecules = list(molecules)
    if len(molecules) != len(y) or len(y) < 2:
        raise checks.refuse("number of molecules", len(molecules), f"as many as energies, {len(y)}, and two or more")
    for atoms in molecules:
        _check(atoms)
    numbers = np.concatenate([atoms.numbers for atoms in molecules])
    signals = {"bandlimit": bandlimit, "powers": powers, "shells": shells, "cutoff_angle": cutoff_angle}
    seen = Sight(network, kernel, signals | {"elements": tuple(np.unique(numbers).tolist())})
    n_atoms = np.array([len(atoms) for atoms in molecules])
    known = seen.environments(numbers, np.concatenate([atoms.positions for atoms in molecules]), n_atoms)
    return KernelCalculator(seen, known, y, composition, np.atleast_1d(diag_reg).tolist())


class Sight:
    """How molecules are compared: a network's kernel and the signals that it reads."""

    def __init__(self, network: MLP | GroupCNN, kernel: str, signals: dict[str, Any]) -> None:
        self.network, self.kernel, self.signals = network, kernel, signals

    def environments(self, numbers: np.ndarray, positions: Any, n_atoms: np.ndarray) -> Environments:
        """Atoms of molecules, one after the other, with their signals."""
        return Environments(dataset_signals(numbers, positions, n_atoms, **self.signals), numbers, n_atoms)

    def gram(self, a: Environments, b: Environments | None = None) -> Any:
        """The kernel between molecules, equal elements compared."""
        return getattr(molecule_kernels(self.network, a, b)["element"], self.kernel)


class KernelCalculator(Calculator):
    """Energy, forces and the energy's standard deviation; made by :func:`calculator`.

    Attributes:
        diag_reg: the regulariser chosen.
        leave_one_out_error: mean absolute error of predicting each training molecule from all others, in eV.
    """

    implemented_properties = [  # noqa: RUF012 - as ASE declares it
        "energy",
        "free_energy",
        "forces",
        "energy_std",
    ]

    def __init__(
        self, sight: Sight, known: Environments, energies: np.ndarray, composition: bool, diag_reg: Sequence[float]
    ) -> None:
        super().__init__()
        self._sight, self._known = sight, known
        counts = element_counts(known.numbers, known.n_atoms, sight.signals["elements"])
        self._dressed = dressed_atoms(counts, energies) if composition else np.zeros(counts.shape[1])
        rest = energies - counts @ self._dressed
        self._offset = rest.mean()
        gram = np.asarray(sight.gram(known))
        judged = leave_one_out(gram, rest - self._offset, diag_reg)
        errors = np.mean(np.abs(judged.errors), axis=1)
        best = int(np.argmin(errors))
        if not np.isfinite(errors[best]):
            raise checks.refuse("diag_reg", float(max(diag_reg)), "one that leaves the kernel an inverse")
        self.diag_reg, self.leave_one_out_error = float(diag_reg[best]), float(errors[best])
        self._amplitude = judged.amplitude[best]
        shift = self.diag_reg * np.trace(gram) / len(gram)
        self._factor = scipy.linalg.cho_factor(gram + shift * np.eye(len(gram)), lower=True)
        self._weights = scipy.linalg.cho_solve(self._factor, rest - self._offset)
        self._programs: dict[bytes, Callable] = {}

    def calculate(
        self, atoms: Atoms | None = None, properties: Sequence[str] = ("energy",), system_changes: Any = all_changes
    ) -> None:
        """Fill ``results``, as ASE asks."""
        super().calculate(atoms, list(properties), system_changes)
        assert isinstance(self.atoms, Atoms)
        numbers, positions, elements = self.atoms.numbers, self.atoms.positions, self._sight.signals["elements"]
        _check(self.atoms)
        unknown = numbers[~np.isin(numbers, elements)]
        if len(unknown):
            accepted = f"one of those trained on, {', '.join(chemical_symbols[z] for z in elements)}"
            raise checks.refuse("element", chemical_symbols[unknown[0]], accepted)
        self._sight.environments(numbers, positions, np.array([len(numbers)]))  # which refuses overlapping atoms
        (energy, (across, own)), slope = self._program(numbers)(jnp.asarray(positions))
        explained = across @ scipy.linalg.cho_solve(self._factor, across)
        atoms_alone = element_counts(numbers, [len(numbers)], elements)[0] @ self._dressed
        total = float(energy) + float(atoms_alone) + float(self._offset)
        self.results = {
            "energy": total,
            "free_energy": total,
            "forces": -np.asarray(slope),
            "energy_std": float(np.sqrt(self._amplitude * max(float(own) - explained, 0.0))),
        }

    def orientation_error(self, atoms: Atoms) -> float:
        """How far the quadrature over rotations may put the energy off, in eV: its largest change as a molecule turns.

        A small regulariser magnifies the kernel's own error, which a larger ``quadrature`` of the network takes down.
        """
        energies = []
        for turn in Rotation.random(TURNS, np.random.default_rng(0)):
            turned = atoms.copy()
            turned.positions = turn.apply(atoms.positions)
            self.calculate(turned)
            energies.append(self.results["energy"])
        self.reset()
        return float(np.ptp(energies))

    def _program(self, numbers: np.ndarray) -> Callable:
        """What the kernel adds to the energy, the kernels behind it and its gradient, by positions."""

        def learned(positions: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
            one = self._sight.environments(numbers, positions, np.array([len(numbers)]))
            across, own = self._sight.gram(one, self._known)[0], self._sight.gram(one)[0, 0]
            return across @ self._weights, (across, own)

        key = numbers.tobytes()
        if key not in self._programs:
            self._programs[key] = jax.jit(jax.value_and_grad(learned, has_aux=True))
        return self._programs[key]


def _check(atoms: Any) -> None:
    if not isinstance(atoms, Atoms):
        raise checks.refuse("molecule", atoms, "an ase.Atoms, as from ase.build.molecule or ase.io.read")
    if atoms.pbc.any():
        raise checks.refuse("pbc", atoms.pbc.tolist(), "molecules without periodicity")
