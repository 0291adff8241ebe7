"""Networks on the sphere at order 1/n: harmonic analysis on SO(3), the theorem, and sampled channels."""

import functools

import jax
import numpy as np
import pytest
import sampled_sphere_networks
import spherical_signals

import ntkfield as nf
from ntkfield.finite import draws as channels
from ntkfield.finite.places import AllPairs, Frame, Matrix, frame
from ntkfield.finite.so3 import Rotations
from ntkfield.finite.wiring import wiring
from ntkfield.groups.finite import symmetric
from ntkfield.groups.so3 import real_waves, rotation_grid
from ntkfield.signals.harmonics import Harmonics

SCALES = {"weight_variance": 1.5, "bias_variance": 0.3, "weight_rate": 1.3, "bias_rate": 0.7}
NAMES = ["K1", "Theta1", "V", "D", "F", "A", "B"]
# A mean over 16 scrambles lies 5 of its standard errors off in 2 of 10,000 entries (Student's t, 15 degrees).
OFF = 5.0
QUADRATURE = 5


def signals(n, bandlimit=2, channels=2, seed=0):
    return spherical_signals.signals(n, bandlimit, channels, seed, size=2.0 / bandlimit)


def sphere(depth, quadrature=QUADRATURE, activation="erf", **options):
    form = SCALES | {"bandlimit": 2, "quadrature": quadrature} | options
    return nf.GroupCNN("so3", depth, activation, **form)


def angles(quadrature):
    """Euler angles of the quadrature's rotations [rotations, 3]."""
    grid = rotation_grid(1, quadrature)
    beta, gamma, alpha = np.meshgrid(grid.beta, grid.angles, grid.angles, indexing="ij")
    return np.stack([alpha, beta, gamma], axis=-1).reshape(-1, 3)


class TestWaves:
    def test_they_are_orthonormal(self):
        waves, weights = real_waves(4, 4)
        assert weights.sum() == pytest.approx(1.0)
        assert weights[0] == 0.0
        np.testing.assert_allclose((waves.T * weights) @ waves, np.eye(84), atol=1e-13)

    def test_a_turned_signal_has_waves_of_its_own_degree_alone(self):
        """Of <f, R f'> with one channel each degree's coefficients are a product of two vectors."""
        f = signals(2, 3, 1)
        start = frame(sphere(1, 4, bandlimit=3), f)
        waves, weights = real_waves(4, 4)
        found = np.split((waves * weights[:, None]).T @ start.product[0, 1], [1, 10, 35])
        for l, block in enumerate(found):
            values = np.linalg.svd(block.reshape(2 * l + 1, -1), compute_uv=False)
            assert (values[0] > 1e-3) == (l < 3)
            assert values[1:].max(initial=0.0) < 1e-14
        # The identity's value is that of the waves there.
        np.testing.assert_allclose(waves @ np.concatenate(found), start.product[0, 1], atol=1e-14)


class TestRotations:
    def test_products_are_correlations(self):
        """Against z'(u) = <w, f'(u)> turned explicitly: the mean over u of s(R u) s'(u)."""
        rng, places = np.random.default_rng(1), Rotations(3)
        f, turns = signals(1, 3, 1), angles(3)
        weight = rng.normal(size=(2, 3, 5)) + 1j * rng.normal(size=(2, 3, 5))

        def value(w, *rotations):
            turned = f
            for rotation in reversed(rotations):
                turned = turned.rotate(*rotation)
            return np.sum(w * turned.coefficients[0, :, :, 0]).real

        own = np.array([[value(w)] + [value(w, turn) for turn in turns] for w in weight])[..., None]
        product = places.product(own, own)[0, 1, :, 0]
        for at in (0, 7, 31):
            rotation = (0.0, 0.0, 0.0) if at == 0 else turns[at - 1]
            # z at R u is <w, rho(R) rho(u) f>.
            moved = np.array([value(weight[0], rotation, u) for u in turns])
            expected = np.sum(real_waves(3, 3)[1][1:] * moved * own[1, 1:, 0])
            assert product[at] == pytest.approx(expected, rel=1e-12)

    def test_exchanging_legs_exchanges_factors(self):
        places = Rotations(3)
        left, right = (np.random.default_rng(k).normal(size=(2, 76, 3)) for k in range(2))
        exchanged = places.exchanged(places.product(left, right))
        np.testing.assert_allclose(exchanged, places.product(right, left), rtol=1e-12, atol=1e-13)

    def test_channels_have_their_covariance(self):
        f, places = signals(2), Rotations(QUADRATURE)
        network = sphere(1)
        kernel = network.scales.kernel(frame(network, f).product)
        root = places.root(kernel)
        assert root.left_out < 1e-12
        z = root.channel(np.random.default_rng(0).normal(size=(root.rank, 20000)))
        product = places.product(z, z)
        error = product.std(axis=-1) / 20000**0.5
        assert (abs(product.mean(axis=-1) - kernel) < OFF * error + 1e-12).all()


class Pairs(AllPairs):
    """Between all positions, with the one root that does not depend on a choice of eigenvectors."""

    def root(self, k):
        values, vectors = np.linalg.eigh(k)
        return Matrix((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


class Elements:
    """A finite group in the place of the rotations: arrays [m, m, elements] of g'g^-1, the identity first."""

    def __init__(self, group, pooled=False):
        self._group, self._pooled = group, pooled
        assert (group.permutations[0] == np.arange(group.points)).all()

    moments = Rotations.moments

    def root(self, k):
        m, table, back = len(k), self._group.products, self._group.inverses
        relative = table[np.arange(self._group.order)[None, :], back[:, None]]  # of g, g': g'g^-1
        full = k[:, :, relative].transpose(0, 2, 1, 3).reshape(m * len(back), -1)
        root = Pairs(None).root(full)
        channel = root.channel
        root.channel = lambda normals: channel(normals).reshape(m, len(back), -1)
        return root

    def product(self, left, right):
        table = self._group.products
        return np.stack(
            [np.mean(left[:, None] * right[None, :, table[q]], axis=2) for q in range(self._group.order)], axis=2
        )

    def mean(self, x, pairs):
        return x.mean(axis=2) if self._pooled else x

    def exchanged(self, x):
        return np.swapaxes(x, 0, 1)[:, :, self._group.inverses]


def test_functions_of_the_relative_element_give_the_numbers_of_all_pairs():
    """The engine over a group of its own relative elements, against that over pairs, on the same draws."""
    group, x = symmetric(3), np.random.default_rng(3).normal(size=(2, 3, 1))
    network = nf.GroupCNN(group, 3, "gelu", **SCALES)
    reads = x[:, group.permutations].reshape(2, 6, -1)
    product = np.einsum("fgx,uhx->fghu", reads, reads) / 3
    relative = product[:, 0].transpose(0, 2, 1)  # g the identity
    places = (Elements(group), Elements(group), Elements(group, pooled=True))
    ratios, names = np.array([1.0, 0.5, 2.0]), tuple(NAMES)
    own = channels.replicates(network, Frame(relative, places, 3), names, ratios, 2**9, 0)
    wires = wiring(network, x)
    pairs = Frame(wires.product, tuple(Pairs(mean) for mean in wires.means), wires.hidden)
    for one, other in zip(own, channels.replicates(network, pairs, names, ratios, 2**9, 0), strict=True):
        for name in ["K", "Theta", *NAMES]:
            # Zero eigenvalues are 1e-17 for one and another for the other, and their roots are 3e-9.
            np.testing.assert_allclose(one[-1][name], other[-1][name], rtol=1e-7, atol=1e-7)


def copies(f, quadrature):
    """Mean products of signals at all rotations of a quadrature, and the mean over them leg by leg."""
    turned = np.stack([f.rotate(*turn).coefficients for turn in angles(quadrature)], axis=1)
    rows = turned.reshape(turned.shape[0] * turned.shape[1], -1)
    grid = rotation_grid(1, quadrature)
    weights = np.repeat(grid.weights, len(grid.angles) ** 2)

    def mean(x, pairs):
        x = x.reshape((len(f), len(weights)) * 2 + x.shape[2:])
        return np.einsum("g,h,fgvh...->fv...", weights, weights, x, optimize=True)

    return (rows @ rows.conj().T).real / (4 * np.pi * f.n_channels), mean


def test_the_output_has_the_fluctuations_of_averaged_copies():
    """The theorem, at depth 2: the MLP's tensors with every leg averaged over a quadrature's rotations."""
    f, names = signals(1), ("K", "Theta", "V", "D", "F", "A", "B")
    found = nf.finite_width(sphere(2), f, names, draws=2**12).isel(layer=-1)
    product, mean = copies(f, 3)
    plain = Frame(product, (AllPairs(None), AllPairs(mean)), 2)
    own = channels.replicates(nf.MLP(3, "erf", **SCALES), plain, names, np.ones(2), 2**12, 1)
    averaged = [state[-1] for state in own]
    for name in names:
        samples = np.array([state[name].item() for state in averaged])
        off = abs(found[name].item() - samples.mean())
        if name in ("K", "Theta"):
            assert off < 1e-3 * samples.mean()  # of the coarser quadrature
            continue
        error = np.hypot(found[f"{name}_error"].item(), samples.std(ddof=1) / len(samples) ** 0.5)
        assert off < OFF * error + 1e-3 * abs(samples.mean())
        assert error < 0.11 * abs(samples.mean())  # an error of sign, or a term that is missing, shows


def test_the_mean_kernel_of_networks_whose_lifting_layer_is_narrow():
    """n channels drawn, their empirical covariance carried by the infinitely wide layers behind: n times what the mean
    is off is K1 at width ratio infinity, where nothing else of order 1/n is left. The term that is linear in the
    channels' fluctuation has mean zero and is taken off."""
    f, network, places, rng = signals(2, channels=1), sphere(2), Rotations(QUADRATURE), np.random.default_rng(5)
    layer = channels.chain(network, frame(network, f), np.ones(2))[0]
    root, scales, weights = layer[0].channel, network.scales, real_waves(QUADRATURE, QUADRATURE)[1]
    limit = layer[1].layer.state["K"]

    def pooled(kernel):
        values = np.asarray(places.moments(network.activation, kernel)(0, 0))
        return scales.weight_variance * values @ weights

    known, off = pooled(limit), {}
    for n in (16, 32):
        found = []
        for _ in range(512):
            s = np.asarray(network.activation(root.channel(rng.normal(size=(root.rank, n)))))
            fluctuation = scales.weight_variance * places.product(s, s).mean(axis=-1) + scales.bias_variance - limit
            slope = layer[1].mean(layer[1].layer.map_k(fluctuation))
            found.append(n * (pooled(limit + fluctuation) - known - slope))
        off[n] = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / len(found) ** 0.5
    extrapolated, error = 2 * off[32][0] - off[16][0], np.hypot(2 * off[32][1], off[16][1])
    theory = nf.finite_width(network, f, ["K1"], draws=2**11).isel(layer=-1)["K1"].values
    assert (abs(extrapolated - theory) < 3.5 * error).all()  # three distinct entries
    assert abs(theory[0, 0]) > 5 * error[0, 0]


@pytest.mark.exhaustive
def test_sampled_networks():
    """One signal, weight by weight; extrapolated from two widths, within 3.5 standard errors of five numbers."""
    f, names = signals(1, channels=1), ["K1", "Theta1", "V", "D", "A"]
    flm = f.coefficients[0, :, :, 0]
    degree_one = 2**0.5 * flm[1, 2].imag, flm[1, 1].real, 2**0.5 * flm[1, 2].real
    signal = np.array([[flm[0, 1].real, *degree_one]]) / (4 * np.pi) ** 0.5
    theory = nf.finite_width(sphere(2, 4, "gelu"), f, draws=2**13).isel(layer=-1)
    limit = [theory[name].item() for name in ("K", "Theta")]
    gelu, values = functools.partial(jax.nn.gelu, approximate=False), {}
    for n, networks in ((8, 25600), (16, 6400)):
        sample = sampled_sphere_networks.sample(gelu, 4, signal, n, networks, n, SCALES)
        batches = sample.reshape(32, -1, 2)
        first, spread = n * (batches.mean(axis=1) - limit), n * np.array([np.cov(part.T) for part in batches])
        found = np.column_stack([first, spread[:, 0, 0], spread[:, 0, 1], spread[:, 1, 1]])
        values[n] = found.mean(axis=0), found.std(axis=0, ddof=1) / len(found) ** 0.5
    extrapolated, error = 2 * values[16][0] - values[8][0], np.hypot(2 * values[16][1], values[8][1])
    expected = np.array([theory[name].item() for name in names])
    assert (abs(extrapolated - expected) < 3.5 * error).all()
    assert (abs(expected) > 5 * error)[2:].all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"draws": None}, "network = 'SphereCNN' is refused: .* on the sphere nf.finite_width takes draws"),
        ({"tensors": ["P"]}, "tensors = 'P' is refused"),
        ({"network": sphere(1, 1)}, "quadrature = 1 is refused: expected 2 or above"),
        ({"network": sphere(1, 40)}, "quadrature = 40 is refused: expected at most"),
        ({"inputs": np.ones((1, 4, 4, 1))}, "inputs of shape"),
    ],
)
def test_refusals(change, message):
    options = {"network": sphere(1), "inputs": signals(1), "draws": 64} | change
    with pytest.raises(ValueError, match=message):
        nf.finite_width(options.pop("network"), options.pop("inputs"), **options)


def test_what_the_degrees_leave_out_is_said(recwarn):
    with pytest.warns(RuntimeWarning, match="leave out .* of a layer's variance, above 0.01: a larger quadrature"):
        found = nf.finite_width(sphere(3, 2, "relu"), signals(1), ["V"], draws=64)
    assert found.attrs["left_out"] > 0.01
    assert nf.finite_width(sphere(3), signals(1), ["V"], draws=64).attrs["left_out"] < 0.01
    assert not recwarn.list


def test_a_blank_signal():
    f = signals(2)
    blank = Harmonics(f.coefficients * np.array([0.0, 1.0])[:, None, None, None])
    network = sphere(2, bias_variance=0.0, bias_rate=0.0)
    found, alone = (nf.finite_width(network, x, NAMES, draws=64).isel(layer=-1) for x in (blank, blank[:1]))
    for name in NAMES:
        assert np.isfinite(found[name]).all()
        assert not found[name].values.ravel()[0]
        assert not alone[name].values.any()


def test_a_head_and_unequal_widths():
    """Behind the readout stand an MLP's layers; fluctuations of earlier layers are n_2/n_1 times as large."""
    f = signals(2)
    narrow = nf.finite_width(sphere(2, head=1), f, ["V"], draws=256, width_ratios=[1.0, 1e9])
    wide = nf.finite_width(sphere(2), f, ["V", "K"], draws=256)
    assert narrow.sizes["layer"] == 2
    # A last layer of no fluctuation of its own carries V by derivatives of the activation's two-point function.
    k = wide["K"].isel(layer=-1).values
    pairs = nf.activation("erf").two_point_moments(k)
    e11, e20 = np.asarray(pairs[1, 1]), np.asarray(pairs[2, 0])
    own = SCALES["weight_variance"] * (np.diag(e11) + np.diag(e20))
    carried = wide["V"].isel(layer=-1).values[[0, 1], [0, 1], [0, 1], [0, 1]] * own**2
    found = narrow["V"].isel(layer=-1).values[[0, 1], [0, 1], [0, 1], [0, 1]] / 1e9
    np.testing.assert_allclose(found, carried, rtol=1e-6)
