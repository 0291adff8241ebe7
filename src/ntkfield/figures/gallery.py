"""The gallery of diagrams: one HTML page that carries its pictures and formulas within itself."""

import html
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple
from urllib.parse import quote

import numpy as np
import pandas as pd

from ntkfield.figures import formula, style

AGREEMENT = "agreement_"  # columns of the table with this prefix hold relative differences, one activation each


class Entry(NamedTuple):
    """One recursion: its name in the table, and LaTeX of what it says, term by diagram and fully reduced."""

    name: str
    about: str
    latex: str
    expanded: str
    picture: str  # SVG


def page(entries: Iterable[Entry], table: pd.DataFrame, key: str, setting: str) -> str:
    """The page as HTML.

    Args:
        entries: the recursions, in order.
        table: one row for each, indexed by name: diagrams, integrals_before, integrals_after, variables, and columns
            ``agreement_...`` with the largest relative difference from the other route, NaN where there is none.
        key: SVG that explains the strokes.
        setting: sentence on the networks that were compared.
    """
    entries = list(entries)
    links = " ".join(f'<a href="#{quote(entry.name)}">{_symbol(entry.name)}</a>' for entry in entries)
    body = "\n".join(_section(entry, table.loc[entry.name]) for entry in entries)
    return TEMPLATE.format(
        style=CSS,
        finding=_finding(table.rename(columns=html.escape), _power),
        links=links,
        key=inline(key, "Key"),
        body=body,
        setting=html.escape(setting),
    )


def inline(text: str, label: str) -> str:
    """An SVG file for use within a page: no prologue, scaled down where the page is narrow."""
    body = text[text.index("<svg") :]
    head, _, rest = body.partition(">")
    width, *_ = re.findall(r'width="([\d.]+)pt"', head)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    # matplotlib's names of groups repeat from file to file, and nothing refers to them
    rest = re.sub(r'<g id="(?:figure|axes|text|patch|line2d|PolyCollection)_\d+">', "<g>", rest)
    rest = re.sub(r"<metadata>.*?</metadata>", "", rest, flags=re.DOTALL)
    return f'{head} role="img" aria-label="{html.escape(label)}" style="max-width:{width}pt">{rest}'


def _section(entry: Entry, row: pd.Series) -> str:
    picture = style.svg(formula.draw(formula.aligned(entry.latex)))
    return SECTION.format(
        name=html.escape(entry.name),
        symbol=_symbol(entry.name),
        about=html.escape(entry.about),
        picture=inline(entry.picture, f"Diagrams of {entry.name}"),
        formula=inline(picture, f"Recursion of {entry.name}"),
        latex=html.escape(entry.latex),
        expanded=html.escape(entry.expanded),
        facts=_facts(row),
    )


def _facts(row: pd.Series) -> str:
    cells = [
        ("Diagrams", f"{row.diagrams:.0f}"),
        ("Gaussian integrals, diagram by diagram", f"{row.integrals_before:.0f}"),
        ("after reduction", f"{row.integrals_after:.0f}, of at most {row.variables:.0f} factors"),
    ]
    for activation, difference in _agreement(row).items():
        value = "no value" if np.isnan(difference) else _power(difference)
        cells.append((f"Difference from finite_width, {activation}", value))
    return "".join(f"<tr><th>{html.escape(name)}</th><td>{value}</td></tr>" for name, value in cells)


def _agreement(row: pd.Series) -> dict[str, float]:
    """Differences from ``finite_width`` by activation."""
    return {str(key).removeprefix(AGREEMENT): value for key, value in row.items() if str(key).startswith(AGREEMENT)}


def finding(table: pd.DataFrame) -> str:
    """What the page shows, in numbers.

    Args:
        table: as for :func:`page`.
    """
    return _finding(table, "{:.0e}".format)


def _finding(table: pd.DataFrame, number: Callable[[float], str]) -> str:
    columns = table.filter(like=AGREEMENT)
    apart, compared = columns.max().dropna(), int(columns.notna().any(axis=1).sum())
    worst = ", ".join(f"{number(value)} for {str(name).removeprefix(AGREEMENT)}" for name, value in apart.items())
    shared = "" if compared == len(table) else f", which has {compared} of them"
    agreement = (
        f"Compiled, they give the same tensors as the independent finite-width theory{shared}: the largest relative "
        f"difference in any of its layers is {worst}."
    )
    return (
        f"{len(table)} recursions, {table.diagrams.sum()} diagrams. Written out diagram by diagram they hold "
        f"{table.integrals_before.sum()} Gaussian integrals; integration by parts, contraction and symmetry leave "
        f"{table.integrals_after.sum()}, none of more than {table.variables.max()} factors. "
        + (agreement if compared else "The independent finite-width theory has none of them to compare with.")
    )


def _power(value: float) -> str:
    """1.3e-14 as 1.3 · 10⁻¹⁴."""
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f'<span class="number">{mantissa}&thinsp;·&thinsp;10<sup>{int(exponent)}</sup></span>'.replace("-", "−")


def _symbol(name: str) -> str:
    """K1 as K with a superscript, V6 as V with one in brackets."""
    base, _, correction = name.replace("Theta", "Θ").partition(".")
    letter, number, correction = html.escape(base[0]), html.escape(base[1:]), html.escape(correction)
    if letter in "KΘ":
        return f"<i>{letter}</i>" + (f"<sup>[{number}]</sup>" if number else "")
    mark = (f"({number})" if number else "") + (f"[{correction}]" if correction else "")
    return f"<i>{letter}</i>" + (f"<sup>{mark}</sup>" if mark else "")


CSS = """
body { font: 16px/1.5 Georgia, "Times New Roman", serif; color: #111; background: #fff; margin: 0 auto;
  max-width: 1080px; padding: 1.5rem; }
h1 { font-size: 1.7rem; margin: 0 0 .5rem; } h2 { font-size: 1.35rem; margin: 0 0 .25rem; }
nav { margin: 1rem 0; } nav a { margin-right: .9rem; color: #0b4f8a; }
section { border-top: 1px solid #bbb; margin-top: 2rem; padding-top: 1.2rem; }
svg { display: block; width: 100%; height: auto; margin: .8rem 0; }
.wide { overflow-x: auto; } .picture svg { min-width: 36rem; } .number { white-space: nowrap; } sup { line-height: 0; }
table { border-collapse: collapse; font-size: .95rem; }
th { text-align: left; font-weight: normal; padding: .15rem 1.5rem .15rem 0; } td { text-align: right; }
details { margin: .6rem 0; } summary { cursor: pointer; color: #0b4f8a; }
pre { background: #f5f5f2; padding: .7rem; overflow-x: auto; font-size: .85rem; }
"""

SECTION = """<section id="{name}">
<h2>{symbol}</h2>
<p>{about}</p>
<div class="wide picture">{picture}</div>
<div class="wide">{formula}</div>
<table>{facts}</table>
<details><summary>LaTeX, one term for each diagram</summary><pre>{latex}</pre></details>
<details><summary>LaTeX, reduced: what is computed</summary><pre>{expanded}</pre></details>
</section>"""

TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Feynman diagrams of finite-width networks</title><style>{style}</style></head>
<body>
<h1>Feynman diagrams of finite-width networks</h1>
<p>{finding}</p>
<p>{setting}</p>
<nav>{links}</nav>
{key}
{body}
</body>
</html>
"""
