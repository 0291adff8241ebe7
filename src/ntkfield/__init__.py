"""Neural tangent kernels beyond the textbook: equivariant networks, data augmentation, finite width.

Importing the package makes JAX compute in double precision, in the whole process. A name is imported from its room when
it is first asked for, so that importing the package costs little more than importing JAX.
"""

import ast
import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import jax

# Kernels differ by products of many nearly cancelling terms; single precision loses them.
jax.config.update("jax_enable_x64", True)

if TYPE_CHECKING:  # read by editors, by the workflow's hashes of code, and by _homes: the one list of what is offered
    from ntkfield.activations import activation, from_function
    from ntkfield.diagrams import cumulant, recursion
    from ntkfield.dynamics.gradient_flow import ensemble_covariance, gradient_flow, posterior
    from ntkfield.dynamics.predict import predict
    from ntkfield.finite import critical_initialization, finite_width
    from ntkfield.groups.finite import FiniteGroup, generated
    from ntkfield.infinite.augmented import augmented_kernel
    from ntkfield.infinite.molecules import Environments, molecule_kernels
    from ntkfield.networks import MLP, FiniteGroupCNN, GroupCNN, Kernels, PlanarCNN, SphereCNN
    from ntkfield.sampling import sample_statistics
    from ntkfield.signals.harmonics import Harmonics
    from ntkfield.signals.molecules import atom_signals

__version__ = "0.1.0"
__all__ = [
    "MLP",
    "Environments",
    "FiniteGroup",
    "FiniteGroupCNN",
    "GroupCNN",
    "Harmonics",
    "Kernels",
    "PlanarCNN",
    "SphereCNN",
    "activation",
    "atom_signals",
    "augmented_kernel",
    "critical_initialization",
    "cumulant",
    "ensemble_covariance",
    "finite_width",
    "from_function",
    "generated",
    "gradient_flow",
    "molecule_kernels",
    "posterior",
    "predict",
    "recursion",
    "sample_statistics",
]


def _homes() -> dict[str, str]:
    """The module of every name under TYPE_CHECKING above."""
    tree = ast.parse(Path(__file__).read_bytes())
    (offered,) = (node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.name: line.module
        for line in offered.body
        if isinstance(line, ast.ImportFrom) and line.module
        for alias in line.names
    }


_HOMES = _homes()


def __getattr__(name: str) -> object:
    if name in _HOMES:
        found = getattr(importlib.import_module(_HOMES[name]), name)
    elif not name.startswith("_") and importlib.util.find_spec(f"{__name__}.{name}"):
        found = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
