"""Where no extra is installed: every name is there, or says in one sentence which extra it needs."""

import importlib
import re

import ntkfield as nf

HARMONICS = 'ntkfield.signals.harmonics needs s2fft: pip install "ntkfield[sphere]"'
DIAGRAMS = 'ntkfield.diagrams needs sympy: pip install "ntkfield[diagrams]"'
BRIDGE = 'ntkfield.bridge needs neural-tangents: pip install "ntkfield[bridge]"'
NAMES = {
    "Harmonics": HARMONICS,
    "atom_signals": 'ntkfield.signals.molecules needs ase: pip install "ntkfield[molecules]"',
    "calculator": 'ntkfield.dynamics.calculator needs ase: pip install "ntkfield[molecules]"',
    "cumulant": DIAGRAMS,
    "recursion": DIAGRAMS,
}
MODULES = {
    "bridge": BRIDGE,
    "datasets.download": 'ntkfield.datasets.download needs pooch: pip install "ntkfield[images]"',
    "datasets.qm9": 'ntkfield.datasets.qm9 needs ase: pip install "ntkfield[molecules]"',
    "diagrams": DIAGRAMS,
    "dynamics.finite_networks": BRIDGE,
    "figures": 'ntkfield.figures needs matplotlib: pip install "ntkfield[figures]"',
    "figures.corrections": 'ntkfield.figures needs matplotlib: pip install "ntkfield[figures]"',
    "groups.so3": None,
    "networks": None,
    "sampling": None,
    "signals": None,
    "store": 'ntkfield.store needs zarr: pip install "ntkfield[store]"',
}


def refusal(ask, *arguments):
    try:
        ask(*arguments)
    except ImportError as error:
        return str(error)
    return None


for name in nf.__all__:
    assert refusal(getattr, nf, name) == NAMES.get(name), (name, refusal(getattr, nf, name))
for name, expected in MODULES.items():
    found = refusal(importlib.import_module, f"ntkfield.{name}")
    assert found == expected, (name, found)

spheres = nf.GroupCNN("so3", 1, "relu", bandlimit=2, quadrature=2)
assert refusal(spheres.kernel, [[[[0.0]]]]) == HARMONICS
assert refusal(nf.MLP(2, "relu").to_stax, 8) == BRIDGE
assert re.fullmatch(r"\d+\.\d+\.\d+\S*", nf.__version__)
