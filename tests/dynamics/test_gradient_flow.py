import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import ntkfield as nf

INF = np.inf


def problem(n=7, m=3, outputs=2, seed=0):
    """Kernels of a random feature map (condition number about 10), and targets."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n + m, 3 * n)) / np.sqrt(3 * n)
    kernel = features @ features.T
    return kernel[:n, :n], kernel[n:, :n], kernel[n:, n:], rng.normal(size=(n, outputs))


def singular_problem():
    """Six points with only four features: two directions of the Gram matrix are exactly zero but for rounding."""
    features = np.random.default_rng(1).normal(size=(8, 4))
    kernel = features @ features.T
    return kernel[:6, :6], kernel[6:, :6], np.random.default_rng(2).normal(size=6)


def exact(k, across, y, t, rate=1.0, digits=60):
    """A_t y in `digits` digits, from the eigenvalues of the matrix of floats as it stands."""
    with mpmath.workdps(digits):
        values, vectors = mpmath.eigsy(mpmath.matrix(k.tolist()))
        projected = vectors.T * mpmath.matrix(y.tolist())
        for i, value in enumerate(values):
            x = value * rate * t
            projected[i] *= -mpmath.expm1(-x) / value if value else mpmath.mpf(rate * t)
        return np.array([float(v) for v in mpmath.matrix(across.tolist()) * (vectors * projected)])


class TestMean:
    def test_it_solves_the_differential_equation(self):
        k, across, _, y = problem()
        n, rate, times = len(k), 0.7, np.array([0.0, 0.3, 2.0, 11.0])

        def flow(_, f):
            f = f.reshape(-1, y.shape[1])
            return (-rate * np.concatenate([k, across]) @ (f[:n] - y)).ravel()

        start = np.zeros(((n + len(across)) * y.shape[1],))
        solution = solve_ivp(flow, (0, 11.0), start, method="DOP853", t_eval=times, rtol=1e-11, atol=1e-13).y
        expected = solution.T.reshape(len(times), -1, y.shape[1])[:, n:]
        found = nf.gradient_flow(k, across, y, times, rate=rate)
        # the integrator's own tolerance, some steps of it
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9)

    def test_discrete_gradient_descent_on_a_linear_model_approaches_it(self):
        rng = np.random.default_rng(3)
        x, x_test, y = rng.normal(size=(5, 8)), rng.normal(size=(2, 8)), rng.normal(size=5)
        expected = nf.gradient_flow(x @ x.T, x_test @ x.T, y, 0.4, rate=0.5)

        def trained(steps):
            w = np.zeros(8)
            for _ in range(steps):
                w -= 0.5 * 0.4 / steps * x.T @ (x @ w - y)
            return x_test @ w

        # Euler steps err by h, so one Richardson step leaves h²
        extrapolated = 2 * trained(4000) - trained(2000)
        assert np.abs(trained(2000) - expected).max() > 1e-5
        np.testing.assert_allclose(extrapolated, expected, atol=1e-6)

    def test_small_eigenvalues_keep_their_digits_at_finite_time(self):
        rng = np.random.default_rng(4)
        orthogonal, _ = np.linalg.qr(rng.normal(size=(6, 6)))
        k = orthogonal * np.array([1e-13, 1e-9, 1e-6, 1e-3, 1.0, 2.0]) @ orthogonal.T
        k = 0.5 * (k + k.T)
        across, y = rng.normal(size=(2, 6)), rng.normal(size=6)
        for t in (1e-9, 1e-3, 1.0, 1e3):
            # eigenvalues are wrong by a few 1e-16, which times t = 1e3 is 1e-12 relative to a result of size t
            np.testing.assert_allclose(
                nf.gradient_flow(k, across, y, t), exact(k, across, y, t), rtol=1e-11, atol=1e-11 * t
            )

    def test_a_singular_gram_matrix_is_fine_at_finite_time(self):
        k, across, y = singular_problem()
        # Eigenvectors of the null space are wrong by a rounding, and what is null moves for all of t.
        rounding = np.finfo(float).eps * np.linalg.norm(across) * np.linalg.norm(y)
        for t in (1e-6, 1.0, 1e4):
            found = nf.gradient_flow(k, across, y, t)
            np.testing.assert_allclose(found, exact(k, across, y, t), rtol=1e-11, atol=t * rounding)
        # where the limit exists it is the pseudo-inverse
        np.testing.assert_allclose(nf.gradient_flow(k, across, y, 1e4), across @ np.linalg.pinv(k) @ y, rtol=1e-9)

    def test_the_zero_matrix_moves_by_rate_times_time(self):
        found = nf.gradient_flow(np.zeros((2, 2)), np.ones((1, 2)), [1.0, 2.0], 5.0, rate=0.1)
        np.testing.assert_allclose(found, [1.5])

    def test_at_the_end_of_training_it_interpolates(self):
        k, across, _, y = problem()
        np.testing.assert_allclose(nf.gradient_flow(k, k, y, INF), y, atol=1e-12)
        np.testing.assert_allclose(nf.gradient_flow(k, across, y, jnp.inf), across @ np.linalg.solve(k, y), rtol=1e-12)
        # the smallest eigenvalue is above 0.1: exp(-1000) is nothing
        np.testing.assert_allclose(
            nf.gradient_flow(k, across, y, 1e4), nf.gradient_flow(k, across, y, INF), rtol=1e-12, atol=1e-13
        )

    def test_times_make_a_leading_axis(self):
        k, across, _, y = problem()
        times = [0.0, INF, 0.5, INF, 1e-300]
        found = nf.gradient_flow(k, across, y, times)
        assert found.shape == (5, 3, 2)
        assert (found[0] == 0).all()
        for value, t in zip(found, times, strict=True):
            np.testing.assert_allclose(value, nf.gradient_flow(k, across, y, t), rtol=1e-13)
        assert nf.gradient_flow(k, across, y[:, 0], times).shape == (5, 3)
        assert nf.gradient_flow(k, across, y[:, 0], 1.0).shape == (3,)
        assert nf.gradient_flow(k, across, y, [1.0]).shape == (1, 3, 2)
        np.testing.assert_allclose(nf.gradient_flow(k, across, y[:, 0], times), found[..., 0], rtol=1e-13)

    def test_numpy_and_jax_arrays_alike(self):
        k, across, _, y = problem()
        found = nf.gradient_flow(jnp.asarray(k), jnp.asarray(across), jnp.asarray(y), jnp.asarray([1.0, INF]))
        assert isinstance(found, jnp.ndarray)
        assert found.dtype == jnp.float64
        np.testing.assert_array_equal(found, nf.gradient_flow(k, across, y, np.array([1.0, INF])))

    @pytest.mark.parametrize("t", [0.8, INF])
    def test_the_regulariser_is_relative_to_the_mean_diagonal_and_acts_everywhere(self, t):
        k, across, _, y = problem()
        shifted = k + 0.03 * np.mean(np.diag(k)) * np.eye(len(k))
        expected = exact(shifted, across, y[:, 0], t if t < INF else 1e9)
        np.testing.assert_allclose(nf.gradient_flow(k, across, y[:, 0], t, diag_reg=0.03), expected, rtol=1e-11)

    @given(st.floats(1e-6, 1e6), st.floats(1e-3, 1e3))
    @settings(max_examples=20, deadline=None)
    def test_only_the_product_of_rate_time_and_kernel_counts(self, t, factor):
        k, across, _, y = problem()
        expected = nf.gradient_flow(k, across, y, t)
        np.testing.assert_allclose(nf.gradient_flow(k, across, y, t / factor, rate=factor), expected, rtol=1e-9)
        scaled = nf.gradient_flow(k * factor, across * factor, y, t / factor)
        np.testing.assert_allclose(scaled, expected, rtol=1e-9, atol=1e-12)


class TestPosterior:
    def test_it_is_gaussian_conditioning(self):
        k, across, prior, y = problem()
        mean, covariance = nf.posterior(k, across, prior, y)
        precision = np.linalg.inv(np.block([[k, across.T], [across, prior]]))[len(k) :, len(k) :]
        np.testing.assert_allclose(covariance, np.linalg.inv(precision), rtol=1e-10)
        np.testing.assert_allclose(mean, across @ np.linalg.solve(k, y), rtol=1e-11)
        mean, variance = nf.posterior(k, across, np.diag(prior), y)
        np.testing.assert_allclose(variance, np.diag(covariance), rtol=1e-12)

    def test_the_regulariser_is_noise_on_the_targets(self):
        k, across, prior, y = problem()
        noisy = k + 0.2 * np.trace(k) / len(k) * np.eye(len(k))
        for found, expected in zip(
            nf.posterior(k, across, prior, y, diag_reg=0.2), nf.posterior(noisy, across, prior, y), strict=True
        ):
            np.testing.assert_allclose(found, expected, rtol=1e-12)

    def test_training_inputs_are_certain(self):
        k, _, _, y = problem()
        mean, variance = nf.posterior(k, k, np.diag(k), y)
        np.testing.assert_allclose(mean, y, atol=1e-12)
        np.testing.assert_allclose(variance, 0, atol=1e-14)
        assert (variance >= 0).all()


class TestEnsembleCovariance:
    def kernels(self):
        """NNGP and NTK of one network on seven training and three test inputs."""
        x = np.random.default_rng(5).normal(size=(10, 5))
        nngp, ntk = nf.MLP(3, "erf", weight_variance=2.0, bias_variance=0.1).kernel(x)
        n = 7
        return nngp[:n, :n], nngp[n:, :n], nngp[n:, n:], ntk[:n, :n], ntk[n:, :n]

    def test_before_training_it_is_the_prior(self):
        kernels = self.kernels()
        np.testing.assert_array_equal(nf.ensemble_covariance(*kernels, 0.0), kernels[2])

    def test_training_only_the_readout_ends_in_the_posterior(self):
        k, across, prior, *_ = self.kernels()
        _, expected = nf.posterior(k, across, prior, np.zeros(len(k)))
        found = nf.ensemble_covariance(k, across, prior, k, across, INF)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)

    def test_training_inputs_lose_their_spread(self):
        nngp, _, _, ntk, _ = self.kernels()
        found = nf.ensemble_covariance(nngp, nngp, nngp, ntk, ntk, [0.1, INF])
        assert np.linalg.norm(found[0]) > 0.1
        np.testing.assert_allclose(found[1], 0, atol=1e-12)

    def test_diagonal_and_times(self):
        *kernels, theta, theta_across = self.kernels()
        times = [0.0, 0.3, INF]
        full = nf.ensemble_covariance(*kernels, theta, theta_across, times, rate=2.0, diag_reg=1e-3)
        assert full.shape == (3, 3, 3)
        np.testing.assert_allclose(full, np.swapaxes(full, 1, 2), rtol=1e-13)
        single = nf.ensemble_covariance(*kernels, theta, theta_across, 0.3, rate=2.0, diag_reg=1e-3)
        np.testing.assert_allclose(single, full[1], rtol=1e-13)
        kernels[2] = np.diag(kernels[2])
        variances = nf.ensemble_covariance(*kernels, theta, theta_across, times, rate=2.0, diag_reg=1e-3)
        np.testing.assert_allclose(variances, np.diagonal(full, axis1=1, axis2=2), rtol=1e-12)

    def test_sampled_linear_models_spread_by_it(self):
        """Models f(x) = φ(x)·w with w_i ~ N(0, s_i²) at the start and all w trained: NNGP φ s² φ, NTK φ φ."""
        rng = np.random.default_rng(6)
        phi, scale = rng.normal(size=(7, 9)), rng.uniform(0.3, 1.2, size=9)
        y, rate, t, n = rng.normal(size=4), 0.3, 0.9, 4
        nngp, ntk = (phi * scale**2) @ phi.T, phi @ phi.T
        draws = 40_000
        start = rng.normal(size=(draws, 9)) * scale
        # Each model's own differential equation in parameter space, solved there: w(t) = w* + exp(-rate t H)(w0 - w*).
        hessian = phi[:n].T @ phi[:n]
        values, vectors = np.linalg.eigh(hessian)
        best = np.linalg.pinv(phi[:n]) @ y
        decay = (vectors * np.exp(-rate * t * values)) @ vectors.T
        f = ((start - best) @ decay + best) @ phi[n:].T
        expected = nf.ensemble_covariance(
            nngp[:n, :n], nngp[n:, :n], nngp[n:, n:], ntk[:n, :n], ntk[n:, :n], t, rate=rate
        )
        mean = nf.gradient_flow(ntk[:n, :n], ntk[n:, :n], y, t, rate=rate)
        centred = f - mean
        products = centred[:, :, None] * centred[:, None, :]
        # 6 + 3 numbers, each within four standard errors: fails by chance for one seed in two thousand
        assert (np.abs(products.mean(0) - expected) < 4 * products.std(0) / draws**0.5).all()
        assert (np.abs(centred.mean(0)) < 4 * f.std(0) / draws**0.5).all()
        # and the prior or the end of training would be far away
        assert (np.abs(products.mean(0) - nngp[n:, n:]) > 20 * products.std(0) / draws**0.5).any()


class TestRefusals:
    def test_a_singular_matrix_has_no_end_of_training(self):
        k, across, y = singular_problem()
        for call in (
            lambda: nf.gradient_flow(k, across, y, INF),
            lambda: nf.gradient_flow(k, across, y, [0.0, INF]),
            lambda: nf.posterior(k, across, np.eye(2), y),
            lambda: nf.gradient_flow(k, across, y, INF, diag_reg=1e-17),
            lambda: nf.gradient_flow(np.ones((2, 2)), np.ones((1, 2)), [1.0, 1.0], INF),
            lambda: nf.gradient_flow(np.zeros((2, 2)), np.ones((1, 2)), [1.0, 1.0], INF),
        ):
            with pytest.raises(ValueError, match=r"condition number of .* = \S+ is refused: expected .*set diag_reg"):
                call()
        regularised = nf.gradient_flow(k, across, y, INF, diag_reg=1e-8)
        np.testing.assert_allclose(regularised, across @ np.linalg.pinv(k) @ y, rtol=1e-6)

    @pytest.mark.parametrize("power", [8, 12, 14, 17])
    def test_the_criterion_is_the_condition_number(self, power):
        orthogonal, _ = np.linalg.qr(np.random.default_rng(7).normal(size=(5, 5)))
        k = orthogonal * np.array([10.0**-power, 0.3, 0.5, 0.7, 1.0]) @ orthogonal.T
        k = 0.5 * (k + k.T)
        if power > 15:
            with pytest.raises(ValueError, match="condition number"):
                nf.gradient_flow(k, k, np.ones(5), INF)
        else:
            # a prediction at the training inputs has no more than rounding times the condition number to lose
            np.testing.assert_allclose(nf.gradient_flow(k, k, np.ones(5), INF), np.ones(5), atol=1e-15 * 10**power)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"k_train_train": np.ones((7, 6))}, r"k_train_train of shape = \(7, 6\) .*square"),
            ({"k_train_train": np.ones(7)}, r"k_train_train of shape = \(7,\) .*rank 2"),
            ({"k_train_train": np.triu(np.ones((7, 7)))}, r"asymmetry of k_train_train = 1.0 .*at most"),
            ({"k_train_train": -np.eye(7)}, r"smallest eigenvalue .* = -1.0 .*semi-definite"),
            ({"k_train_train": np.full((7, 7), np.nan)}, r"k_train_train\[0, 0\] = nan .*finite"),
            ({"k_test_train": np.ones((3, 6))}, r"k_test_train of shape = \(3, 6\) .*\[m, 7\]"),
            ({"k_test_train": np.ones(7)}, r"k_test_train of shape = \(7,\) .*rank 2"),
            ({"y": np.ones(6)}, r"y of shape = \(6,\) .*\[7\]"),
            ({"y": np.ones((7, 1, 1))}, r"y of shape = \(7, 1, 1\) .*rank 2"),
            ({"y": np.full(7, np.inf)}, r"y\[0\] = inf .*finite"),
            ({"y": ["a"] * 7}, r"y = \['a'.*real array"),
            ({"t": -1.0}, r"t = -1.0 .*zero or above"),
            ({"t": [1.0, -0.5]}, r"t = -0.5 .*zero or above"),
            ({"t": np.nan}, r"t = nan .*zero or above"),
            ({"t": [[1.0]]}, r"t of shape = \(1, 1\) .*1-d"),
            ({"t": []}, r"t of shape = \(0,\) .*1-d"),
            ({"t": "late"}, r"t = 'late' .*1-d"),
            ({"rate": 0.0}, r"rate = 0.0 .*above 0"),
            ({"rate": -1}, r"rate = -1 .*above 0"),
            ({"diag_reg": -1e-9}, r"diag_reg = -1e-09 .*0 or above"),
        ],
    )
    def test_gradient_flow(self, change, message):
        k, across, _, y = problem()
        with pytest.raises(ValueError, match=message):
            nf.gradient_flow(**{"k_train_train": k, "k_test_train": across, "y": y, "t": 1.0} | change)

    def test_posterior_and_covariance(self):
        k, across, prior, y = problem()
        with pytest.raises(ValueError, match=r"k_test_test of shape = \(4, 4\) .*3 test inputs"):
            nf.posterior(k, across, np.eye(4), y)
        with pytest.raises(ValueError, match=r"k_test_test of shape = \(2,\) .*3 test inputs"):
            nf.posterior(k, across, np.ones(2), y)
        with pytest.raises(ValueError, match=r"nngp_train_train of shape = \(6, 6\) .*\(7, 7\)"):
            nf.ensemble_covariance(k[:6, :6], across, prior, k, across, 1.0)
        with pytest.raises(ValueError, match=r"nngp_test_train of shape = \(2, 7\) .*\(3, 7\)"):
            nf.ensemble_covariance(k, across[:2], prior, k, across, 1.0)
        with pytest.raises(ValueError, match=r"ntk_test_train of shape = \(3, 6\) .*\[m, 7\]"):
            nf.ensemble_covariance(k, across, prior, k, across[:, :6], 1.0)
        with pytest.raises(ValueError, match=r"t = -1.0"):
            nf.ensemble_covariance(k, across, prior, k, across, -1.0)
