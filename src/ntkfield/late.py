"""Packages that import what they offer when it is first asked for, so that they cost nothing before."""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path


def homes(package: str) -> dict[str, str]:
    """The module of every name that a package's own file imports under ``if TYPE_CHECKING:``."""
    tree = ast.parse(Path(str(sys.modules[package].__file__)).read_bytes())
    (offered,) = (each for each in tree.body if isinstance(each, ast.If) and "TYPE_CHECKING" in ast.unparse(each.test))
    return {
        alias.name: importlib.util.resolve_name(f"{'.' * line.level}{line.module}", package)
        for line in offered.body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
    }


def offers(package: str) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package: names under ``if TYPE_CHECKING:``, which editors read, and modules.

    Each is imported when it is first asked for.
    """
    where, module = homes(package), sys.modules[package]

    def get(name: str) -> object:
        if name in where:
            found = getattr(importlib.import_module(where[name]), name)
        elif not name.startswith("_") and importlib.util.find_spec(f"{package}.{name}"):
            found = importlib.import_module(f"{package}.{name}")
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        setattr(module, name, found)
        return found

    return get, lambda: sorted({*vars(module), *where})
