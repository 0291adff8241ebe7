import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from spherical_signals import signals

from ntkfield.groups.so3 import rotation_grid
from ntkfield.infinite.correlations import Folded, Separated, route


@functools.partial(jax.jit, static_argnums=(0, 3))
def measure(of, f, g, function):
    """The mean of a function of the correlation over the quadrature's rotations, for all pairs [n1 n2]."""
    i, j = (index.ravel() for index in np.indices((len(f), len(g))))
    left, right = (of.rows(h.coefficients) for h in (f, g))
    values = of.at_nodes(tuple(rows[i] for rows in left), tuple(rows[j] for rows in right))
    return jnp.sum(function(values) * of.weights, axis=1)


@pytest.mark.parametrize("quadrature", [1, 4, 5])
def test_both_routes_visit_the_same_rotations(quadrature):
    """Functions that no quadrature of this size integrates see another set of nodes or weights at once."""
    f, g = signals(3), signals(2, seed=1)
    for function in (lambda c: abs(c - 0.1), lambda c: jnp.exp(5 * c), lambda c: (c > 0.05) * 1.0):
        folded, separated = (measure(of(f.bandlimit, quadrature), f, g, function) for of in (Folded, Separated))
        np.testing.assert_allclose(folded, separated, rtol=1e-12, atol=1e-13)


def test_they_are_correlations_with_signals_that_are_turned():
    """An explicit mean over the grid's Euler angles, each signal turned and multiplied."""
    f, g, grid, total = signals(2), signals(3, seed=1), rotation_grid(1, 3), 0.0
    for beta, weight in zip(grid.beta, grid.weights, strict=True):
        for alpha in grid.angles:
            for gamma in grid.angles:
                turned = g.rotate(alpha, beta, gamma).coefficients.reshape(len(g), -1)
                product = (f.coefficients.reshape(len(f), -1).conj() @ turned.T).real
                total = total + weight * np.exp(4 * product / (4 * np.pi * f.n_channels))
    np.testing.assert_allclose(
        measure(Folded(f.bandlimit, 3), f, g, lambda c: jnp.exp(4 * c)), total.ravel(), rtol=1e-12
    )


def test_both_have_the_same_derivative():
    f = signals(2)

    @functools.partial(jax.jit, static_argnums=0)
    @functools.partial(jax.grad, argnums=1)
    def slope(of, coefficients):
        rows = of.rows(coefficients)
        values = of.at_nodes(tuple(r[:1] for r in rows), tuple(r[1:] for r in rows))
        return jnp.sum(jnp.exp(values) * of.weights)

    slopes = [slope(of(f.bandlimit, 4), jnp.asarray(f.coefficients)) for of in (Folded, Separated)]
    # The real waves' coefficients are those of a real signal whatever imaginary part is added: compare along real ones.
    along = [np.real(np.sum(found * signals(2, seed=2).coefficients)) for found in slopes]
    np.testing.assert_allclose(along[0], along[1], rtol=1e-10)


def test_the_folded_route_is_taken_where_its_matrix_is_small():
    assert isinstance(route(5, 10), Folded)
    assert isinstance(route(16, 16), Separated)
