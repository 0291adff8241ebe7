r"""Where the legs of a tensor read the layer below: in a convolution at steps of its filter, one for each cubic vertex.

A convolution reads, at position a with the step h of its filter, position :math:`a_h` of the layer below,

.. math:: z_i(a) = b_i + \frac{1}{\sqrt{n\,|T|}} \sum_{j,\,h\in T} W_{ij}(h)\,\sigma(z_j(a_h)).

Two outputs that meet in a cubic vertex, by :math:`E[WW]` or by the derivative with respect to one shared W, share the
channel j *and the step h*. So a diagram is the dense layer's with its legs moved, a step to each of its cubic vertices,
averaged over all steps. A readout of channels that are pooled over all positions shares channels alone: every leg reads
a position of its own. The rest of the rules is that of dense layers: propagators are cumulants in one channel, between
whichever positions the legs read.

The layers are those of Misof, Kessel and Gerken, arXiv 2406.06504.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sympy as sp

from .symbols import Label
from .tensors import Pairing

LAYERS = ("dense", "convolution", "pooling")
"""Layers whose legs have a rule, those of an MLP, of a convolution, and the readout of channels that are pooled."""

_STEPS = "hklpqstu"

Ties = tuple[tuple[int, ...], ...]
"""Legs, or axes, that read one step, for each step."""


class Legs(NamedTuple):
    """The legs of one tensor, by node.

    Attributes:
        ends: labels of the external lines.
        moved: labels in formulas, those of what the legs read.
        ties: nodes that share a step, for each step; none in a dense layer.
        steps: names of the steps.
        among: name of the set of all steps.
    """

    ends: tuple[int, ...]
    moved: tuple[Label, ...]
    ties: Ties
    steps: tuple[str, ...]
    among: str

    def shared(self, nodes: Sequence[int]) -> str | None:
        """Name of the step that all these nodes share, if they do."""
        return next((step for tie, step in zip(self.ties, self.steps, strict=True) if set(nodes) <= set(tie)), None)

    def mean_latex(self) -> str:
        """LaTeX of the mean over all steps; empty for a dense layer."""
        if not self.ties:
            return ""
        power = f"^{{{len(self.ties)}}}" if len(self.ties) > 1 else ""
        return rf"\frac{{1}}{{|{self.among}|{power}}} \sum_{{{','.join(self.steps)}}}"


def legs(layer: str, pairing: Pairing, ends: tuple[int, ...]) -> Legs:
    """The legs of a tensor at one of ``LAYERS``, whose nodes are paired by ``pairing`` and labelled ``ends``."""
    if layer == "dense":
        return Legs(ends, ends, (), (), "")
    if layer == "convolution":
        ties, among = tuple(sorted(pairing)), "T"
        steps = tuple(_STEPS[: len(ties)])
    else:
        ties, among = tuple((node,) for node in range(len(ends))), "G"
        steps = tuple(f"g_{{{end}}}" if end > 9 else f"g_{end}" for end in ends)
    step = {node: name for tie, name in zip(ties, steps, strict=True) for node in tie}
    return Legs(ends, tuple(sp.Symbol(f"{end}{step[node]}") for node, end in enumerate(ends)), ties, steps, among)
