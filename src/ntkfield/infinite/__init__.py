"""Kernels at infinite width. Importing it registers the route of each network."""

from ntkfield.infinite import augmented, errors, finite_group, group_cnn, mlp, planar, so3

__all__ = ["augmented", "errors", "finite_group", "group_cnn", "mlp", "planar", "so3"]
