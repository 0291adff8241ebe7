"""Every module but those of the bridge."""

import importlib
import pkgutil

import ntkfield as nf

BRIDGED = ("bridge", "sampling.empirical_kernels", "dynamics.finite_networks")
found = [module.name for module in pkgutil.walk_packages(nf.__path__, "ntkfield.", onerror=lambda name: None)]
for name in found:
    if not name.startswith(tuple(f"ntkfield.{room}" for room in BRIDGED)):
        importlib.import_module(name)
assert len(found) > 50
