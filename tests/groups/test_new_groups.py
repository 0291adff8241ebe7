"""What a new group costs: a planar one a line in the table, a new family a class and its routes."""

import dataclasses

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from kernels import assert_equal

import ntkfield as nf
from ntkfield.figures import accuracy, kernel_convergence
from ntkfield.groups.finite import PLANAR_GROUPS, PointGroup, cyclic
from ntkfield.infinite import augmented, finite_group
from ntkfield.networks import infinite_kernel

RNG = np.random.default_rng(21)
ROUNDING = {"rtol": 1e-11, "atol": 0}  # sums of float64 products of order one in another order
SETTINGS = {"weight_variance": 1.4, "bias_variance": 0.3}


@pytest.fixture
def c2(monkeypatch):
    monkeypatch.setitem(PLANAR_GROUPS, "c2", PointGroup("half turns", np.stack([np.eye(2, dtype=int)] * 2)))
    PLANAR_GROUPS["c2"].matrices[1] *= -1


def mean_over_half_turns(kernel, x1, x2):
    parts = [kernel(x1, x) for x in (x2, x2[:, ::-1, ::-1])]
    return nf.Kernels(*(np.mean(k, axis=0) for k in zip(*parts, strict=True)))


@pytest.mark.usefixtures("c2")
class TestHalfTurns:
    x1, x2 = RNG.normal(size=(1, 4, 6, 2)), RNG.normal(size=(2, 4, 6, 2))

    @pytest.mark.parametrize("padding", ["SAME", "VALID"])
    def test_the_kernel_is_the_mean_over_turned_images(self, padding):
        fields = {"filter_shape": (1, 3), "padding": padding, **SETTINGS}
        network, plain = (nf.GroupCNN(group, 2, "relu", **fields) for group in ("c2", "c1"))
        expected = mean_over_half_turns(plain.kernel, self.x1, self.x2)
        assert_equal(network.kernel(self.x1, self.x2), expected)
        assert_equal(nf.augmented_kernel(plain, "c2", self.x1, self.x2), expected)

    def test_an_mlp_is_augmented(self):
        mlp, flat = nf.MLP(3, "erf", **SETTINGS), lambda x: x.reshape(len(x), -1)
        expected = mean_over_half_turns(lambda a, b: mlp.kernel(flat(a), flat(b)), self.x1, self.x2)
        assert_equal(nf.augmented_kernel(mlp, "c2", self.x1, self.x2), expected)
        assert_equal(nf.GroupCNN("c2", 2, "erf", filter_shape="global", **SETTINGS).kernel(self.x1, self.x2), expected)

    def test_an_even_filter_has_no_centre_to_keep(self):
        with pytest.raises(ValueError, match="c2 does not keep the filter's centre"):
            nf.GroupCNN("c2", 1, "relu", filter_shape=(1, 2))
        assert nf.GroupCNN("c2", 1, "relu", filter_shape=(1, 2), padding="VALID").is_local

    @pytest.mark.parametrize("shape", [(1, 3), "global"])
    def test_the_bridge_has_the_same_kernel_and_an_invariant_network(self, neural_tangents, shape):
        import jax

        network = nf.GroupCNN("c2", 1, "erf", filter_shape=shape, **SETTINGS)
        init, apply, kernel = network.to_stax(3)
        x1, x2 = self.x1[:, :3, :4], self.x2[:, :3, :4]
        found = jax.jit(lambda a, b: kernel(a, b, ("nngp", "ntk")))(x1, x2)
        assert_equal(found, network.kernel(x1, x2))
        parameters = init(jax.random.key(0), x2.shape)[1]
        turned = apply(parameters, x2[:, ::-1, ::-1])
        np.testing.assert_allclose(turned, apply(parameters, x2), rtol=1e-11)

    def test_figures_name_and_colour_it(self):
        groups = ["c1", "c2", "c4", "d4"]
        coords = {"view": ["upright"], "train_size": [8, 16]}
        curve = xr.Dataset(
            {"accuracy": (("model", "view", "seed", "train_size"), RNG.uniform(size=(4, 1, 3, 2)))},
            coords=coords | {"group": ("model", groups), "kernel": ("model", ["ntk"] * 4)},
            attrs={"n_classes": 10, "source": "digits"},
        )
        figure = accuracy.plot(curve)
        assert "C2: invariant to half turns" in [text.get_text() for text in figure.legends[0].get_texts()]
        assert len({accuracy.colour(group) for group in groups}) == 4
        assert "C2 " in accuracy.finding(curve)
        plt.close(figure)
        dims, names = ("network", "kernel", "width"), ("fluctuation", "deviation")
        result = xr.Dataset(
            {name + end: (dims, np.ones((1, 1, 2))) for name in names for end in ("", "_error")},
            coords={"kernel": ["ntk"], "width": [4, 8], "group": ("network", ["c2"])},
        )
        figure = kernel_convergence.plot(result)
        assert "C2 network" in [text.get_text() for text in figure.legends[0].get_texts()]
        plt.close(figure)


@dataclasses.dataclass(frozen=True)
class RingCNN(nf.GroupCNN):
    """Signals [n, points, channels] on rings of any length, under all shifts: a family written outside the library."""

    accepted = "ring"
    group: str
    depth: int
    activation: nf.activation
    weight_variance: float = 1.0
    bias_variance: float = 0.0
    weight_rate: float | None = None
    bias_rate: float | None = None
    head: int = 0

    @classmethod
    def takes(cls, group):
        return isinstance(group, str) and group == "ring"


@infinite_kernel.register
def kernel(network: RingCNN, x1, x2=None):
    return finite_group.orbit_kernel(network, cyclic(x1.shape[1]), x1, x2)


@augmented.mlp_copies_kernel.register(RingCNN)
def mlp_copies_kernel(network, group, x1, x2, grid):
    return finite_group.flattened_average(network, lambda shape: cyclic(shape[1]), {"n, points, channels": 3}, x1, x2)


def test_a_family_of_ones_own_is_made_and_routed_by_its_group():
    network, x = nf.GroupCNN("ring", 2, "relu", **SETTINGS), RNG.normal(size=(3, 5, 2))
    assert isinstance(network, RingCNN)
    known = nf.GroupCNN(cyclic(5), 2, "relu", **SETTINGS)
    assert_equal(network.kernel(x), known.kernel(x))
    assert_equal(nf.augmented_kernel(nf.MLP(3, "relu", **SETTINGS), "ring", x), known.kernel(x))
    assert_equal(network.refined().kernel(x), known.kernel(x))
    with pytest.raises(ValueError, match="padding = 'SAME' is refused: expected no padding for group ring"):
        nf.GroupCNN("ring", 2, "relu", padding="SAME")
    with pytest.raises(ValueError, match=r"group = 'sphere' is refused: expected one of .*, ring"):
        nf.GroupCNN("sphere", 2, "relu")
