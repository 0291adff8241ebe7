"""Names of the grids on the sphere, for who only needs the names."""

SAMPLINGS = ("gl", "dh", "mw")
