"""Finite width as numbers: the complete first-order system of 1/n tensors."""

from ntkfield.finite.solve import finite_width

__all__ = ["finite_width"]
