"""Neural tangent kernels beyond the textbook: equivariant networks, data augmentation, finite width."""

import jax

# Kernels differ by products of many nearly cancelling terms; single precision loses them.
jax.config.update("jax_enable_x64", True)

from ntkfield.activations import activation  # noqa: E402
from ntkfield.dynamics.gradient_flow import ensemble_covariance, gradient_flow, posterior  # noqa: E402
from ntkfield.finite import critical_initialization, finite_width  # noqa: E402
from ntkfield.infinite.augmented import augmented_kernel  # noqa: E402
from ntkfield.networks import MLP, FiniteGroupCNN, GroupCNN, Kernels, PlanarCNN, SphereCNN  # noqa: E402
from ntkfield.sampling import sample_statistics  # noqa: E402
from ntkfield.signals.harmonics import Harmonics  # noqa: E402

__version__ = "0.1.0"
__all__ = [
    "MLP",
    "FiniteGroupCNN",
    "GroupCNN",
    "Harmonics",
    "Kernels",
    "PlanarCNN",
    "SphereCNN",
    "activation",
    "augmented_kernel",
    "critical_initialization",
    "cumulant",
    "ensemble_covariance",
    "finite_width",
    "gradient_flow",
    "posterior",
    "recursion",
    "sample_statistics",
]

_DIAGRAMS = ("cumulant", "recursion")


def __getattr__(name: str) -> object:
    """The diagrams' names, whose import of SymPy would otherwise delay everyone's by half a second."""
    if name in _DIAGRAMS:
        from ntkfield import diagrams

        return getattr(diagrams, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
