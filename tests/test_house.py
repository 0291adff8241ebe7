"""The rules of the house: who may import whom, how long a module may be, and one version everywhere."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import ntkfield

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "ntkfield"

# Top floor first. A room is a sub-package or a module of ntkfield; it imports only from the floors under its own.
FLOORS = (
    {"figures"},
    {"dynamics", "sampling"},
    {"finite", "diagrams"},
    {"infinite", "bridge"},
    {"networks", "groups", "tensors"},
    {"activations", "gaussian"},
    {"signals", "datasets"},
    {"store", "checks", "progress"},
    {"extras"},
)
# Doors between rooms of one floor, one way each.
DOORS = {("networks", "groups"), ("activations", "gaussian")}
# Foreign packages that only the named rooms may import.
FOREIGN = {"neural_tangents": {"bridge"}, "snakemake": set()}
MAX_LINES = 400

LEVEL = {room: len(FLOORS) - i for i, rooms in enumerate(FLOORS) for room in rooms}


def imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[str]:
    """Yield every imported dotted name, made absolute, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            here = module.split(".") if is_package else module.split(".")[:-1]
            base = here[: len(here) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{prefix}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ntkfield":
            yield f"ntkfield.{node.attr}"


def violations(sources: dict[str, str]) -> list[str]:
    """Check modules given as {path inside the package: source}; return one sentence for each broken rule."""
    broken = []
    for path, source in sources.items():
        parts = ["ntkfield", *Path(path).with_suffix("").parts]
        is_package = parts[-1] == "__init__"
        parts = parts[:-1] if is_package else parts
        room = parts[1] if len(parts) > 1 else None  # None is the front door, ntkfield/__init__.py
        if room is not None and room not in LEVEL:
            broken.append(f"{path}: `{room}` stands on no floor; name one in FLOORS and in the design")
            continue
        for name in imports(ast.parse(source), ".".join(parts), is_package):
            top, _, rest = name.partition(".")
            if top in FOREIGN and room not in FOREIGN[top]:
                broken.append(f"{path}: imports {top}, which only {sorted(FOREIGN[top]) or 'nobody'} may")
            if top != "ntkfield" or room is None or rest in ("", "__version__"):
                continue
            other = rest.split(".")[0]
            if other == room:
                continue
            if other not in LEVEL:
                broken.append(f"{path}: takes `{other}` through the front door; import it from its room")
            elif LEVEL[other] >= LEVEL[room] and (room, other) not in DOORS:
                broken.append(f"{path}: `{room}` imports `{other}`, which is not on a floor under it")
    return broken


def read_package() -> dict[str, str]:
    return {str(p.relative_to(PACKAGE)): p.read_text(encoding="utf-8") for p in sorted(PACKAGE.rglob("*.py"))}


def test_imports_point_downwards():
    assert violations(read_package()) == []


def test_no_module_is_too_long():
    lengths = {path: len(source.splitlines()) for path, source in read_package().items()}
    assert {path: n for path, n in lengths.items() if n > MAX_LINES} == {}


def test_one_version_everywhere():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert pyproject["project"]["dynamic"] == ["version"]
    assert pyproject["tool"]["hatch"]["version"] == {"path": "src/ntkfield/__init__.py"}
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert ntkfield.__version__ == citation["version"]
    assert pyproject["project"]["license"] == citation["license"]


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("infinite/mlp.py", "from ntkfield.finite import solve", "`infinite` imports `finite`"),
        ("infinite/mlp.py", "from ..finite.solve import step", "`infinite` imports `finite`"),
        ("infinite/__init__.py", "from .. import finite", "`infinite` imports `finite`"),
        ("infinite/mlp.py", "import ntkfield.figures.curves as c", "`infinite` imports `figures`"),
        ("infinite/mlp.py", "import ntkfield\nx = ntkfield.finite.solve()", "`infinite` imports `finite`"),
        ("infinite/mlp.py", "def f():\n    from ntkfield import finite", "`infinite` imports `finite`"),
        ("finite/system.py", "from ntkfield.diagrams import rules", "`finite` imports `diagrams`"),
        ("diagrams/rules.py", "from ntkfield.finite import system", "`diagrams` imports `finite`"),
        ("groups/so3.py", "from ntkfield import networks", "`groups` imports `networks`"),
        ("networks.py", "from ntkfield.infinite import mlp", "`networks` imports `infinite`"),
        ("networks.py", "def f():\n    from ntkfield import bridge", "`networks` imports `bridge`"),
        ("networks.py", "if TYPE_CHECKING:\n    from ntkfield import infinite", "`networks` imports `infinite`"),
        ("finite/system.py", "from ntkfield import MLP", "front door"),
        ("infinite/mlp.py", "def f():\n    from neural_tangents import stax", "imports neural_tangents"),
        ("__init__.py", "import neural_tangents as nt", "imports neural_tangents"),
        ("store.py", "import snakemake.utils", "imports snakemake"),
        ("helpers.py", "", "stands on no floor"),
    ],
)
def test_a_broken_rule_is_found(path, source, complaint):
    (found,) = violations({path: source})
    assert complaint in found


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("__init__.py", "from ntkfield.figures import curves\nfrom .store import write"),
        ("figures/curves.py", "import seaborn\nfrom ntkfield.store import read\nfrom .style import palette"),
        ("finite/system.py", "from ..gaussian.quadrature import expect\nfrom . import layers"),
        ("bridge/layers.py", "import neural_tangents as nt"),
        ("networks.py", "from .groups import so3"),
        ("store.py", "import ntkfield\nv = ntkfield.__version__"),
    ],
)
def test_a_kept_rule_is_left_alone(path, source):
    assert violations({path: source}) == []


def test_doors_lead_one_way_and_never_between_the_two_roads():
    assert all(LEVEL[a] == LEVEL[b] for a, b in DOORS)
    assert not any((b, a) in DOORS for a, b in DOORS)
    assert {frozenset(door) for door in DOORS}.isdisjoint({frozenset({"finite", "diagrams"})})
