"""Finite width as numbers: the complete first-order system of 1/n tensors."""

from ntkfield.finite.criticality import critical_initialization, susceptibilities
from ntkfield.finite.solve import finite_width

__all__ = ["critical_initialization", "finite_width", "susceptibilities"]
