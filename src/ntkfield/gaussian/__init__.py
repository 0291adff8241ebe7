"""Gaussian expectations of functions of one pair of correlated variables: quadrature and closed forms."""
