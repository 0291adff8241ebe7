"""The vectorising arctangent against NumPy's."""

import jax
import numpy as np
import pytest

from ntkfield.gaussian.angle import arctan2


def test_agrees_with_numpy_to_rounding() -> None:
    rng = np.random.default_rng(0)
    y, x = rng.normal(size=(2, 100_000)) * 10.0 ** rng.integers(-12, 12, size=(2, 100_000))
    # angles up to pi carry rounding of 4.4e-16; small ones keep their relative precision
    np.testing.assert_allclose(arctan2(y, x), np.arctan2(y, x), rtol=4e-16, atol=4.5e-16)
    small = np.abs(np.arctan2(y, x)) < 1e-3
    np.testing.assert_allclose(arctan2(y, x)[small], np.arctan2(y, x)[small], rtol=1e-15)


@pytest.mark.parametrize(("y", "x"), [(0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0), (0.0, 0.0), (1.0, 1.0)])
def test_axes_and_origin(y: float, x: float) -> None:
    np.testing.assert_allclose(arctan2(y, x), np.arctan2(y, x), atol=1e-15)


def test_derivatives() -> None:
    y, x = 0.7, -1.3
    np.testing.assert_allclose(jax.grad(arctan2, (0, 1))(y, x), (x / (x**2 + y**2), -y / (x**2 + y**2)), rtol=1e-14)
    np.testing.assert_array_equal(jax.grad(arctan2, (0, 1))(0.0, 0.0), (0.0, 0.0))
    second = jax.grad(jax.grad(arctan2, 0), 0)(y, x)
    np.testing.assert_allclose(second, -2 * x * y / (x**2 + y**2) ** 2, rtol=1e-13)
