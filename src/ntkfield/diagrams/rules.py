"""The Feynman rules, as one table that the enumeration consults.

Where they come from: one layer is z'_i = n^(-1/2) Σ_j W_ij σ(z_j) + b_i.

* The W are averaged by Wick pairing: every pair of outputs joined by E[W W] or by the derivative with respect to one
  shared W leaves (1/n) Σ_j (a function of channel j). These are the cubic vertices.
* Derivatives of σ(z_j) by parameters of lower layers follow the product rule (Faà di Bruno). These are the decorations.
* What is left is the joint cumulant of channel averages over the layer below, expanded about independent Gaussian
  channels of covariance K. Its connected cumulants (V, D, F, ...) are the internal vertices; the single-channel joint
  cumulants are the propagators, drawn as white blobs, each worth a factor n.

The entries of an orthogonal matrix are not Gaussian: their cumulants of four, six, ... entries join cubic vertices,
which then need not pair channels as their outputs do. N = n/ρ is the size of the square that the matrix is a part of.

In convolutions, and where channels are pooled, legs read the layer below at steps of a filter: see ``legs``.

Rates and variances λ_W, C_W enter only with the cubic vertices; λ_b and C_b are constants inside a single channel
average, so they drop from every cumulant and every correction.  Sources: the derivation above; PDLT = Roberts, Yaida,
Hanin (2022); GMG = Guillen, Misof, Gerken, arXiv 2508.11522; Banta et al. (2024) for solid lines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from ntkfield import checks

from .tensors import FIRST_ORDER

WEIGHTS = ("gaussian", "orthogonal")
"""Of which there are rules; to import them from the networks would import JAX, which takes as long as a figure."""


@dataclass(frozen=True)
class Rule:
    """One rule: ``name``, what it says, the factor it brings, and where it comes from."""

    name: str
    statement: str
    factor: str
    source: str


_GMG = "GMG, Feynman rules"
RULES: tuple[Rule, ...] = (
    # cubic vertices: two outputs of layer l+1 join and emit one internal (wavy) line
    Rule("cubic:contract", "any two outputs join through E[W_ij W_ij]; all their derivative lines pass through",
         "C_W/n", "Wick pairing; Banta et al. 2024; " + _GMG),
    Rule("cubic:differentiate", "two outputs sharing a colour join through d/dW_ij of both; that colour ends here",
         "lambda_W/n", "product rule; PDLT ch. 8; " + _GMG),
    Rule("cubic:omega", "both legs of one NTK join and emit Omega = lambda_W s s + C_W Theta s' s'",
         "1/n", "the two rules above, summed, for a mean Theta; PDLT eq. 8.60f; " + _GMG),
    # decorations: what a node with passing derivative lines puts on the wavy line
    Rule("decoration:", "no derivative line: s(z)", "1", "definition of the layer"),
    Rule("decoration:1", "one line: s'(z), the line goes on", "1", "chain rule; PDLT ch. 8"),
    Rule("decoration:1+1", "two lines go on separately: s''(z)", "1", "Faà di Bruno; PDLT ch. 11"),
    Rule("decoration:2", "two lines go on together (double line): s'(z)", "1", "Faà di Bruno; PDLT ch. 11"),
    Rule("decoration:1+1+1", "three lines go on separately: s'''(z)", "1", "Faà di Bruno; PDLT appendix ∞"),
    Rule("decoration:1+2", "three lines go on as a single and a double one, in three ways: s''(z)", "1",
         "Faà di Bruno; PDLT appendix ∞"),
    Rule("decoration:3", "three lines go on together (triple line): s'(z)", "1", "Faà di Bruno; PDLT appendix ∞"),
    # propagators
    Rule("propagator", "a blob is the joint cumulant, in one channel of covariance K, of the factors on it; "
         "an internal solid line z_b acts as d/dz_b on what shares its channel", "n",
         "independent channels: (1/n) sums have n times the single-channel cumulant; GMG, propagators"),
    Rule("mean:Theta", "the mean NTK is diagonal in channels: it puts both its ends on one blob, as one factor",
         "Theta_ab", "infinite width; " + _GMG),
    # internal vertices of the layer below
    *(
        Rule(f"internal:{name}", f"lines of the layer below meet in {name}", f"{name} / n_below",
             "definition of the tensor; PDLT chs. 4, 8, 11, appendix ∞; " + _GMG)
        for name in FIRST_ORDER
    ),
    Rule("internal:other", "lines of the layer below meet in any other connected cumulant with M delta pairs",
         "X / n_below^(M-1+k)", "channel structure of exact Gaussian averages over W"),
    # orthogonal weights
    Rule("joint", "outputs whose channels are paired by p join in a connected cumulant of their weights, which emits "
         "one wavy line for each pair of another matching q of them", "C_W^k/n^k c_pq(rho/n)",
         "Weingarten calculus, see weingarten; Collins, Sniady 2006"),
    # counting
    Rule("symmetry", "divide by the automorphisms that fix the externals: exchanges of internal solid lines and of "
         "equal internal vertices", "1/|Aut|", "expansion of exp(sum of cumulants), orbit counting"),
    Rule("connected", "only diagrams that hang together count; both ends of an external and of its pairs hang "
         "together, and what a joint joins", "1", "linked-cluster theorem"),
)  # fmt: skip
"""Every rule, with its factor and its source."""

_NAMES = tuple(rule.name for rule in RULES)


@dataclass(frozen=True)
class RuleSet:
    """The table, with a factor for every rule: 1 unless changed, 0 for a rule that is dropped.

    ``weights`` says how the layer's are distributed; the rule ``joint`` is for orthogonal ones.

    Changing a rule is for tests and for teaching: which statistics notice, and how. Without ``symmetry`` every
    diagram weighs 1; without ``connected`` the pieces of a diagram need not hang together.
    """

    changes: tuple[tuple[str, Fraction], ...] = ()
    weights: str = "gaussian"

    def __post_init__(self) -> None:
        if self.weights not in WEIGHTS:
            raise checks.refuse("weights", self.weights, f"one of {', '.join(WEIGHTS)}")

    def factor(self, name: str) -> Fraction:
        """Extra factor of the rule ``name``; internal vertices outside the table follow ``internal:other``."""
        if name.startswith("internal:") and name not in _NAMES:
            name = "internal:other"
        return dict(self.changes).get(name, Fraction(1))

    def reweighted(self, name: str, factor: Fraction | int) -> RuleSet:
        """The same rules with one of them multiplied by ``factor``; an unknown name raises ValueError."""
        if name not in _NAMES:
            raise ValueError(f"rule name is {name!r}; accepted are {', '.join(_NAMES)}.")
        kept = {**dict(self.changes), name: Fraction(factor)}
        return replace(self, changes=tuple(sorted(kept.items())))

    def without(self, name: str) -> RuleSet:
        """The same rules with one of them dropped."""
        return self.reweighted(name, 0)


STANDARD = RuleSet()
