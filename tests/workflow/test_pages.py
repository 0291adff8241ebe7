"""Text from data stands in every page as text, whatever it holds."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from docutils.core import publish_parts
from jinja2 import Environment
from runs import ROOT
from scripts import run_script

from ntkfield.figures import gallery

sys.path.insert(0, str(ROOT / "workflow"))

import captions

HTML = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %} &lt;",
)
RST = (
    ".. raw:: html\n\n   <script>alert(1)</script>",
    "\n\n.. include:: /etc/passwd\n\n",
    "`click <javascript:alert(1)>`_ and `<script>`__",
    "javascript:alert(1) http://example.org a@example.org",
    ":raw-html:`<script>` ``literal`` *emphasis* **strong** |name| [1]_ relu_ anonymous__ `role`:raw:",
    "K* − K\\\\ \\",
    "::\n\n   a block",
    "Title\n=====\n\n1. a\n\n- b\n\n+---+\n",
    ":field: list",
    "A. list",
)
CONTAINERS = {"p", "div", "strong", "style", "tt"}  # what the captions themselves are made of


class Page(HTMLParser):
    """What a browser would find in a page: its elements with their attributes, and its text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def outline(page: Page) -> list[tuple[str, list[str]]]:
    """Elements with the names of their attributes: what hostile text must leave as it is with any other."""
    return [(tag, sorted(attributes)) for tag, attributes in page.elements]


def one_line(text: str) -> str:
    return " ".join(text.split())


# Captions of the report.
FIGURES = (
    "bias",
    "causes",
    "ensemble",
    "error",
    "freezing",
    "kernel",
    "outputs",
    "trained",
)  # of rules that draw several
CAPTIONS = sorted(str(path.relative_to(ROOT / "workflow")) for path in (ROOT / "workflow").rglob("*.rst"))


def caption(name: str, text: str, folder: Path) -> Page:
    """A caption as Snakemake renders it, with one text in every place."""
    finding = folder / "finding.txt"
    finding.write_text(text, encoding="utf-8")
    config = {
        "criticality": {"width": text},
        "diagrams": {"activations": [text]},
        "images": {"convergence": {"n_networks": text}, "subset_seeds": [text]},
        "molecules": {"split_seeds": [text]},
        "orthogonal": {"width": text, "trained": {"width": text}},
    }
    one = {"__fspath__": lambda _: str(finding), "__getitem__": lambda _, index: finding}
    findings = type("Findings", (), one)()  # one path, or one of several
    job = SimpleNamespace(
        config=config,
        wildcards=SimpleNamespace(name=text),
        params=SimpleNamespace(network={"depth": text}, recursions=[text]),
        output=SimpleNamespace(finding=findings, **{f"{figure}_finding": finding for figure in FIGURES}),
    )
    record = SimpleNamespace(path=finding.with_suffix(".png"))
    question = type("Question", (), {"name": text, "__hash__": object.__hash__})()
    source = (ROOT / "workflow" / name).read_text(encoding="utf-8")
    rendered = Environment(trim_blocks=True, lstrip_blocks=True).from_string(source)
    body = rendered.render(snakemake=job, categories={question: {"part": [record]}}, files=[])
    return Page(publish_parts(body, writer="html")["html_body"])


@pytest.mark.parametrize("name", CAPTIONS)
def test_captions_take_text_for_text(name: str, tmp_path: Path) -> None:
    tame = caption(name, "tame", tmp_path)
    assert {tag for tag, _ in tame.elements} <= CONTAINERS
    text = "\n\n".join((*RST, *HTML))
    page = caption(name, text, tmp_path)
    assert outline(page) == outline(tame)
    if re.search(r"\|(plain|finding) }}", (ROOT / "workflow" / name).read_text()):
        assert one_line(text) in one_line(page.text)


def test_every_place_of_a_caption_is_filtered() -> None:
    """What stands in a template is a text made plain, or a count."""
    for name in CAPTIONS:
        source = (ROOT / "workflow" / name).read_text()
        for place in re.findall(r"{{(.*?)}}", source):
            assert place.strip().endswith(("|plain", "|finding", "|length")), f"{name}: {place}"
        assert ".. include::" not in source


@pytest.mark.parametrize("text", [*HTML, *RST, "".join(map(chr, range(32, 127))), "größer − ≥ Θ·10⁻³ “quoted” …"])
@pytest.mark.parametrize("around", ["{}", "A caption\n{}\nand more.", "in ({}).svg", "**{} strong**"])
def test_plain_text_is_that_text(text: str, around: str) -> None:
    page, tame = (
        Page(publish_parts(around.format(captions.plain(each)), writer="html")["body"]) for each in (text, "tame")
    )
    assert one_line(page.text) == one_line(around.replace("**", "").format(text.strip()))
    assert outline(page) == outline(tame)


# The page of results.


def index(text: str, folder: Path) -> Page:
    finding = folder / "finding.txt"
    finding.write_text(text, encoding="utf-8")
    file = text.replace("/", "")
    entry = {
        "question": text,
        "figures": [{"link": f"results/{file}.pdf", "picture": f"results/{file}.png", "finding": str(finding)}],
        "tables": [f"results/{file}.csv"],
    }
    output = folder / "results/index.html"
    output.parent.mkdir(exist_ok=True)
    run_script(
        "scripts/index",
        folder / "log",
        output=[str(output)],
        params={"entries": [entry], "configs": ["default.yaml", text]},
    )
    return Page(output.read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", HTML)
def test_the_page_of_results_takes_text_for_text(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    tame, page = index("tame", tmp_path), index(text, tmp_path)
    assert outline(page) == outline(tame)
    assert page.text == tame.text.replace("tame.", text.replace("/", "") + ".").replace("tame", text)
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "svg"})
    addresses = [attributes.get("href") or attributes.get("src") for _, attributes in page.elements]
    assert not [each for each in addresses if each and re.search("[<>\"' ]", each)]


# The gallery of diagrams.

SVG = '<?xml version="1.0"?>\n<svg width="10pt" height="10pt" viewBox="0 0 10 10"><path d="M0 0"/></svg>'


def gallery_page(text: str) -> Page:
    table = pd.DataFrame(
        {
            "diagrams": [2],
            "integrals_before": [9],
            "integrals_after": [5],
            "variables": [4],
            f"agreement_{text}": [1e-13],
        },
        index=[text],
    )
    entry = gallery.Entry(text, text, "K", "K", SVG)
    return Page(gallery.page([entry], table, SVG, text))


@pytest.mark.parametrize("text", HTML)
def test_the_gallery_takes_text_for_text(text: str) -> None:
    tame, page = gallery_page("Xtame"), gallery_page(f"X{text}")
    assert outline(page) == outline(tame)
    for place in (f"Recursion of X{text}", f"Diagrams of X{text}"):
        assert place in [attributes.get("aria-label") for _, attributes in page.elements]
    assert f"X{text}" in [attributes.get("id") for _, attributes in page.elements]
    assert page.text.count(text) == tame.text.count("tame") > 4
