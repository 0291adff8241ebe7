"""The gallery's page and its formulas."""

import itertools
import re

import numpy as np
import pandas as pd

import ntkfield as nf
from ntkfield.diagrams.key import MEANINGS, draw_key
from ntkfield.figures import formula, gallery, style


def entry(name: str) -> gallery.Entry:
    found = nf.recursion(name)
    picture = style.svg(found.draw())
    return gallery.Entry(name, "About it.", found.latex(), found.latex("expanded"), picture)


TABLE = pd.DataFrame(
    {
        "diagrams": [2, 7],
        "integrals_before": [9, 16],
        "integrals_after": [5, 7],
        "variables": [4, 3],
        "agreement_gelu": [2.1e-15, 4e-13],
        "agreement_relu": [1.7e-16, None],
    },
    index=["F", "R"],
)


def test_the_page_states_what_the_table_holds() -> None:
    page = gallery.page([entry("F"), entry("R")], TABLE, style.svg(draw_key()), "Networks < of some kind.")
    assert "2 recursions, 9 diagrams" in page
    assert "25 Gaussian integrals" in page
    assert "12, none of more than 4 factors" in page
    worst = page.split("largest relative difference")[1].split("</p>")[0]
    assert re.search(r"4\.0.*<sup>−13</sup>.* for gelu, .*1\.7.*<sup>−16</sup>.* for relu", worst)
    assert page.count("no value") == 1
    assert "Networks &lt; of some kind." in page
    assert page.count("<svg") == 5


def test_recursions_without_another_route_have_no_difference() -> None:
    alone = TABLE.assign(agreement_gelu=[2.1e-15, np.nan], agreement_relu=np.nan).rename(index={"R": "V6"})
    assert gallery.finding(alone).endswith(
        "Compiled, they give the same tensors as the independent finite-width theory, which has 1 of them: the largest "
        "relative difference in any of its layers is 2e-15 for gelu."
    )
    page = gallery.page([entry("V6")], alone.loc[["V6"]], style.svg(draw_key()), "Networks.")
    assert "has none of them to compare with" in page
    assert page.count("no value") == 2


def test_equal_figures_are_equal_text() -> None:
    assert style.svg(nf.recursion("F").draw()) == style.svg(nf.recursion("F").draw())


def test_a_formula_has_a_line_for_each_diagram_and_holds_all_of_them() -> None:
    lines = formula.aligned(nf.recursion("T").latex())
    assert len(lines) == 13
    assert [left != "" for left, _ in lines] == [True] + [False] * 12
    figure = formula.draw(lines)
    width, height = figure.get_size_inches() * figure.dpi
    boxes = [text.get_window_extent() for text in figure.texts if text.get_text()]
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height for box in boxes)
    rights = sorted((box for box in boxes if box.x0 > 30), key=lambda box: -box.y0)
    assert all(below.y1 <= above.y0 for above, below in itertools.pairwise(rights))


def test_the_key_names_every_stroke() -> None:
    assert [text.get_text() for text in draw_key().axes[0].texts] == list(MEANINGS)
