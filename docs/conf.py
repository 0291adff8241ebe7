"""How Sphinx makes the site: `make docs`. Nothing in it is fetched, so it is built and read without a network."""

import os
import pydoc
import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

import ntkfield

logger = logging.getLogger(__name__)

project = "ntkfield"
author = "The ntkfield developers"
version = release = ntkfield.__version__
html_title = f"{project} {release}"
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
templates_path = ["_templates"]
exclude_patterns = ["_build"]

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3

# The gallery is executed at every build: a cell that fails, warns or takes too long fails the build.
nb_execution_mode = "force"
nb_execution_timeout = 300  # of one cell, beside other work on the same cores
nb_execution_raise_on_error = True
nb_output_stderr = "warn"
nb_merge_streams = True
os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"  # of tqdm in a cell, for widgets that nothing here shows

default_role = "code"  # single backticks in docstrings are arguments
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
add_module_names = False
napoleon_numpy_docstring = False
napoleon_use_rtype = False
python_maximum_signature_line_length = 80

nitpicky = True
# Other packages' names: no inventory of theirs can be asked for without a network.
OTHERS = (
    "abc|ase|collections|fractions|functools|jax|matplotlib|neural_tangents|numpy|os|pandas|pathlib|sympy|types|typing"
    "|xarray"
)
nitpick_ignore_regex = [("py:.*", rf"({OTHERS})\..*")]
nitpick_ignore = [
    ("py:class", "Figure"),  # of matplotlib, imported for type checkers only
    ("py:class", "qmc.Sobol"),  # likewise of SciPy
    ("py:class", "Gauss"),  # an alias, spelt out where it is defined
    # Type variables.
    ("py:class", "Arguments"),
    ("py:class", "ntkfield.finite.recursion.Given"),
    ("py:class", "ntkfield.gaussian.rungs.Found"),
    ("py:class", "ntkfield.progress.Item"),
    *(
        (f"py:{role}", f"ntkfield.networks.routes.{name}")
        for role in ("class", "obj")
        for name in ("Arguments", "Given", "Result")
    ),
]


def offered(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element) -> nodes.Element | None:
    """Where a name that a package offers, or a module imports, is documented: under the module that defines it."""
    target = node["reftarget"]
    found = pydoc.locate(target) or pydoc.locate(f"{node.get('py:module')}.{target}")
    home = f"{getattr(found, '__module__', None)}.{getattr(found, '__qualname__', None)}"
    if home == target:
        return None
    return env.get_domain("py").resolve_xref(env, node["refdoc"], app.builder, "obj", home, node, content)


def mathml(node: nodes.math | nodes.math_block, display: str) -> str:
    """A formula as MathML, which browsers draw by themselves."""
    formula = convert(node.astext().replace("{aligned}", "{split}"), display=display)
    if "\\" in formula or "&#x00026;" in formula:  # what the converter does not know it leaves as it is
        logger.warning("this formula has no MathML: %s", node.astext(), location=node)
    return formula


def inline_math(page: HTML5Translator, node: nodes.math) -> None:
    """A formula in a line."""
    page.body.append(mathml(node, "inline"))
    raise nodes.SkipNode


def displayed_math(page: HTML5Translator, node: nodes.math_block) -> None:
    """A formula of its own, in a box that scrolls where the formula is wider than the page."""
    page.body.append(f'<div class="math">{mathml(node, "block")}</div>')
    raise nodes.SkipNode


def linked(app: Sphinx, document: nodes.document) -> None:
    """Names of the library that stand in a page as code lead to the reference, and must be there."""
    for literal in list(document.findall(nodes.literal)):
        name = re.match(r"(?:nf|ntkfield)((?:\.\w+)+)(?:\(.*\))?$", literal.astext())
        if name is None or isinstance(literal.parent, nodes.reference | pending_xref | nodes.title):
            continue
        target = f"ntkfield{name[1]}"
        link = pending_xref("", refdomain="py", reftype="obj", reftarget=target, refdoc=app.env.docname, refwarn=True)
        literal.replace_self(link)
        link += literal


def from_source(app: Sphinx, page: str, source: list[str]) -> None:
    """Links that leave docs/ for a file that has a page here."""
    source[0] = source[0].replace("](../CONTRIBUTING.md)", "](contributing.md)")


def skipped(app: Sphinx, what: str, name: str, found: object, skip: bool, options: object) -> bool | None:
    """A named tuple's fields are in its docstring; by themselves they say "Alias for field number 0"."""
    return True if type(found).__name__ == "_tuplegetter" else None


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (inline_math, None), (displayed_math, None))
    app.config.html_math_renderer = "mathml"
    app.connect("doctree-read", linked)
    app.connect("missing-reference", offered)
    app.connect("autodoc-skip-member", skipped)
    app.connect("source-read", from_source)
