"""Every module but those of the bridge and of rivals."""

import importlib
import pkgutil

import ntkfield as nf

ELSEWHERE = ("bridge", "sampling.empirical_kernels", "dynamics.finite_networks", "signals.descriptors")
found = [module.name for module in pkgutil.walk_packages(nf.__path__, "ntkfield.", onerror=lambda name: None)]
for name in found:
    if not name.startswith(tuple(f"ntkfield.{room}" for room in ELSEWHERE)):
        importlib.import_module(name)
assert len(found) > 50
