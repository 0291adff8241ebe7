"""Feynman diagrams that derive, draw and compute the 1/n recursions of finite-width networks.

>>> from ntkfield import diagrams
>>> f = diagrams.recursion("F")
>>> len(f.diagrams), f.subscripts
(2, (1, 3, 2, 4))

``recursion`` and ``cumulant`` give objects with ``.diagrams``, ``.expression``, ``.latex()``, ``.draw()`` and
``.compile()``; ``propagate`` runs compiled recursions through the layers. See ``rules`` for the rules.
"""

from typing import TYPE_CHECKING

from ntkfield.extras import needs
from ntkfield.late import offers

with needs("diagrams", __name__):
    import sympy as sympy

if TYPE_CHECKING:  # numbers need JAX, which takes half a second to import; diagrams and formulas do not
    from ntkfield.gaussian.expectations import Expectations, TrapezoidExpectations

    from .components import Components
    from .expectations import ActivationExpectations
    from .layers import closure, propagate
    from .recursions import Cumulant, Recursion, cumulant, recursion
    from .rules import RULES, Rule, RuleSet
    from .tensors import FIRST_ORDER

__all__ = [
    "FIRST_ORDER",
    "RULES",
    "ActivationExpectations",
    "Components",
    "Cumulant",
    "Expectations",
    "Recursion",
    "Rule",
    "RuleSet",
    "TrapezoidExpectations",
    "closure",
    "cumulant",
    "propagate",
    "recursion",
]

__getattr__, __dir__ = offers(__name__)
