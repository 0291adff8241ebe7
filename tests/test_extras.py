"""What an extra brings is imported by nothing that works without it, and who lacks it is told its name."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from ntkfield.extras import needs

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "ntkfield"
SMOKE = ROOT / "tests" / "smoke"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
NOT_CORE = ("ase", "frozendict", "matplotlib", "neural_tangents", "pooch")
NOT_CORE += ("requests", "s2fft", "sklearn", "sympy", "zarr")


def distributions(requirements: list[str]) -> set[str]:
    """The packages asked for, with those of the extras of ntkfield among them."""
    found = set()
    for requirement in requirements:
        name, inner = re.match(r"([\w-]+)(?:\[([\w,]+)\])?", requirement).groups()
        found |= distributions([r for extra in inner.split(",") for r in EXTRAS[extra]]) if inner else {name}
    return found


def guarded(node: ast.With) -> set[str]:
    """What the extra that a ``with needs(...)`` names brings."""
    calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
    names = [call.args[0].value for call in calls if ast.unparse(call.func) == "needs"]
    return distributions([requirement for name in names for requirement in EXTRAS[name]])


def foreign(node: ast.AST, allowed: set[str]) -> Iterator[tuple[str, set[str]]]:
    """Every foreign module imported under a node, with the packages that may be imported there."""
    if isinstance(node, ast.With):
        allowed = allowed | guarded(node)
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    if isinstance(node, ast.ImportFrom) and not node.level:
        names = [node.module]
    tops = {name.partition(".")[0] for name in names}
    yield from ((top, allowed) for top in tops - {"ntkfield"} - sys.stdlib_module_names)
    if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
        for child in ast.iter_child_nodes(node):
            yield from foreign(child, allowed)


def test_every_import_is_declared_where_it_is_needed():
    core, offered, seen = distributions(PROJECT["dependencies"]), packages_distributions(), set()
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.parent / "__init__.py"
        guards = [node for node in ast.parse(room.read_text()).body if isinstance(node, ast.With)]
        allowed = core.union(*map(guarded, guards))  # of the whole room
        for top, packages in foreign(ast.parse(path.read_text()), allowed):
            assert packages & set(offered[top]), (
                f"{path.relative_to(PACKAGE)} imports {top}, which no extra named there brings"
            )
            seen |= {top}
    assert {"jax", "s2fft", "requests", "neural_tangents", "matplotlib"} <= seen  # the walk finds imports


def test_without_extras_each_name_says_what_it_needs():
    program = f"""
import importlib.abc, runpy, sys
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {NOT_CORE!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
from importlib import metadata
found = metadata.version
def version(name):
    if name == "neural-tangents":
        raise metadata.PackageNotFoundError(name)
    return found(name)
metadata.version = version
runpy.run_path({str(SMOKE / "missing.py")!r})
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_missing_package_is_said_with_the_command_that_brings_it():
    with pytest.raises(ModuleNotFoundError) as caught, needs("sphere", "ntkfield.signals"):
        import s2fft.no_such_module  # noqa: F401
    assert str(caught.value) == 'ntkfield.signals needs s2fft.no_such_module: pip install "ntkfield[sphere]"'
    with pytest.raises(ImportError, match="cannot import name 'no_such_name'"), needs("sphere", "ntkfield.signals"):
        from s2fft import no_such_name  # noqa: F401


def test_every_extra_is_tried_where_the_wheel_is_installed_and_stands_in_the_readme():
    offered = set(EXTRAS) - {"docs", "dev"}
    assert {path.stem for path in SMOKE.glob("*.py")} - {"core", "missing"} == offered
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE)) == offered
