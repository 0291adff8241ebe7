"""The code that a script uses, and a hash that changes with it; docs/code.md says what counts.

Nothing is run: who imports whom is read from the sources, the library's by grimp.
"""

import ast
import functools
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import grimp

# What scripts may import beside modules of their own folder and of the library.
HELPERS = (Path(__file__).parent, Path(__file__).parent / "scripts")
LOOKED_UP = {
    "infinite": "networks.base",
    "bridge": "bridge.networks",
    "finite": "finite.wiring",
    "sampling": "sampling.draws",
}
"""Rooms in which the library looks up a module by a network's type, and what looks there."""


class CodeHash:
    """Hashes of the code that scripts use of a library, of helpers, and of their own.

    Args:
        library: name of a package that Python finds, which is not imported.
        helpers: folders with modules that any script may import.
    """

    def __init__(self, library: str = "ntkfield", helpers: Iterable[Path] = HELPERS) -> None:
        spec = importlib.util.find_spec(library)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"{library} is not installed")
        self.library, self.folder, self.helpers = library, Path(spec.origin).parent, tuple(helpers)
        self.graph = grimp.build_graph(library, exclude_type_checking_imports=True, cache_dir=None)
        family, networks = f"{library}.networks.group_cnn", f"{library}.networks"
        for network in self.graph.find_children(networks) if networks in self.graph.modules else ():
            if self.graph.direct_import_exists(importer=network, imported=family):
                self.graph.add_import(importer=family, imported=network)  # it makes the network of any family
        self._code = functools.cache(_code)

    def of(self, script: Path) -> str:
        """Twelve hexadecimal digits that change when code does that a script uses."""
        text = "\n".join(f"# {name}\n{self._code(path)}" for name, path in sorted(self.used(script).items()))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def used(self, script: Path) -> dict[str, Path]:
        """All modules whose code a script uses, directly or not, and where they stand.

        Raises:
            ValueError: for an import from a package, which does not say whose code is used.
        """
        found, waiting, modules = {script.stem: script}, [script], set()
        while waiting:
            for name in _imports(waiting.pop()):
                beside = self._helper(name.partition(".")[0], script.parent)
                if beside and beside.stem not in found:
                    found[beside.stem] = beside
                    waiting.append(beside)
                elif name.partition(".")[0] == self.library:
                    module = name if name in self.graph.modules else name.rpartition(".")[0]
                    if self.graph.find_children(module):
                        accepted = "an import from the module that defines what is used"
                        raise ValueError(f"{script}: {name} is refused: expected {accepted}")
                    modules.add(module)
        return found | {module: self._file(module) for module in self._closed(modules)}

    def _closed(self, modules: set[str]) -> set[str]:
        """Modules of the library with all that they import, and with what is looked up by the types of networks."""
        found: set[str] = set()
        while modules:
            found |= modules.union(*map(self.graph.find_upstream_modules, modules))
            networks = {name.rpartition(".")[2] for name in found if name.startswith(f"{self.library}.networks.")}
            rooms = [room for room, asking in LOOKED_UP.items() if f"{self.library}.{asking}" in found]
            named = {f"{self.library}.{room}.{network}" for room in rooms for network in networks}
            modules = (named & self.graph.modules) - found
        return found

    def _helper(self, name: str, folder: Path) -> Path | None:
        """The file of a module beside a script or among the helpers of all."""
        return next((path for each in (folder, *self.helpers) if (path := each / f"{name}.py").is_file()), None)

    def _file(self, module: str) -> Path:
        stem = self.folder.joinpath(*module.split(".")[1:])
        return stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")


def _imports(path: Path) -> Iterator[str]:
    """Dotted names that a script or a helper imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _code(path: Path) -> str:
    """A file's code without comments, docstrings and layout."""
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        match node:
            case ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                if ast.get_docstring(node, clean=False) is not None:
                    node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def note(rules: Iterable[Any]) -> None:
    """Give every rule with a script the parameter ``code``, so that Snakemake re-runs it when its code changes."""
    code = CodeHash()
    for rule in rules:
        if rule.script:
            script = Path(rule.basedir.join(rule.script)).resolve()
            rule.set_params(code=functools.partial(lambda script, wildcards: code.of(script), script))
