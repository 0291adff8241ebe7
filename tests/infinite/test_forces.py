"""Gradients of kernels of signals: by positions of atoms, against differences, and under jit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ase.build import molecule

import ntkfield as nf
from ntkfield.signals.molecules import dataset_signals

ATOMS = molecule("H2O")
SIGNALS = {"bandlimit": 3, "powers": (2,), "elements": (1, 8)}
DIRECTION = np.random.default_rng(1).normal(size=(3, 3))
STEP = 1e-4
NETWORKS = {
    "so3": nf.GroupCNN("so3", 1, "erf", 1.3, 0.1, bandlimit=3, quadrature=4),
    "mlp": nf.MLP(2, "gelu", 1.3, 0.1),
}


def environments(positions):
    return nf.Environments(dataset_signals(ATOMS.numbers, positions, [3], **SIGNALS), ATOMS.numbers, np.array([3]))


@pytest.mark.parametrize(
    ("name", "matching", "with_itself"),
    [
        ("so3", "element", False),
        ("so3", "all", False),  # nine pairs of atoms, which are computed in a chunk of ten
        ("so3", "slot", True),
        ("mlp", "slot", False),
        ("mlp", "flat", True),
    ],
)
def test_forces_are_those_of_differences(name, matching, with_itself):
    other = None if with_itself else environments(ATOMS.positions @ np.diag([1.0, 1.1, 0.9]))

    def energy(positions):
        kernels = nf.molecule_kernels(NETWORKS[name], environments(positions), other, [matching])
        return kernels[matching].ntk.sum() + 0.3 * kernels[matching].nngp.sum()

    compiled = jax.jit(jax.value_and_grad(energy))
    value, forces = compiled(jnp.asarray(ATOMS.positions))
    assert value == pytest.approx(energy(ATOMS.positions), rel=1e-12)  # sums in another order
    ahead, behind = (energy(ATOMS.positions + sign * STEP * DIRECTION) for sign in (1, -1))
    # central differences: relative error of order step squared, times a third derivative some hundred times the first
    assert np.sum(forces * DIRECTION) == pytest.approx((ahead - behind) / (2 * STEP), rel=1e-5)
    np.testing.assert_allclose(jnp.sum(forces, axis=0), 0.0, atol=1e-11 * np.abs(forces).max())  # shifts change nothing


def test_a_rotation_does_no_work():
    """The SO(3) kernel is invariant, so that forces have no torque: a check that knows nothing of differences."""
    network = nf.GroupCNN("so3", 1, "erf", 1.3, 0.1, bandlimit=3, quadrature=10)
    other = environments(ATOMS.positions @ np.diag([1.0, 1.1, 0.9]))
    energy = lambda positions: nf.molecule_kernels(network, environments(positions), other)["element"].ntk.sum()  # noqa: E731
    forces = jax.grad(energy)(jnp.asarray(ATOMS.positions))
    torque = np.cross(ATOMS.positions, forces).sum(axis=0)
    # what the quadrature of band-limit 10 leaves of the rotation
    np.testing.assert_allclose(torque, 0.0, atol=1e-6 * np.abs(forces).max())


def test_signals_are_a_pytree():
    signals = nf.atom_signals(ATOMS, **SIGNALS)
    leaves, tree = jax.tree.flatten(signals)
    assert [leaf.shape for leaf in leaves] == [signals.coefficients.shape]
    np.testing.assert_array_equal(jax.tree.unflatten(tree, leaves).coefficients, signals.coefficients)
    kernel = jax.jit(lambda f: NETWORKS["so3"].kernel(f).ntk)
    np.testing.assert_allclose(kernel(signals), NETWORKS["so3"].kernel(signals).ntk, rtol=1e-12)
    slope = jax.grad(lambda f: kernel(f)[0, 1])(signals)
    scaled = jax.tree.map(lambda c: (1 + STEP) * c, signals), jax.tree.map(lambda c: (1 - STEP) * c, signals)
    expected = np.subtract(*(float(kernel(f)[0, 1]) for f in scaled)) / (2 * STEP)
    assert np.sum(slope.coefficients * signals.coefficients).real == pytest.approx(expected, rel=1e-6)


def test_traced_signals_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"coefficients has shape \(2, 3, 4, 1\)"):
        jax.jit(nf.Harmonics)(np.zeros((2, 3, 4, 1), complex))
