"""Neural tangent kernels beyond the textbook: equivariant networks, data augmentation, finite width."""

import jax

# Kernels differ by products of many nearly cancelling terms; single precision loses them.
jax.config.update("jax_enable_x64", True)

__version__ = "0.1.0"
