"""What a type checker sees of the library: `make lint` checks this file as it checks src/."""

from typing import assert_type

import jax.numpy as jnp
import pytest

import ntkfield as nf
from ntkfield.activations import Activation


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
