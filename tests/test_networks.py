import dataclasses
import subprocess
import sys

import numpy as np
import pytest

import ntkfield as nf
from ntkfield.networks import Network, Scales, infinite_kernel

NETWORKS = {nf.MLP: {"depth": 2}, nf.GroupCNN: {"group": "so3", "depth": 2, "bandlimit": 3}}


@pytest.mark.parametrize("kind", NETWORKS)
class TestSharedFields:
    def test_defaults_are_settled(self, kind):
        network = kind(**NETWORKS[kind], activation="relu", weight_variance=2, bias_variance=0.5)
        assert network.scales == Scales(2.0, 0.5, 2.0, 0.5)
        assert network.activation == nf.activation("relu")
        network = kind(**NETWORKS[kind], activation="relu", weight_rate=1, bias_rate=0)
        assert network.scales == Scales(1.0, 0.0, 1.0, 0.0)

    def test_it_is_a_value(self, kind):
        one, other = (kind(**NETWORKS[kind], activation=a) for a in ("tanh", nf.activation("tanh")))
        assert one == other
        assert hash(one) == hash(other)
        with pytest.raises(dataclasses.FrozenInstanceError):
            one.depth = 3

    def test_refined_refines(self, kind):
        network = kind(**NETWORKS[kind], activation="tanh")
        assert network.refined().activation.order > network.activation.order
        assert network.refined().depth == network.depth

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"depth": 0}, "depth = 0 is refused: expected a whole number, 1 or above"),
            ({"depth": 1.5}, "depth = 1.5 is refused: expected a whole number"),
            ({"depth": "two"}, "depth = 'two' is refused: expected a whole number"),
            ({"depth": True}, "depth = True is refused: expected a whole number"),
            ({"activation": "reul"}, "activation = 'reul' is refused: expected one of relu"),
            ({"activation": None}, "activation = None is refused: expected one of relu"),
            ({"weight_variance": 0}, "weight_variance = 0 is refused: expected a finite number above 0"),
            ({"weight_variance": -1.0}, "weight_variance = -1.0 is refused: expected a finite number above 0"),
            ({"weight_variance": np.nan}, "weight_variance = nan is refused: expected a finite number above 0"),
            ({"bias_variance": -0.1}, "bias_variance = -0.1 is refused: expected a finite number, 0 or above"),
            ({"bias_variance": np.inf}, "bias_variance = inf is refused: expected a finite number, 0 or above"),
            ({"bias_variance": "big"}, "bias_variance = 'big' is refused: expected a finite number, 0 or above"),
            ({"weight_rate": -1}, "weight_rate = -1 is refused: expected a finite number, 0 or above"),
            ({"bias_rate": np.nan}, "bias_rate = nan is refused: expected a finite number, 0 or above"),
        ],
    )
    def test_refusals(self, kind, change, message):
        with pytest.raises(ValueError, match=message):
            kind(**NETWORKS[kind] | {"activation": "relu"} | change)


class TestGroupCNN:
    def network(self, **change):
        return nf.GroupCNN(**{"group": "so3", "depth": 1, "activation": "erf", "bandlimit": 4} | change)

    def test_a_group_may_be_written_in_capitals(self):
        assert self.network(group="SO3") == self.network()
        assert nf.GroupCNN("C4", 2, "relu") == nf.GroupCNN("c4", 2, "relu")

    def test_quadrature_follows_the_bandlimit(self):
        assert self.network().quadrature == 4
        assert self.network(quadrature=9).quadrature == 9

    def test_its_plain_network_has_the_readout_as_one_layer_more(self):
        network = self.network(depth=3, bias_variance=0.2, weight_rate=1.0)
        assert network.plain == nf.MLP(4, "erf", bias_variance=0.2, weight_rate=1.0)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"group": "so4"}, "group = 'so4' is refused: expected .*so3"),
            ({"group": None}, "group = None is refused: expected .*so3"),
            ({"bandlimit": None}, "bandlimit = None is refused: expected a whole number, 1 or above"),
            ({"bandlimit": 0}, "bandlimit = 0 is refused: expected a whole number, 1 or above"),
            ({"bandlimit": 2.0}, "bandlimit = 2.0 is refused: expected a whole number, 1 or above"),
            ({"quadrature": 0}, "quadrature = 0 is refused: expected a whole number, 1 or above"),
            ({"quadrature": -2}, "quadrature = -2 is refused: expected a whole number, 1 or above"),
            ({"quadrature": False}, "quadrature = False is refused: expected a whole number, 1 or above"),
            ({"sampling": "healpix"}, "sampling = 'healpix' is refused: expected one of gl, dh, mw"),
        ],
    )
    def test_refusals(self, change, message):
        with pytest.raises(ValueError, match=message):
            self.network(**change)


def test_something_that_is_no_network_has_no_kernel():
    with pytest.raises(ValueError, match="network = 'str' is refused: expected an ntkfield network"):
        infinite_kernel("relu", np.ones((2, 2)))
    with pytest.raises(ValueError, match="network = 'Network' is refused: expected an ntkfield network"):
        Network().kernel(np.ones((2, 2)))


def test_networks_do_not_know_what_computes_them():
    """Importing networks imports no floor above; a kernel imports the one module that is named as the network's."""
    program = """
import sys
from ntkfield.networks.mlp import MLP
loaded = lambda room: sorted(name for name in sys.modules if name.startswith(f"ntkfield.{room}."))
assert not loaded("bridge"), loaded("bridge")
MLP(2, "relu").kernel([[1.0, 2.0]])
assert "ntkfield.infinite.mlp" in loaded("infinite") and not loaded("bridge")
"""
    subprocess.run([sys.executable, "-c", program], check=True)


class Shifted(nf.MLP):
    """A network derived from one that is known."""


class OfOnesOwn(Network):
    """A network that registers its routes from where it is written."""


@infinite_kernel.register
def _kernel(network: OfOnesOwn, x1, x2=None):
    return "a kernel"


def test_a_network_of_ones_own_is_routed_by_its_type():
    assert OfOnesOwn().kernel(None) == "a kernel"
    x = np.ones((2, 3))
    np.testing.assert_array_equal(Shifted(2, "relu").kernel(x).ntk, nf.MLP(2, "relu").kernel(x).ntk)
