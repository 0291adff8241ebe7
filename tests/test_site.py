"""What the site is made of: `make docs` builds it, and fails on what warns or does not run."""

import ast
import itertools
import pkgutil
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import ntkfield as nf

ROOT = Path(__file__).parents[1]
GALLERY = ROOT / "docs/gallery"


def questions() -> list[str]:
    """The studies of the README, in the first column of its table of questions."""
    (table,) = re.findall(r"\| study \| question \|.*?\n\|.*?\n(.*?)\n\n", (ROOT / "README.md").read_text(), re.DOTALL)
    return [row.split("|")[1].strip() for row in table.splitlines()]


@pytest.mark.parametrize("name", ["neural_tangents", *questions()])
def test_every_question_of_the_readme_has_its_notebook(name):
    page = (GALLERY / f"{name}.md").read_text()
    assert page.startswith("---\nfile_format: mystnb\n")  # or it is shown and not run
    assert re.search(r"^\*[A-Z].*\?\*$", page, re.MULTILINE)  # the question, before anything else
    assert "```{code-cell}" in page
    index = (GALLERY / "index.md").read_text()
    assert f"({name}.md)" in index
    assert f"\n{name}\n" in index


def test_cells_fit_the_column_that_shows_them():
    for page in GALLERY.glob("*.md"):
        for cell in re.findall(r"```\{code-cell\}\n(.*?)```", page.read_text(), re.DOTALL):
            assert max(map(len, cell.splitlines())) <= 88, page.name


def test_the_reference_names_everything_offered():
    page = (ROOT / "docs/api/index.md").read_text()
    listed = re.findall(r"^   ntkfield\.(\w+)$", page, re.MULTILINE)
    rooms = [module.name for module in pkgutil.iter_modules(nf.__path__)]
    assert sorted(listed) == sorted([*nf.__all__, *rooms])


def test_no_words_before_a_colon_are_taken_for_a_type():
    """Sphinx reads the first line of an attribute's docstring as `type: meaning`, and finds no class of that name."""
    taken = []
    for path in (ROOT / "src").rglob("*.py"):
        blocks = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Module | ast.ClassDef))
        for before, said in itertools.chain.from_iterable(itertools.pairwise(block.body) for block in blocks):
            if isinstance(before, ast.Assign | ast.AnnAssign) and isinstance(said, ast.Expr):
                text = ast.unparse(said.value).lstrip("r'\"")
                taken += [f"{path.name}: {text}"] if re.match(r"[^`\n]*: ", text) else []
    assert taken == []


def test_every_page_stands_behind_a_door():
    index = (ROOT / "docs/index.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert page.stem == "index" or f"({page.name})" in index, page.name


def test_every_cell_shows_the_figure_that_it_draws():
    """Also the second one, after the house style has put back what it found."""
    draw = "with house_style():\n    plt.subplots()"
    imports = "import matplotlib.pyplot as plt\nfrom ntkfield.figures.style import house_style"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in (imports, draw, draw)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [any("image/png" in output.get("data", {}) for output in cell.outputs) for cell in notebook.cells]
    assert shown == [False, True, True]
