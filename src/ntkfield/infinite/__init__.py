"""Kernels at infinite width. Importing it registers the route of each network."""

from ntkfield.infinite import mlp

__all__ = ["mlp"]
