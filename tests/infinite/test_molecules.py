"""Kernels between molecules against sums written out pair by pair."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from ase.build import molecule

import ntkfield as nf
from ntkfield.activations import from_function
from ntkfield.infinite.molecules import SLOTS, Environments, molecule_kernel_error, molecule_kernels
from ntkfield.signals.harmonics import Harmonics
from ntkfield.signals.molecules import atom_signals

NAMES = ("H2O", "NH3", "HCN", "CH3OH")
SO3 = nf.GroupCNN("so3", 1, "erf", bandlimit=3, quadrature=5)
MLP = nf.MLP(2, "relu")


def environments(names: tuple[str, ...], order: dict[str, list[int]] | None = None) -> Environments:
    atoms = [molecule(name)[(order or {}).get(name, slice(None))] for name in names]
    signals = np.concatenate([atom_signals(a, bandlimit=3).coefficients for a in atoms])
    return Environments(
        Harmonics(signals), np.concatenate([a.numbers for a in atoms]), np.array([len(a) for a in atoms])
    )


def atom_kernels(network: nf.MLP | nf.GroupCNN, a: Environments, b: Environments) -> nf.Kernels:
    if isinstance(network, nf.GroupCNN):
        return network.kernel(a.signals, b.signals)
    return network.kernel(*(e.signals.to_grid("gl").reshape(len(e.signals), -1) for e in (a, b)))


@pytest.mark.parametrize("network", [SO3, MLP], ids=["so3", "mlp"])
@pytest.mark.parametrize("matching", ["element", "all", "slot"])
def test_is_the_sum_over_matched_pairs(network: nf.MLP | nf.GroupCNN, matching: str) -> None:
    a, b = environments(NAMES[:2]), environments(NAMES[2:])
    found = molecule_kernels(network, a, b, [matching])[matching]
    pairs = atom_kernels(network, a, b)
    for p in range(2):
        for q in range(2):
            total = np.zeros(2)
            for i in np.flatnonzero(a.molecule == p):
                for j in np.flatnonzero(b.molecule == q):
                    same = {
                        "all": True,
                        "element": a.numbers[i] == b.numbers[j],
                        "slot": a.slot[i] == b.slot[j],
                    }[matching]
                    total += same * np.array([pairs.nngp[i, j], pairs.ntk[i, j]])
            # the same numbers summed in another order: rounding of a few dozen terms
            np.testing.assert_allclose([found.nngp[p, q], found.ntk[p, q]], total, rtol=1e-13)


@pytest.mark.parametrize("network", [SO3, MLP], ids=["so3", "mlp"])
def test_with_itself_it_is_the_same_as_with_a_copy(network: nf.MLP | nf.GroupCNN) -> None:
    a = environments(NAMES)
    once = molecule_kernels(network, a, None, ["element", "slot"])
    twice = molecule_kernels(network, a, environments(NAMES), ["element", "slot"])
    for matching in once:
        np.testing.assert_array_equal(once[matching].ntk, once[matching].ntk.T)
        # k(f, f') and k(f', f) differ by the error of a quadrature with 5 nodes, below 1e-4 for these bumps
        np.testing.assert_allclose(once[matching].ntk, twice[matching].ntk, rtol=1e-4 if network is SO3 else 1e-7)


@pytest.mark.parametrize("matching", ["element", "all"])
def test_the_order_of_atoms_does_not_matter(matching: str) -> None:
    a, b = environments(NAMES), environments(NAMES, {"CH3OH": [4, 0, 3, 5, 1, 2], "HCN": [2, 1, 0]})
    other = environments(NAMES[:1])
    for network in (SO3, MLP):
        first, second = (molecule_kernels(network, e, other, [matching])[matching] for e in (a, b))
        np.testing.assert_allclose(first.ntk, second.ntk, rtol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "cos"])
def test_absent_atoms_carry_the_zero_signal(activation: str) -> None:
    # with biases, or an activation that is not zero at zero, empty slots answer too
    a, b = environments(NAMES[:3]), environments(NAMES[1:])
    for network in (
        nf.MLP(3, activation, bias_variance=0.3),
        nf.GroupCNN("so3", 1, activation, bias_variance=0.3, bandlimit=3, quadrature=4),
    ):
        padded = [np.zeros((len(e.n_atoms), SLOTS, *e.signals.coefficients.shape[1:]), complex) for e in (a, b)]
        for e, slots in zip((a, b), padded, strict=True):
            slots[e.molecule, e.slot] = e.signals.coefficients
        expected = 0
        for slot in range(SLOTS):
            inputs = [Harmonics(slots[:, slot]) for slots in padded]
            if isinstance(network, nf.MLP):
                inputs = [f.to_grid("gl").reshape(len(f), -1) for f in inputs]
            expected = expected + np.asarray(network.kernel(*inputs).ntk)
        found = molecule_kernels(network, a, b, ["slot"])["slot"]
        np.testing.assert_allclose(found.ntk, expected, rtol=1e-12)


def test_flat_is_one_network_on_all_slots() -> None:
    a = environments(NAMES)
    samples = a.signals.to_grid("gl").reshape(len(a.signals), -1)
    flat = np.zeros((len(NAMES), SLOTS, samples.shape[1]))
    flat[a.molecule, a.slot] = samples
    expected = MLP.kernel(flat.reshape(len(NAMES), -1))
    found = molecule_kernels(MLP, a, None, ["flat"])["flat"]
    np.testing.assert_allclose(found.ntk, expected.ntk, rtol=1e-13)


@pytest.mark.parametrize("given", ["one", "both"])
def test_the_error_of_a_sum_is_estimated(given: str) -> None:
    a, b = environments(NAMES), None if given == "one" else environments(("CH3COOH", "C2H6"))
    network = dataclasses.replace(SO3, activation="gelu", bias_variance=0.2, quadrature=4)
    matchings = ["element", "all", "slot"]
    found, errors = (compute(network, a, b, matchings) for compute in (molecule_kernels, molecule_kernel_error))
    best = molecule_kernels(dataclasses.replace(network, quadrature=14), a, b, matchings)
    for matching in matchings:
        for value, exact, estimate in zip(found[matching], best[matching], errors[matching], strict=True):
            # 1e-14: rounding, where the two molecules share no element and the kernel hardly varies
            assert (abs(value - exact) <= estimate + 1e-14 * abs(value)).all()
            assert estimate.max() < 6 * abs(value - exact).max()


def test_mlps_are_off_by_their_activations_series_alone() -> None:
    a, matchings = environments(NAMES[:2]), ["element", "flat"]
    for estimate in molecule_kernel_error(MLP, a, None, matchings).values():
        assert (np.array(estimate) == 0).all()
    wide = dataclasses.replace(MLP, weight_variance=20.0)
    coarse, fine = (dataclasses.replace(wide, activation=from_function(jnp.tanh, order=k)) for k in (16, 256))
    found, best = (molecule_kernels(network, a, None, matchings) for network in (coarse, fine))
    for matching, estimate in molecule_kernel_error(coarse, a, None, matchings).items():
        for value, exact, error in zip(found[matching], best[matching], estimate, strict=True):
            assert abs(value - exact).max() > 1e-9
            assert (abs(value - exact) <= error).all()


def test_bad_matchings_are_refused() -> None:
    a = environments(NAMES[:1])
    with pytest.raises(ValueError, match=r"matching = 'atoms' is refused: expected one of element, all, slot, flat"):
        molecule_kernels(MLP, a, None, ["atoms"])
    with pytest.raises(ValueError, match=r"matching = 'flat' is refused: expected element, all or slot"):
        molecule_kernels(SO3, a, None, ["flat"])
