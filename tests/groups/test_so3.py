import numpy as np
import pytest
import scipy.linalg

from ntkfield.groups.so3 import rotation_grid
from ntkfield.signals.harmonics import Harmonics


def wigner(l, alpha, beta, gamma):
    """D^l_mn(α, β, γ) = e^{-imα} ⟨lm|exp(-iβ J_y)|ln⟩ e^{-inγ} by the matrix exponential, indices from -l."""
    m = np.arange(-l, l)
    raising = np.diag(np.sqrt(l * (l + 1.0) - m * (m + 1.0)), k=-1)
    orders = np.arange(-l, l + 1)
    small = scipy.linalg.expm(-1j * beta * (raising - raising.T) / 2j)
    return np.exp(-1j * alpha * orders)[:, None] * small * np.exp(-1j * gamma * orders)


@pytest.mark.parametrize(("bandlimit", "quadrature"), [(1, 1), (3, 3), (4, 6), (3, 2)])
def test_factors_are_those_of_the_wigner_matrices(bandlimit, quadrature):
    grid = rotation_grid(bandlimit, quadrature)
    count = 2 * quadrature - 1
    assert grid.beta.shape == (quadrature,)
    assert grid.angles.shape == (count,)
    assert grid.wigner.shape == (bandlimit, quadrature, bandlimit, 2 * bandlimit - 1)
    for b, g, a in [(0, 0, 0), (quadrature - 1, count // 2, count - 1), (quadrature // 2, count - 1, count // 3)]:
        for l in range(bandlimit):
            expected = wigner(l, grid.angles[a], grid.beta[b], grid.angles[g])
            own = slice(bandlimit - 1 - l, bandlimit + l)
            found = grid.wigner[l, b, :, own] * grid.phase_gamma[own, g]
            # the two halves of phase_alpha are (2 - δ_m0) times the real and minus the imaginary part of e^{-imα}
            factor = np.where(np.arange(bandlimit) > 0, 2, 1)
            phase = (grid.phase_alpha[:bandlimit, a] - 1j * grid.phase_alpha[bandlimit:, a]) / factor
            found = phase[: l + 1, None] * found[: l + 1]
            np.testing.assert_allclose(found, expected[l:], atol=1e-12)


@pytest.mark.parametrize("quadrature", [1, 2, 3, 5])
def test_it_integrates_all_degrees_below_its_limit_and_no_more(quadrature):
    """The Haar integral of D^l_mn is δ_l0."""
    grid = rotation_grid(1, quadrature)
    np.testing.assert_allclose(grid.weights.sum() * len(grid.angles) ** 2, 1, rtol=1e-14)
    for l in range(2 * quadrature):
        total = sum(
            weight * wigner(l, alpha, beta, gamma)
            for beta, weight in zip(grid.beta, grid.weights, strict=True)
            for alpha in grid.angles
            for gamma in grid.angles
        )
        if l < 2 * quadrature - 1:
            np.testing.assert_allclose(total, float(l == 0), atol=1e-13)
    assert np.abs(total).max() > 1e-3  # degree 2 Q - 1, whose orders ±(2 Q - 1) the angles alias


def test_its_rotations_are_those_that_harmonics_make():
    """Rotating Y_l0-like signals by the grid's angles gives the grid's Wigner matrices."""
    L, grid = 3, rotation_grid(3, 3)
    coefficients = np.zeros((1, L, 2 * L - 1, 1), complex)
    coefficients[0, 2, L - 1, 0] = 1.0  # Y_20
    rotated = Harmonics(coefficients).rotate(grid.angles[1], grid.beta[2], grid.angles[3]).coefficients
    expected = np.exp(-1j * np.arange(L) * grid.angles[1]) * grid.wigner[2, 2, :, L - 1]
    np.testing.assert_allclose(rotated[0, 2, L - 1 :, 0], expected, atol=1e-13)
