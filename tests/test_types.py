"""What a type checker sees of the library: `make lint` checks this file as it checks src/."""

from typing import assert_type

import jax.numpy as jnp
import pytest

import ntkfield as nf
from ntkfield.activations import Activation
from ntkfield.groups.finite import cyclic
from ntkfield.networks import infinite_kernel


def test_an_activation_goes_in_in_any_form_and_comes_out_as_one():
    networks = (
        nf.MLP(3, "tanh"),
        nf.MLP(3, {"name": "leaky_relu", "slope": 0.1}),
        nf.MLP(3, jnp.tanh),
        nf.MLP(3, nf.activation("erf")),
    )
    for network in networks:
        assert_type(network.activation, Activation)
        assert isinstance(network.activation, Activation)


def test_what_is_no_activation_is_refused_before_and_after_the_program_starts():
    with pytest.raises(ValueError, match="activation = 4 is refused"):
        nf.MLP(3, 4)  # pyright: ignore[reportArgumentType]


def test_a_group_convolutional_network_is_made_of_names_and_is_of_its_own_class():
    sphere = nf.SphereCNN("so3", depth=2, activation="gelu", bandlimit=6)
    planar = nf.PlanarCNN("d4", depth=2, activation={"name": "leaky_relu", "slope": 0.1}, filter_shape=3)
    finite = nf.FiniteGroupCNN(cyclic(4), 2, jnp.tanh)
    assert_type(sphere, nf.SphereCNN)
    assert_type(sphere.refined(), nf.SphereCNN)
    assert_type(planar, nf.PlanarCNN)
    assert_type(finite, nf.FiniteGroupCNN)
    made = nf.GroupCNN("so3", depth=2, activation="gelu", bandlimit=6)
    assert_type(made, nf.GroupCNN)
    assert made == sphere
    for network in (sphere, planar, finite, made):
        assert_type(network.activation, Activation)
        assert isinstance(network.activation, Activation)


def test_kernels_are_arrays_and_what_their_route_takes_is_known():
    kernels = nf.MLP(2, "relu").kernel(jnp.eye(2))
    assert_type(kernels, nf.Kernels)
    assert kernels.ntk.shape == (2, 2)
    with pytest.raises(ValueError, match=r"network = .int. is refused"):
        infinite_kernel(4, jnp.eye(2))  # pyright: ignore[reportArgumentType]
