"""Kernels of networks on polar caps: against sums over rotations, the layers of the bridge, and sampled networks."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ase.build import molecule
from scipy.special import sph_harm_y
from spherical_signals import erf_pair, signals

import ntkfield as nf
from ntkfield.infinite import two_index
from ntkfield.infinite.molecules import Environments, molecule_kernels
from ntkfield.signals.harmonics import Harmonics
from ntkfield.signals.molecules import atom_signals

L = 2
COSTLY = pytest.param(0.8, marks=pytest.mark.exhaustive)
SCALES = {"weight_variance": 1.4, "bias_variance": 0.1, "weight_rate": 0.7, "bias_rate": 1.3}


def network(depth, activation="erf", support=0.8, **fields):
    # Equal shapes and settings where it does not matter, for they share compiled programs.
    fields = {"bandlimit": L, "quadrature": 3, **SCALES, **fields}
    return nf.GroupCNN("so3", depth, activation, support=support, **fields)


def assert_close(found, expected, **tolerance):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, **tolerance)


def values(f, theta, phi):
    """Signals [n, points, c] at directions."""
    waves = [sph_harm_y(l, m, theta, phi) for l in range(f.bandlimit) for m in range(1 - f.bandlimit, f.bandlimit)]
    waves = np.nan_to_num(np.reshape(waves, (f.bandlimit, 2 * f.bandlimit - 1, -1)))
    return np.einsum("lmx,nlmc->nxc", waves, f.coefficients).real


def polar(low, nodes, count, offset):
    """Polar angles, azimuths and weights of a rule on the directions whose cosine is at least `low`."""
    x, weights = np.polynomial.legendre.leggauss(nodes)
    theta, phi = np.arccos(low + (1 - low) * (x + 1) / 2), (np.arange(count) + offset) * 2 * np.pi / count
    return np.repeat(theta, count), np.tile(phi, nodes), np.repeat(weights / 2 / count, count)


def sum_over_rotations(f, g, depth, cap, nodes=5):
    """NNGP and NTK of erf networks, filters on the group over all of it: f turned back by one r and h after the other.

    f(rhn) at the points n of the cap is r⁻¹f at hn, and h = R(φ, θ, γ) with one γ of no multiple of the grids'.
    """
    taps = polar(np.cos(cap), 4, 5, 0.2)
    theta_h, phi_h, weights_h = polar(-1.0, nodes, 2 * nodes, 0.4)
    theta_r, alpha_r, weights_r = polar(-1.0, nodes, 2 * nodes, 0.31)
    gammas = (np.arange(2 * nodes) + 0.17) * np.pi / nodes

    def lifted(signal):
        """At every h the values on the cap [h, taps, c]."""
        turned = (signal.rotate(-0.37, -theta, -phi) for theta, phi in zip(theta_h, phi_h, strict=True))
        return np.concatenate([values(each, *taps[:2]) for each in turned])

    def mean(x):
        return np.einsum("hxc,x->h", x, taps[2]) / f.n_channels

    cw, cb, rate_w, rate_b = SCALES.values()

    def dense(product, ntk=0.0):
        return cb + cw * product, rate_b + rate_w * product + cw * ntk

    second = lifted(g)
    q22 = dense(mean(second**2))[0]
    own = [weights_h @ erf_pair(q, q, q)[0] for q in (dense(mean(lifted(f) ** 2))[0], q22)]
    total = np.zeros(2)
    for (theta, alpha, weight), gamma in itertools.product(zip(theta_r, alpha_r, weights_r, strict=True), gammas):
        first = lifted(f.rotate(-gamma, -theta, -alpha))
        k, ntk = dense(mean(first * second))
        value, slope = erf_pair(dense(mean(first**2))[0], k, q22)
        k, ntk = weights_h @ value, weights_h @ (ntk * slope)
        sides = own
        for _ in range(depth - 1):
            (k, ntk), sides = dense(k, ntk), [dense(q)[0] for q in sides]
            value, slope = erf_pair(sides[0], k, sides[1])
            k, ntk, sides = value, ntk * slope, [erf_pair(q, q, q)[0] for q in sides]
        total += weight / len(gammas) * np.array([k, ntk])
    return dense(*total)


@pytest.mark.parametrize(("depth", "cap"), [(1, 0.5), (2, 2.0), (3, 0.5)])
def test_the_kernel_is_the_sum_over_rotations(depth, cap):
    f, g = (Harmonics(0.5 * signals(1, L, 2, seed).coefficients) for seed in (1, 2))
    expected = sum_over_rotations(f, g, depth, cap)
    # five nodes in each polar angle for signals this weak: other rules differ by 1e-7; a cap of pi by 1e-2
    assert_close([k[0, 0] for k in network(depth, support=cap, quadrature=6).kernel(f, g)], expected, rtol=1e-6)


class TestAgainstTheBridge:
    """Whose layers hold kernels on pairs of rotations in six angles, and sample the networks."""

    @pytest.mark.parametrize(
        ("depth", "activation", "support", "group_support"),
        [(1, "relu", 0.5, None), (2, "erf", 2.0, 0.7), (2, "relu", 0.5, 2.0)],
    )
    def test_on_pairs_of_rotations_they_agree(self, neural_tangents, depth, activation, support, group_support):
        f, g = signals(1, L, 2, seed=3), signals(1, L, 2, seed=4)
        local = network(depth, activation, support, group_support=group_support, quadrature=3)
        kernel_fn = local.to_stax(1)[2]
        expected = jax.jit(lambda a, b: kernel_fn(a, b, ("nngp", "ntk")))(f.to_grid("gl"), g.to_grid("gl"))
        # the same quadrature and the same degrees: rounding of sums of a few thousand numbers
        assert_close(local.kernel(f, g), (expected.nngp, expected.ntk), rtol=1e-12)

    @pytest.mark.parametrize(("support", "group_support"), [(0.8, None), (None, 0.8)])
    def test_relative_kernels_are_their_limit(self, neural_tangents, support, group_support):
        """Filters over the whole group behind the cap, and caps behind a filter over the whole sphere."""
        f, g = signals(1, L, 1, seed=5), signals(1, L, 1, seed=6)
        local = network(2, "erf", support, group_support=group_support, quadrature=4)
        kernel_fn = local.to_stax(1)[2]
        found = jax.jit(lambda a, b: kernel_fn(a, b, "ntk"))(f.to_grid("gl"), g.to_grid("gl"))
        # what a convolution of the bridge forgets of the activation is 4e-4 here, and 3e-2 at order 2
        np.testing.assert_allclose(found, dataclasses.replace(local, quadrature=6).kernel(f, g).ntk, rtol=2e-3)

    @pytest.mark.exhaustive
    @pytest.mark.parametrize(("depth", "group_support"), [(1, None), (2, None), (2, 0.8)])
    def test_sampled_networks_have_the_kernel(self, neural_tangents, depth, group_support):
        f = Harmonics(3 * signals(2, L, 2, seed=7).coefficients)
        local = network(depth, group_support=group_support, quadrature=3, weight_variance=1.5, bias_variance=0.02)
        init_fn, apply_fn, _ = local.to_stax(32)
        x, count = f.to_grid("gl"), 4000

        @jax.jit
        def output(key):
            return apply_fn(init_fn(key, x.shape)[1], x)[:, 0]

        outputs = np.array([output(key) for key in jax.random.split(jax.random.key(0), count)])
        products = outputs[:, :, None] * outputs[:, None, :]
        mean, error = products.mean(axis=0), products.std(axis=0, ddof=1) / count**0.5
        # by chance one of nine numbers is off by 3.5 standard errors, 2 % each, in four of a thousand seeds
        assert (abs(mean - local.kernel(f).nngp) < 3.5 * error).all()
        everywhere = dataclasses.replace(local, support=None, group_support=None, quadrature=8).kernel(f).nngp
        assert (abs(mean - everywhere) > 5 * error).any()


class TestLimits:
    @pytest.mark.parametrize("depth", [pytest.param(1, marks=pytest.mark.exhaustive), 2])
    def test_a_cap_of_nearly_everything_is_a_filter_over_everything(self, depth):
        f, g = signals(2, L, 2, seed=8), signals(2, L, 2, seed=9)
        everything = nf.GroupCNN("so3", depth, "erf", bandlimit=L, quadrature=10, **SCALES).kernel(f, g)
        # the missing cap is (0.01 / 2)² of the sphere, and the quadrature is off by 1e-6 at order 5
        assert_close(network(depth, support=np.pi - 0.01, quadrature=5).kernel(f, g), everything, rtol=1e-4)
        assert abs(network(depth).kernel(f, g).ntk / everything.ntk - 1).max() > 1e-3

    def test_behind_a_filter_over_the_whole_sphere_caps_change_nothing(self):
        f = signals(3, L, 2, seed=10)
        whole = network(2, support=None)
        assert_close(dataclasses.replace(whole, group_support=0.3).kernel(f), whole.kernel(f), rtol=0)


class TestRules:
    @pytest.mark.parametrize("group_support", [None, COSTLY])
    def test_turning_a_signal_changes_less_than_the_reported_error(self, group_support):
        f, g = signals(2, L, 2, seed=11), signals(2, L, 2, seed=12)
        coarse = network(2, group_support=group_support)
        reference, estimate = coarse.kernel(f, g), coarse.kernel_error(f, g)
        turned, other = (each(f.rotate(0.4, 1.1, 2.9), g) for each in (coarse.kernel, coarse.kernel_error))
        for one, two, error, error2 in zip(reference, turned, estimate, other, strict=True):
            assert (abs(one - two) <= error + error2).all()
            assert error.max() < 0.05 * abs(one).max()
            assert abs(one - two).max() > 0

    @pytest.mark.parametrize(("depth", "group_support"), [(1, None), (2, 0.8)])
    def test_on_pairs_of_rotations_matrices_are_positive(self, depth, group_support):
        f = signals(1, L, 2, seed=13)
        copies = Harmonics(np.concatenate([f.rotate(*angles).coefficients for angles in np.eye(3)]))
        for gram in network(depth, "relu", quadrature=2, group_support=group_support).kernel(copies):
            # turned copies of one signal, whose matrix has rank one up to the quadrature's error
            assert np.linalg.eigvalsh(gram).min() > -1e-13 * np.trace(gram)

    def test_single_precision_is_off_by_its_rounding(self):
        f, g = signals(2, L, 2, seed=14), signals(2, L, 2, seed=15)
        for depth in (1, 2):
            double = network(depth)
            single = dataclasses.replace(double, precision="single").kernel(f, g)
            for found, expected in zip(single, double.kernel(f, g), strict=True):
                # some hundred roundings of 6e-8 behind each other, and not none
                assert 1e-10 < abs(found / expected - 1).max() < 3e-6

    @pytest.mark.parametrize("group_support", [None, COSTLY])
    def test_gradients_are_those_of_differences(self, group_support):
        f, g = signals(2, L, 2, seed=16), signals(2, L, 2, seed=17)
        local = network(2, group_support=group_support)

        def stretched(s):
            return local.kernel(Harmonics(f.coefficients * (1 + s)), g).ntk.sum()

        step = 1e-5
        difference = (stretched(step) - stretched(-step)) / (2 * step)
        # truncation of order step², rounding of 1e-16 / step
        np.testing.assert_allclose(jax.grad(stretched)(jnp.asarray(0.0)), difference, rtol=1e-7)

    def test_a_head_acts_on_the_mean(self):
        f, g = signals(2, L, 2, seed=18), signals(2, L, 2, seed=19)
        local = network(1)
        own = [np.diag(local.kernel(x).nngp) for x in (f, g)]
        value, slope = erf_pair(own[0][:, None], local.kernel(f, g).nngp, own[1])
        cw, cb, rate_w, rate_b = SCALES.values()
        expected = cb + cw * value, rate_b + rate_w * value + cw * slope * local.kernel(f, g).ntk
        assert_close(dataclasses.replace(local, head=1).kernel(f, g), expected, rtol=1e-12)


class TestMolecules:
    @staticmethod
    def environments(name, order):
        atoms = molecule(name)[order]
        return Environments(atom_signals(atoms, bandlimit=L), atoms.numbers, np.array([len(atoms)]))

    def test_the_order_of_atoms_does_not_matter(self):
        local = network(2, "erf", 0.6, quadrature=2)
        other = self.environments("NH3", [0, 1, 2, 3])
        first, second = (self.environments("H2O", order) for order in ([0, 1, 2], [2, 0, 1]))
        kernels = [molecule_kernels(local, each, other, ["element", "all"]) for each in (first, second)]
        for matching in ("element", "all"):
            assert_close(kernels[0][matching], kernels[1][matching], rtol=1e-12)

    def test_absent_atoms_carry_the_zero_signal(self):
        local, a, b = network(1, "cos", 0.6, quadrature=2), *map(self.environments, ("H2O", "HCN"), ([0, 1], [0, 1]))
        one, other, nothing = a.signals, b.signals, Harmonics(0 * a.signals.coefficients[:1])
        expected = sum(local.kernel(one[k : k + 1], other[k : k + 1]).ntk for k in range(2))
        expected = expected + 27 * local.kernel(nothing, nothing).ntk
        found = molecule_kernels(local, a, b, ["slot"])["slot"].ntk
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        shorter = Environments(b.signals[:1], b.numbers[:1], np.array([1]))
        missing = local.kernel(one[1:2], nothing).ntk - local.kernel(one[1:2], other[1:2]).ntk
        found = molecule_kernels(local, a, shorter, ["slot"])["slot"].ntk
        np.testing.assert_allclose(found, expected + missing, rtol=1e-12)


class TestRefusals:
    @pytest.mark.parametrize("field", ["support", "group_support"])
    @pytest.mark.parametrize("value", [0, 0.0, -0.3, np.pi, 4.0, np.nan, np.inf, "1.0", True, [0.5]])
    def test_caps_that_are_empty_or_everything(self, field, value):
        accepted = r"is refused: expected an angle in radians above 0 and below pi, or None for no limit$"
        with pytest.raises(ValueError, match=rf"^{field} = .* {accepted}"):
            nf.GroupCNN("so3", 1, "relu", bandlimit=3, **{field: value})

    @pytest.mark.parametrize("fields", [{"support": 0.5}, {"support": None, "group_support": 0.5}])
    def test_what_knows_no_caps_says_so(self, fields):
        name = "support" if fields["support"] else "group_support"
        with pytest.raises(ValueError, match=rf"^{name} = 0.5 is refused: expected None"):
            nf.finite_width(network(1, **fields), signals(1, L, 1), draws=64)

    def test_no_plain_network_has_the_kernel(self):
        with pytest.raises(ValueError, match=r"support = 0.8 is refused: expected None, the whole sphere"):
            _ = network(1).plain
        assert network(1).is_local
        assert not network(1, support=None, group_support=0.3).is_local

    def test_quadratures_that_fit_no_memory(self, monkeypatch):
        monkeypatch.setattr(two_index, "MOST", 5000)
        with pytest.raises(ValueError, match=r"quadrature = 4 is refused: expected at most 3 for a kernel on pairs"):
            network(2, group_support=0.5, quadrature=4).kernel(signals(1, L, 1))

    def test_signals_of_other_channels(self):
        with pytest.raises(ValueError, match="x2 of shape"):
            network(1).kernel(signals(1, L, 1), signals(1, L, 2))
