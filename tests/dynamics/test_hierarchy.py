"""First-order corrections of trained networks: known numbers, exact identities, the composite index of outputs."""

import functools

import numpy as np
import pytest

import ntkfield as nf
from ntkfield.dynamics.channels import Correlator
from ntkfield.dynamics.hierarchy import Hierarchy, Integrals, Modes
from ntkfield.tensors import TENSORS

X = np.array([[1, 0.2], [-0.4, 1.1], [0.3, -0.9], [0.8, 0.7]])  # the last is no training input
Y = np.array([[1.0], [-0.7], [0.4]])
TIMES = np.array([0.5, 2.0, np.inf])
# Computed from the formulas by another program, from other quadratures: inputs 0, 1, 2 and 3 at t = 0.5, 2 and inf.
KNOWN = {
    2: {
        "m1": [
            [-0.18805138, 0.16862863, -0.10248749, -0.09491781],
            [-0.37481829, 0.28501246, 0.13444213, -0.18738896],
            [0, 0, 0, 0.21939277],
        ],
        "c1": [
            [0.10814545, 0.18804661, 0.05682734, 0.01023565],
            [0.08290324, 0.04964788, 0.04472989, 0.03785281],
            [0, 0, 0, -0.00433045],
        ],
        "c1[0, 3]": [0.05948285, 0.06252371, 0],
        "k1": [
            [-0.35287265, -0.18696890, -0.18847905, -0.06848457],
            [-0.68921455, -0.38347362, 0.01011761, 0.45454366],
        ],
    },
    3: {
        "m1": [
            [-0.44439638, 0.38993140, -0.19611305, -0.21941155],
            [-0.80609926, 0.59535610, 0.27102487, -0.33176765],
            [0, 0, 0, 0.46989173],
        ],
        "c1": [
            [0.24059580, 0.37614237, 0.11866842, 0.07718307],
            [0.14295479, 0.07275252, 0.06160691, 0.14997895],
            [0, 0, 0, 0.09598912],
        ],
        "c1[0, 3]": [None, 0.10573690, 0],
        "k1": [None, [-2.26827276, -1.05985176, 0.28576523, 1.90325192]],
    },
}


@functools.cache
def computed(depth: int) -> dict[str, np.ndarray]:
    """At the output, between all of X."""
    network = nf.MLP(depth=depth, activation="tanh", weight_variance=1.5, bias_variance=0.3)
    found = nf.finite_width(network, X, rtol=1e-9).isel(layer=-1)
    return {name: found[name].values for name in found}


def tensors(depth: int, inputs: tuple[int, ...] = (0, 1, 2, 0, 1, 2, 3)) -> dict[str, np.ndarray]:
    """Between some of X, the first three of which are trained on: by default all of them are queries."""
    return {name: value[np.ix_(*[inputs] * value.ndim)] for name, value in computed(depth).items()}


def hierarchy(depth: int, y: np.ndarray = Y, times: np.ndarray = TIMES, **changed: np.ndarray) -> Hierarchy:
    known = tensors(depth) | changed
    modes = Modes.of(known["Theta"][:3, :3], y)
    return Hierarchy(known, modes, Integrals.at(times, modes.rates))


def total(found: Hierarchy) -> np.ndarray:
    return sum(found.mean().values(), np.zeros(()))


@pytest.mark.parametrize("depth", [2, 3])
def test_known_numbers(depth: int) -> None:
    found, known = hierarchy(depth), KNOWN[depth]
    c1, k1 = found.covariance()[..., 0, 0], found.ntk()[..., 0, 0]
    at = {
        "m1": total(found)[..., 0],
        "c1": np.einsum("tqq->tq", c1),
        "c1[0, 3]": c1[:, 0, 3],
        "k1": np.einsum("tqq->tq", k1),
    }
    for name, rows in known.items():
        for values, expected in zip(at[name], rows, strict=False):
            if expected is not None:
                np.testing.assert_allclose(values, expected, atol=1e-8)  # printed to eight digits


def test_parts_of_the_mean() -> None:
    parts = {name: part[:, 3, 0] for name, part in hierarchy(2).mean().items()}
    np.testing.assert_allclose(parts["AB"][1:], [-0.20602085, 0.01468481], atol=1e-8)
    np.testing.assert_allclose(parts["PQ"][1:], [-0.12330487, -0.05405143], atol=1e-8)
    np.testing.assert_allclose((parts["RSTU"] + parts["cubic"])[1:], [0.14193677, 0.25875939], atol=1e-8)
    assert not parts["Theta1"].any()  # at depth 2 the mean NTK is that of infinite width
    np.testing.assert_allclose(hierarchy(3).mean()["Theta1"][1, 3, 0], -0.05030748, atol=1e-8)


def test_the_start_is_that_of_the_untrained_network() -> None:
    found = hierarchy(3, times=np.zeros(1))
    known = tensors(3)
    np.testing.assert_allclose(total(found), 0, atol=1e-14)
    np.testing.assert_allclose(found.covariance()[0, ..., 0, 0], known["K1"][3:, 3:], atol=1e-13)
    np.testing.assert_allclose(found.ntk()[0, ..., 0, 0], known["Theta1"][3:, 3:], atol=1e-13)


def test_means_are_odd_in_the_targets_and_the_last_part_has_a_cubic_one() -> None:
    plus, minus, none, double = (total(hierarchy(3, y)) for y in (Y, -Y, 0 * Y, 2 * Y))
    np.testing.assert_allclose(plus, -minus, atol=1e-13)
    assert not none.any()
    assert abs(double - 2 * plus).max() > 0.1
    assert abs(hierarchy(3, 0 * Y).covariance()[1]).max() > 0.01  # the variance is corrected all the same


@pytest.mark.parametrize("name", ["Theta1", "A", "B", "D", "F", "K1", "P", "Q", "R", "S", "T", "U"])
def test_every_tensor_counts(name: str) -> None:
    # Where none of them were read, no number would change.
    known, none = hierarchy(3), hierarchy(3, **{name: np.zeros_like(tensors(3)[name])})
    mean_reads = name in ("Theta1", "A", "B", "P", "Q", "R", "S", "T", "U")
    assert (abs(total(known) - total(none)).max() > 1e-3) == mean_reads
    assert abs(known.covariance() - none.covariance()).max() > 1e-3


def test_v_counts_nowhere() -> None:
    known, none = hierarchy(3), hierarchy(3, V=np.zeros((7,) * 4))
    np.testing.assert_array_equal(known.covariance(), none.covariance())


def test_outputs_are_inputs_of_a_composite_index() -> None:
    """Two outputs at three inputs are one output at six, with the tensors' Kronecker deltas as arrays."""
    inputs, channels, y = (0, 1, 2, 3), 2, np.array([[1.0, 0.3], [-0.7, 0.5], [0.4, -1.2]])
    known, delta = tensors(3, inputs), np.eye(channels)
    modes = Modes.of(known["Theta"][:3, :3], y)
    found = Hierarchy(known, modes, Integrals.at(TIMES[:2], modes.rates))

    def flat(array: np.ndarray) -> np.ndarray:
        """Axes 1, c1, 2, c2, ... with input and channel as one index, training inputs first."""
        return array.reshape([len(inputs) * channels] * (array.ndim // 2))

    composite = {n: flat(np.einsum("ab,ij->aibj", known[n], delta)) for n in ("K", "Theta", "K1", "Theta1")}

    def cumulant(terms: dict[str, str]) -> np.ndarray:
        """The sum over tensors, each at its subscripts, of deltas for its paired channels; axes in rising order."""
        letters, channel, result = (
            dict(zip("01234", "zabcd", strict=True)),
            dict(zip("01234", "ZABCD", strict=True)),
            0.0,
        )
        for term, subscripts in terms.items():
            s = subscripts
            pairs = [f"{channel[s[a]]}{channel[s[b]]}" for a, b in TENSORS[term[0]].pairs]
            ends = "".join(letters[i] + channel[i] for i in sorted(s))
            result = result + np.einsum(
                f"{''.join(letters[i] for i in s)},{','.join(pairs)}->{ends}", known[term[0]], delta, delta
            )
        return flat(np.asarray(result))

    zero = np.zeros([len(inputs) * channels] * 4)
    composite |= {"A": cumulant({"A": "1234", "B": "1324", "B'": "1423"}), "B": zero}
    composite |= {"D": cumulant({"D": "1234", "F": "1324", "F'": "1423"}), "F": zero}
    composite |= {"P": cumulant({"P": "0123", "Q": "0123", "Q'": "0213"}), "Q": zero}
    # R stands at three places, all of them equal for the whole cumulant
    composite |= {"R": cumulant({"R": "0123", "R'": "0231", "R''": "0312"}) / 3}
    composite |= {"S": cumulant({"S": "1234", "T": "1324", "U": "1423"}), "T": zero, "U": zero}
    modes = Modes.of(composite["Theta"][:6, :6], y.reshape(6, 1))
    one = Hierarchy(composite, modes, Integrals.at(TIMES[:2], modes.rates))
    np.testing.assert_allclose(total(found)[:, 0], total(one)[..., 0], rtol=1e-11)
    np.testing.assert_allclose(found.covariance()[:, 0, 0], one.covariance()[..., 0, 0], rtol=1e-11)
    np.testing.assert_allclose(found.ntk()[:, 0, 0], one.ntk()[..., 0, 0], rtol=1e-11)


def test_exchanged_legs() -> None:
    parts = Correlator(*np.random.default_rng(0).normal(size=(3, 2, 3, 4, 5)))
    delta = np.eye(2)

    def whole(x: Correlator) -> np.ndarray:
        pairs = ("AB,CD", "AC,BD", "AD,BC")
        terms = zip(x, pairs, strict=True)
        return sum(np.einsum(f"abcd,{pair}->aAbBcCdD", part, delta, delta) for part, pair in terms)

    for order in ("0123", "1023", "0213", "2310", "3021"):
        legs = [int(leg) for leg in order]
        expected = np.moveaxis(whole(parts), range(8), [axis for leg in legs for axis in (2 * leg, 2 * leg + 1)])
        np.testing.assert_allclose(whole(parts.legs(order)), expected, atol=1e-14)  # the same terms in another order
