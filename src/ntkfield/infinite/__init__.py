"""Kernels at infinite width; the module named as a network's own holds its route."""
