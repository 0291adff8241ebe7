r"""Correlators of four outputs, each leg an input and a channel, and sums over both.

A correlator at order 1/n is three arrays, one for each way to pair the channels of its legs,

.. math:: X_{0123} = \delta_{01}\delta_{23}\, X^{(01)(23)}_{0123} + \delta_{02}\delta_{13}\, X^{(02)(13)}_{0123}
   + \delta_{03}\delta_{12}\, X^{(03)(12)}_{0123},

and a sum over a leg is one over its input and its channel. The deltas are never made into arrays: they give two legs
the same channel, and a channel that nothing else bears is summed to a factor, the number of channels.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

PAIRINGS = (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2)))
# Letters of legs that may stand on any input; all others are summed over the training inputs, which come first.
FREE = "pq"


class Correlator(NamedTuple):
    """Arrays [n, n, n, n] by the pairing of their legs' channels, axes in the order of the legs."""

    near: np.ndarray  # 01, 23
    crossed: np.ndarray  # 02, 13
    outer: np.ndarray  # 03, 12

    def plus(self, other: "Correlator") -> "Correlator":
        """The sum."""
        return Correlator(*(x + y for x, y in zip(self, other, strict=True)))

    def legs(self, order: str) -> "Correlator":
        """With its legs exchanged: ``X.legs("1023")`` at inputs 0123 is X at inputs 1023."""
        new = [int(leg) for leg in order]
        arrays = {}
        for pairing, array in zip(PAIRINGS, self, strict=True):
            moved = sorted(tuple(sorted(new[place] for place in pair)) for pair in pairing)
            arrays[tuple(moved)] = placed(array, order)
        return Correlator(*(arrays[pairing] for pairing in PAIRINGS))


def placed(array: np.ndarray, subscripts: str) -> np.ndarray:
    """The array with its axes in rising order of its legs, which `subscripts` names, as in "1423"."""
    return np.transpose(array, np.argsort(list(subscripts)))


def contract(
    correlator: Correlator,
    legs: str,
    weights: tuple[np.ndarray, str],
    factors: Sequence[tuple[np.ndarray, str]],
    out: str,
    training: int,
    channels: int,
) -> np.ndarray:
    """The sum over inputs and channels of a correlator, weights and factors.

    Args:
        correlator: over all inputs.
        legs: the letter of each of its legs; equal letters are equal inputs and channels.
        weights: an array and the letters of its axes; it has no channels. The letter t is that of times.
        factors: arrays and letters: with one letter, [inputs, channels]; with two, [inputs, inputs], equal channels.
        out: letters of the result.
        training: number of training inputs.
        channels: number of channels.

    Returns:
        Array with an axis for each letter of `out`, and behind them one for the channel of each of its legs.
    """
    total: np.ndarray | float = 0.0
    if channels == 1:  # every pairing is the same
        parts = [(PAIRINGS[0], correlator.near + correlator.crossed + correlator.outer)]
    else:
        parts = list(zip(PAIRINGS, correlator, strict=True))
    for pairing, array in parts:
        equal = [(legs[a], legs[b]) for a, b in pairing] + [tuple(s) for _, s in factors if len(s) == 2]
        channel = _merged(legs + out.replace("t", "") + "".join(s for _, s in factors), equal)
        held = array[tuple(slice(None) if leg in FREE else slice(training) for leg in legs)]
        terms: list = [held, legs, *weights]
        for value, letters in factors:
            terms += [value, letters if len(letters) == 2 else letters + channel[letters]]
        ends = [channel[leg] for leg in out if leg != "t"]
        borne = {channel[s] for _, s in factors if len(s) == 1} | set(ends)
        loops = channels ** len({channel[leg] for leg in legs} - borne)
        total = total + loops * _sum(terms, out, ends, channels)
    return np.asarray(total)


def _merged(letters: str, equal: list[tuple[str, ...]]) -> dict[str, str]:
    """The capital that stands for the channel of each letter, the same where channels are equal."""
    channel = {letter: letter.upper() for letter in letters}
    for a, b in equal:
        old, new = channel[a], channel[b]
        channel = {letter: new if name == old else name for letter, name in channel.items()}
    return channel


def _sum(terms: list, out: str, ends: list[str], channels: int) -> np.ndarray:
    """Einstein's sum; of channels at the result's ends that must be equal, or that nothing bears, the diagonal."""
    arrays, letters = terms[::2], list(terms[1::2])
    present = set("".join(letters))
    distinct = list(dict.fromkeys(ends))
    missing = [name for name in distinct if name not in present]
    for name in missing:
        arrays, letters = [*arrays, np.ones(channels)], [*letters, name]
    result = np.einsum(f"{','.join(letters)}->{out}{''.join(distinct)}", *arrays, optimize=True)
    if len(distinct) < len(ends):  # two ends of one channel
        result = result[..., None] * np.eye(channels)
    return result
