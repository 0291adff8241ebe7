"""The first-order system of networks over finite groups: known values, exact cases, and the averaged plain network."""

import numpy as np
import pytest
import sampled_group_networks
import sampled_networks

import ntkfield as nf
from ntkfield.groups.finite import FiniteGroup, cyclic, dihedral, generated, symmetric
from ntkfield.tensors import KERNELS, TENSORS

CUBIC = {"name": "polynomial", "coefficients": [0.2, 1.0, 0.3, -0.1]}  # its moments are exact
SCALES = (1.5, 0.3, 1.3, 0.7)
NAMES = tuple(name for name in TENSORS if name not in ("K", "Theta"))
FOUR = tuple(name for name in TENSORS if name not in KERNELS)
RNG = np.random.default_rng(5)

TWO_ON_FOUR = np.array([[0.9, -0.4, 0.3, 1.2], [-0.5, 0.8, 1.1, 0.2]])[:, :, None]
TWO_ON_THREE = np.array([[0.9, -0.4, 1.2], [-0.5, 0.8, 0.3]])[:, :, None]
ONE_ON_THREE = np.array([[[0.7, -0.3], [1.1, 0.4], [-0.6, 0.9]]])
ONE_ON_EIGHT = np.array([0.9, -0.4, 0.3, 1.2, -0.7, 0.5, 1.0, -1.1])[None, :, None]

# Evaluations of the averaged system by another program, with finer rules: network, inputs, legs and printed values.
PRINTED = {
    "global filters": (
        lambda: nf.GroupCNN(cyclic(4), 2, "erf", *SCALES),
        TWO_ON_FOUR,
        (0, 1, 0, 1),
        """K1 -0.00497872 Theta1 0.04308983 V 0.23076985 D 0.00033664 F 0.36920468 A 0.52606411 B 2.31729572
        P -0.59968833 Q -0.16282099 R -5.46971496 S 3.62153052 T 0.89802459 U 1.34823430""",
    ),
    "local filters on a group that does not commute": (
        lambda: nf.GroupCNN(symmetric(3), 2, "gelu", 2.0, 0.1, 1.0, 0.5, support=(0, 1), group_support=(0, 1, 3)),
        ONE_ON_THREE,
        (0, 0, 0, 0),
        """K1 0.06229986 Theta1 0.31482759 V 1.98316823 D 2.11943109 F 1.47671465 A 2.63859553 B 1.55937048 P 0.41925942
        Q 1.32639505 R -0.60563571 S 1.45488904 T 1.59203314 U 0.45148898""",
    ),
    "three convolutions": (
        lambda: nf.GroupCNN(
            generated("even shifts", [np.roll(np.arange(8), -2)]), 3, "tanh", 1.8, 0.0, 1.0, 0.0, group_support=(0, 1)
        ),
        ONE_ON_EIGHT,
        (0, 0, 0, 0),
        """K1 -0.0083137 Theta1 -0.0032357 V 0.0267850 D 0.0351682 F 0.0223091 A 0.0624390 B 0.0479348 P -0.0039738
        Q 0.0218896 R -0.0384909 S 0.0558074 T 0.0371275 U 0.0078512""",  # U was printed as 0.0078513, is 0.00785124852
    ),
    "local filters": (
        lambda: nf.GroupCNN(cyclic(3), 2, "erf", *SCALES, support=(0, 1), group_support=(0, 1)),
        TWO_ON_THREE,
        (0, 1, 0, 1),
        """K1 0.00272993 Theta1 0.04537162 V 0.21648414 D 0.00882306 F 0.42293957 A 0.49834146 B 2.35932726
        P -0.49313143 Q 0.02741898 R -5.14219386 S 3.61652803 T 1.55539911 U 1.54598839""",
    ),
}
PRINTED_HIDDEN = """V 0.17569003 D 0.05793171 F 0.23564739 A 0.15789542 B 0.69159243 P -0.10585184 Q 0.09028682
    R -0.76696280 S 0.69499863 T 0.22218392 U 0.23492829"""  # of the first network's second layer, at positions 0 and 1


def read(printed: str) -> dict[str, str]:
    words = printed.split()
    return dict(zip(words[::2], words[1::2], strict=True))


def compare(found: dict, printed: str, legs: tuple[int, ...]) -> None:
    for name, value in read(printed).items():
        entries = found[name].values
        unit, error = 10.0 ** -len(value.split(".")[1]), found[name].attrs["relative_error"]
        assert error <= 1e-6
        # Half a unit of the last digit, and the errors of the rules on both sides, of the printed ones 5e-9.
        off = 0.5 * unit + (error + 5e-9) * np.max(np.abs(entries))
        assert abs(entries[legs[: entries.ndim]] - float(value)) <= off, name


@pytest.mark.slow
@pytest.mark.parametrize("case", PRINTED)
def test_known_values(case: str) -> None:
    make, x, legs, printed = PRINTED[case]
    network = make()
    found = nf.finite_width(network, x, rtol=1e-6)
    output = found.isel(layer=-1)
    compare({name: output[name] for name in NAMES}, printed, legs)
    kernels = network.kernel(x)
    np.testing.assert_allclose(output.K, kernels.nngp, rtol=1e-13)
    np.testing.assert_allclose(output.Theta, kernels.ntk, rtol=1e-13)
    if case == "global filters":
        hidden = found.isel(hidden=-1)
        compare({name: hidden[f"{name}_hidden"] for name in FOUR}, PRINTED_HIDDEN, legs)


def outputs(network: nf.GroupCNN, x: np.ndarray, **options: object) -> dict[str, np.ndarray]:
    found = nf.finite_width(network, x, **options).isel(layer=-1)
    return {name: found[name].values for name in TENSORS if name in found}


def averaged(plain: nf.GroupCNN, group: FiniteGroup, x: np.ndarray, **options: object) -> dict[str, np.ndarray]:
    """Tensors of an MLP's output averaged over all copies of the input: the mean over the copies of every leg."""
    copies = group.orbit(x).reshape(len(x) * group.order, -1)
    found = nf.finite_width(nf.MLP(plain.depth + 1, plain.activation, *plain.scales), copies, **options).isel(layer=-1)
    result = {}
    for name in (name for name in TENSORS if name in found):
        value = found[name].values
        legs = value.reshape((len(x), group.order) * value.ndim)
        result[name] = legs.mean(axis=tuple(range(1, legs.ndim, 2)))
    return result


def assert_same(found: dict, expected: dict, names: tuple[str, ...], rtol: float = 1e-11) -> None:
    for name in names:
        np.testing.assert_allclose(found[name], expected[name], atol=rtol * abs(expected[name]).max(), err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("reached", [(0, 1, 2, 3), (0,)], ids=["group filters", "averaged plain network"])
def test_sampled_networks_agree(reached):
    """Seven tensors of the output, every component, extrapolated in 1/n; K1 has another sign in the two networks."""
    x, names = TWO_ON_FOUR[:, :, 0], ("K1", "Theta1", "V", "D", "A", "F", "B")
    network = nf.GroupCNN(cyclic(4), 2, "erf", *SCALES, group_support=reached)
    theory = nf.finite_width(network, TWO_ON_FOUR, names, rtol=1e-3).isel(layer=-1)
    widths = {16: 20_000, 32: 8_000, 64: 2_000}
    found = {n: sampled_group_networks.statistics(x, n, number, n, reached) for n, number in widths.items()}
    for name in names:
        for legs in np.ndindex(theory[name].shape):
            means, errors = ([found[n][name][k][legs] for n in widths] for k in (0, 1))
            mean, error = sampled_networks.extrapolate(list(widths), means, np.array(errors), 2)
            # 44 different numbers, four errors: one such test in 300 fails by chance.
            assert abs(mean - theory[name].values[legs]) <= 4 * error, (name, legs)
    mean, error = (found[16]["K1"][k][0, 0] for k in (0, 1))
    assert abs(mean) > 4 * error
    assert mean * theory.K1.values[0, 0] > 0


def test_the_trivial_group_gives_the_plain_network():
    x = RNG.normal(size=(3, 2, 2))
    alone = generated("identity", [], points=2)
    for head in (0, 1):
        network = nf.GroupCNN(alone, 2, CUBIC, *SCALES, head=head)
        ratios = {"width_ratios": [0.5, 2.0][: 1 + head]}
        found = nf.finite_width(network, x, **ratios)
        plain = nf.finite_width(nf.MLP(3 + head, CUBIC, *SCALES), x.reshape(3, -1), **ratios)
        assert list(found.layer) == [3, 4][: 1 + head]
        for name in TENSORS:
            size = abs(plain[name].values).max()
            np.testing.assert_allclose(found[name], plain[name].isel(layer=slice(2, None)), atol=1e-13 * size)
            np.testing.assert_allclose(found[f"{name}_hidden"], plain[name].isel(layer=slice(2)), atol=1e-13 * size)


@pytest.mark.parametrize("group", [cyclic(3), symmetric(3)], ids=repr)
def test_one_convolution_is_the_average_of_two_layers_at_every_width(group):
    x = RNG.normal(size=(1, 3, 2))
    network = nf.GroupCNN(group, 1, CUBIC, *SCALES)
    found, expected = outputs(network, x), averaged(network, group, x)
    assert_same(found, expected, ("K", "Theta", *FOUR))
    assert all(np.all(found[name] == 0) for name in ("K1", "Theta1"))


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("group", [cyclic(3), symmetric(3)], ids=repr)
def test_eleven_tensors_are_those_of_the_averaged_plain_network(group, depth):
    """Global filters: V to U agree to rounding whatever the group filters reach, and the mean kernels do not."""
    x = RNG.normal(size=(1, 3, 2))
    options = {"width_ratios": [1.5, 0.5][: depth - 1]}
    plain = averaged(nf.GroupCNN(group, depth, CUBIC, *SCALES), group, x, **options)
    for reached in (None, (0, 1), (group.identity,)):
        network = nf.GroupCNN(group, depth, CUBIC, *SCALES, group_support=reached)
        found = outputs(network, x, **options)
        assert_same(found, plain, ("K", "Theta", *FOUR))
        if reached == (group.identity,):
            assert_same(found, plain, ("K1", "Theta1"))
        else:
            assert all(abs(found[name] / plain[name] - 1).max() > 0.01 for name in ("K1", "Theta1"))


def test_local_filters_that_a_reflection_keeps():
    """A ring with reflections, filter {-1, 0, 1}, against the network of the shifts averaged over both copies."""
    shifts, both = cyclic(4), dihedral(4)
    x = TWO_ON_FOUR[:1]
    support = (0, 1, 3)
    near = [g for g in range(both.order) if both.permutations[g, 0] in support]
    network = nf.GroupCNN(both, 2, CUBIC, *SCALES, support=support, group_support=near)
    near = [g for g in range(shifts.order) if shifts.permutations[g, 0] in support]
    plain = nf.GroupCNN(shifts, 2, CUBIC, *SCALES, support=support, group_support=near)
    found = outputs(network, x)
    copies = outputs(plain, np.concatenate([x, x[:, ::-1]]))
    copies = {name: np.full((1,) * value.ndim, value.mean()) for name, value in copies.items()}
    assert_same(found, copies, ("K", "Theta", *FOUR))
    assert all(abs(found[name] / copies[name] - 1).max() > 0.01 for name in ("K1", "Theta1"))


def test_a_kink_leaves_what_is_finite():
    network = nf.GroupCNN(cyclic(3), 2, "relu", 1.7, 0.2)
    x = TWO_ON_THREE[:1]
    found, plain = outputs(network, x), averaged(network, cyclic(3), x)
    assert set(found) == set(TENSORS) - {"R", "S", "T", "U"}
    names = [name for name in found if name not in ("K1", "Theta1")]
    assert_same(found, plain, tuple(names), 1e-7)  # moments of dependent inputs have 1e-8
    assert found["Theta1"] != pytest.approx(plain["Theta1"], rel=0.01)
    with pytest.raises(ValueError, match="kink"):
        nf.finite_width(network, x, ["S"])


def test_hidden_layers_say_where_they_are():
    found = nf.finite_width(nf.GroupCNN(cyclic(3), 2, CUBIC, head=1), TWO_ON_THREE, ["V", "K1"])
    assert set(found) == {"V", "K1", "V_hidden", "K1_hidden"}
    assert found.V.dims == ("layer", "a1", "a2", "a3", "a4")
    assert list(found.layer) == [3, 4]
    assert found.V_hidden.dims == ("hidden", "p1", "p2", "p3", "p4")
    assert found.V_hidden.shape == (2, 6, 6, 6, 6)
    assert list(found.p3_input) == [0, 0, 0, 1, 1, 1]
    assert list(found.p3_element) == [0, 1, 2, 0, 1, 2]
    # A global filter lets all legs move by one element.
    moved = found.V_hidden.values[1][np.ix_(*[[1, 2, 0, 4, 5, 3]] * 4)]
    np.testing.assert_allclose(moved, found.V_hidden.values[1], rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": np.ones((1, 4, 1))}, "3 points"),
        ({"inputs": np.ones((1, 3))}, "rank 3"),
        ({"inputs": np.ones((40, 3, 1))}, "inputs times positions = '40 x 3'"),
        ({"widths": [10]}, "2 hidden widths"),
        ({"network": nf.GroupCNN("so3", 1, "erf", bandlimit=2)}, "finite group"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(change, message):
    network = nf.GroupCNN(cyclic(3), 2, "erf")
    with pytest.raises(ValueError, match="refused") as caught:
        nf.finite_width(**{"network": network, "inputs": TWO_ON_THREE} | change)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
