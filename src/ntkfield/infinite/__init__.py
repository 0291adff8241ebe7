"""Kernels at infinite width; the module named as a network's own holds its route."""

from ntkfield.infinite import errors

__all__ = ["errors"]
