"""Neural tangent kernels beyond the textbook: equivariant networks, data augmentation, finite width."""

import jax

# Kernels differ by products of many nearly cancelling terms; single precision loses them.
jax.config.update("jax_enable_x64", True)

from ntkfield import infinite  # noqa: E402, F401
from ntkfield.activations import activation  # noqa: E402
from ntkfield.finite import critical_initialization, finite_width  # noqa: E402
from ntkfield.networks import MLP, GroupCNN, Kernels  # noqa: E402
from ntkfield.sampling import sample_statistics  # noqa: E402

__version__ = "0.1.0"
__all__ = [
    "MLP",
    "GroupCNN",
    "Kernels",
    "activation",
    "critical_initialization",
    "finite_width",
    "sample_statistics",
]
