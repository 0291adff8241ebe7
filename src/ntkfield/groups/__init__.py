"""Group actions, elements and quadratures."""
