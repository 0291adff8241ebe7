"""Atoms as signals, and the kernel of two molecules."""

import numpy as np
from ase.build import molecule

import ntkfield as nf
from ntkfield.datasets import qm9

signals = nf.atom_signals(molecule("H2O"), bandlimit=3)
assert len(signals) == 3
assert np.isfinite(signals.coefficients).all()
assert callable(qm9.read_molecules)
