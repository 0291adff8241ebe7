import subprocess
import sys

import jax
import numpy as np
import pytest
import s2fft
from s2fft.utils.rotation import generate_rotate_dls
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y

from ntkfield.signals.harmonics import Grid, Harmonics, grid, iterate_harmonics
from ntkfield.signals.wigner import small_wigner


def random_harmonics(bandlimit, n=3, n_channels=2, seed=0):
    rng = np.random.default_rng(seed)
    coefficients = np.zeros((n, bandlimit, 2 * bandlimit - 1, n_channels), dtype=complex)
    for l in range(bandlimit):
        for m in range(l + 1):
            real, imag = rng.normal(size=(2, n, n_channels))
            value = real + 1j * imag * (m > 0)
            coefficients[:, l, bandlimit - 1 + m] = value
            coefficients[:, l, bandlimit - 1 - m] = (-1) ** m * value.conj()
    return Harmonics(coefficients)


def evaluate(signals, points):
    """f [n, points, c] at unit vectors [points, 3], by summing scipy's harmonics one by one."""
    theta, phi = np.arccos(np.clip(points[:, 2], -1, 1)), np.arctan2(points[:, 1], points[:, 0])
    L = signals.bandlimit
    total = np.zeros((len(signals), len(points), signals.n_channels), dtype=complex)
    for l in range(L):
        for m in range(-l, l + 1):
            harmonic = sph_harm_y(l, m, theta, phi)
            total += harmonic[None, :, None] * signals.coefficients[:, l, L - 1 + m][:, None, :]
    np.testing.assert_allclose(total.imag, 0, atol=1e-12 * L**2)
    return total.real


def directions(points: Grid):
    theta, phi = np.meshgrid(points.theta, points.phi, indexing="ij")
    stacked = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)
    return stacked.reshape(-1, 3)


@pytest.mark.parametrize("sampling", ["gl", "dh", "mw"])
@pytest.mark.parametrize("bandlimit", [1, 2, 6, 9])
class TestGrids:
    def test_to_grid_evaluates_the_series(self, bandlimit, sampling):
        signals = random_harmonics(bandlimit)
        points = grid(bandlimit, sampling)
        samples = signals.to_grid(sampling)
        assert samples.shape == (3, *points.shape, 2)
        assert samples.dtype == np.float64
        expected = evaluate(signals, directions(points)).reshape(samples.shape)
        np.testing.assert_allclose(samples, expected, atol=1e-12)

    def test_from_grid_undoes_to_grid(self, bandlimit, sampling):
        signals = random_harmonics(bandlimit)
        recovered = Harmonics.from_grid(signals.to_grid(sampling), sampling)
        np.testing.assert_allclose(recovered.coefficients, signals.coefficients, atol=1e-12)


def s2fft_numpy(transform, values, bandlimit, sampling):
    with np.errstate(all="ignore"):  # its recursion takes logarithms of entries that it then masks
        return transform(values, bandlimit, sampling=sampling, method="numpy")


@pytest.mark.parametrize("sampling", ["gl", "dh", "mw"])
@pytest.mark.parametrize("bandlimit", [2, 6, 9])  # s2fft has no L = 1
def test_transforms_agree_with_s2fft(bandlimit, sampling):
    signals = random_harmonics(bandlimit)
    samples = s2fft_numpy(s2fft.inverse, signals.coefficients[1, :, :, 1], bandlimit, sampling).real
    np.testing.assert_allclose(signals.to_grid(sampling)[1, :, :, 1], samples, atol=1e-12)
    found = Harmonics.from_grid(samples[None, :, :, None], sampling).coefficients[0, :, :, 0]
    np.testing.assert_allclose(found, s2fft_numpy(s2fft.forward, samples, bandlimit, sampling), atol=1e-12)


@pytest.mark.parametrize("sampling", ["gl", "dh"])
def test_other_samples_are_projected_as_s2fft_projects_them(sampling):
    samples = np.random.default_rng(1).normal(size=(2, *grid(6, sampling).shape, 2))
    found = Harmonics.from_grid(samples, sampling).coefficients[0, :, :, 1]
    np.testing.assert_allclose(found, s2fft_numpy(s2fft.forward, samples[0, :, :, 1], 6, sampling), atol=1e-12)


def test_a_compiled_program_samples_without_an_fft():
    """XLA's FFT on a CPU can wait for ever on the threads that it occupies itself."""
    signals = random_harmonics(5)
    compiled = jax.jit(lambda h: h.to_grid("gl")).lower(signals).compile()
    assert " fft(" not in compiled.as_text()
    np.testing.assert_allclose(compiled(signals), signals.to_grid("gl"), atol=1e-14)


@pytest.mark.parametrize("angles", [(0.3, 1.1, -0.7), (2.0, 3.0, 4.0), (0.0, 0.5, 0.0), (1.0, 0.0, 0.0)])
def test_rotation_moves_the_signal(angles):
    signals = random_harmonics(6)
    points = np.random.default_rng(2).normal(size=(20, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    matrix = Rotation.from_euler("ZYZ", angles).as_matrix()
    backwards = points @ matrix  # rows R⁻¹x
    np.testing.assert_allclose(evaluate(signals.rotate(*angles), points), evaluate(signals, backwards), atol=1e-12)


def test_rotation_agrees_with_s2fft():
    signals = random_harmonics(5)
    expected = s2fft.rotate_flms(signals.coefficients[2, :, :, 1], 5, (0.4, 1.3, -2.0))
    np.testing.assert_allclose(signals.rotate(0.4, 1.3, -2.0).coefficients[2, :, :, 1], expected, atol=1e-12)


def test_small_wigner_matrices_agree_with_s2fft_and_compile_nothing():
    beta, compiled = np.array([0.0, 0.3, 1.9, np.pi]), []
    jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: compiled.append(event))
    found = small_wigner(7, beta)
    assert not compiled
    expected = np.stack([generate_rotate_dls(7, b) for b in beta], axis=1)
    assert compiled  # what the listener is for: s2fft compiles once a node
    # s2fft's recursion loses a digit or two by degree 6
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_importing_the_library_silences_no_warnings():
    code = "import warnings, ntkfield; warnings.warn('a warning to see', RuntimeWarning)"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "a warning to see" in ran.stderr


def test_rotations_compose_and_invert():
    signals = random_harmonics(12)
    back = signals.rotate(0.4, 1.3, -2.0).rotate(2.0, -1.3, -0.4)
    np.testing.assert_allclose(back.coefficients, signals.coefficients, atol=1e-12)


def test_sizes_are_read_from_the_coefficients():
    signals = random_harmonics(4, n=5, n_channels=3)
    assert (len(signals), signals.bandlimit, signals.n_channels) == (5, 4, 3)
    assert Harmonics(np.zeros((0, 4, 7, 3))).to_grid("gl").shape == (0, 4, 7, 3)


@pytest.mark.parametrize("shape", [(4, 7), (3, 4, 7), (3, 4, 8, 2), (3, 0, 1, 2), (1, 3, 4, 7, 2)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"coefficients has shape .*\[n, L, 2L-1, c\]"):
        Harmonics(np.zeros(shape))


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        ((0, 2, 3, 0), np.nan, "NaN or infinity"),
        ((0, 1, 0, 0), 1.0, r"order \|m\| > l"),
        ((0, 2, 3, 0), 1j, "conj"),
        ((0, 2, 4, 0), 1.0, "conj"),
        ((0, 2, 5, 1), 1j, "conj"),
    ],
)
def test_coefficients_of_no_real_signal_are_refused(position, value, message):
    coefficients = random_harmonics(4).coefficients.copy()
    coefficients[position] += value
    with pytest.raises(ValueError, match=message):
        Harmonics(coefficients)


def test_rounding_of_reality_is_forgiven():
    coefficients = random_harmonics(4).coefficients
    Harmonics(coefficients + 1e-12j * (coefficients != 0))


@pytest.mark.parametrize("bandlimit", [0, -1, 2.0, True, "6"])
def test_bad_bandlimits_are_refused(bandlimit):
    with pytest.raises(ValueError, match=r"bandlimit is .* integer of at least 1"):
        grid(bandlimit, "gl")


def test_unknown_samplings_are_refused():
    for call in (
        lambda: grid(4, "healpix"),
        lambda: random_harmonics(4).to_grid("healpix"),
        lambda: Harmonics.from_grid(np.zeros((1, 4, 7, 1)), "healpix"),
    ):
        with pytest.raises(ValueError, match=r"sampling is 'healpix', but one of 'gl', 'dh', 'mw'"):
            call()


@pytest.mark.parametrize("shape", [(4, 7), (1, 4, 8, 1), (1, 5, 7, 1), (1, 8, 7, 1)])
def test_samples_on_no_grid_are_refused(shape):
    with pytest.raises(ValueError, match=r"samples has shape .*\[n, L, 2L-1, c\]"):
        Harmonics.from_grid(np.zeros(shape), "gl")


@pytest.mark.parametrize("value", [1j, np.nan, np.inf])
def test_samples_that_are_not_real_and_finite_are_refused(value):
    with pytest.raises(ValueError, match="give real finite ones"):
        Harmonics.from_grid(np.full((1, 4, 7, 1), value), "gl")


def test_iterated_harmonics_are_scipys():
    points = np.concatenate([np.random.default_rng(3).normal(size=(50, 3)), np.eye(3), -np.eye(3)])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    theta, phi = np.arccos(points[:, 2]), np.arctan2(points[:, 1], points[:, 0])
    visited = []
    for l, m, values in iterate_harmonics(points, 20):
        np.testing.assert_allclose(values, sph_harm_y(l, m, theta, phi), atol=1e-12)
        visited.append((l, m))
    assert sorted(visited) == [(l, m) for l in range(20) for m in range(l + 1)]
