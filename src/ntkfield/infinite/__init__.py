"""Kernels at infinite width. Importing it registers the route of each network."""

from ntkfield.infinite import mlp, so3

__all__ = ["mlp", "so3"]
