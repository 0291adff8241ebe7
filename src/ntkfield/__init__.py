"""Neural tangent kernels beyond the textbook: equivariant networks, data augmentation, finite width.

Importing the package makes JAX compute in double precision, in the whole process and in those that it starts. A name is
imported from its room when it is first asked for, and JAX when a room needs it, so that figures are drawn without it.
"""

import os
import sys
from typing import TYPE_CHECKING

from ntkfield.late import offers
from ntkfield.version import __version__ as __version__

# Kernels differ by products of many nearly cancelling terms; single precision loses them. JAX reads its environment
# once, when it is imported.
os.environ["JAX_ENABLE_X64"] = "1"
if "jax" in sys.modules:
    import jax

    jax.config.update("jax_enable_x64", True)

if TYPE_CHECKING:  # read by editors and by `offers`: the one list of what is offered
    from ntkfield.activations import activation, from_function
    from ntkfield.diagrams import cumulant, recursion
    from ntkfield.dynamics.calculator import calculator
    from ntkfield.dynamics.gradient_flow import ensemble_covariance, gradient_flow, posterior
    from ntkfield.dynamics.lazy import lazy_correction
    from ntkfield.dynamics.mean_field import mean_field
    from ntkfield.dynamics.predict import predict
    from ntkfield.finite import critical_initialization, finite_width
    from ntkfield.groups.finite import FiniteGroup, generated
    from ntkfield.infinite.augmented import augmented_kernel
    from ntkfield.infinite.molecules import Environments, molecule_kernels
    from ntkfield.networks import MLP, FiniteGroupCNN, GroupCNN, Kernels, PlanarCNN, SphereCNN
    from ntkfield.sampling import sample_statistics
    from ntkfield.signals.harmonics import Harmonics
    from ntkfield.signals.molecules import atom_signals

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
    "calculator",
    "critical_initialization",
    "cumulant",
    "ensemble_covariance",
    "finite_width",
    "from_function",
    "generated",
    "gradient_flow",
    "lazy_correction",
    "mean_field",
    "molecule_kernels",
    "posterior",
    "predict",
    "recursion",
    "sample_statistics",
]

__getattr__, __dir__ = offers(__name__)
