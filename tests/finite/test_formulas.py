"""The formula beside each hand-written recursion is the one that the diagrams derive."""

import inspect

import pytest

import ntkfield as nf
from ntkfield.diagrams import FIRST_ORDER
from ntkfield.finite.differentials import FullLayer


def squeezed(text):
    return "".join(text.split())


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_the_docstring_holds_the_diagrams_formula_and_the_source(name):
    text = inspect.getdoc(getattr(FullLayer, name))
    formula = text.partition(".. math::")[2].partition("Source:")
    assert squeezed(formula[0]) == squeezed(nf.recursion(name).latex())
    assert "arXiv" in formula[2]


def test_every_recursion_is_documented():
    own = inspect.getmembers(FullLayer, inspect.isfunction)  # those that it derives from have theirs among them
    assert {"K", "Theta", "V", "U"} <= {name for name, _ in own}
    assert [name for name, item in own if not name.startswith("_") and not item.__doc__] == []
