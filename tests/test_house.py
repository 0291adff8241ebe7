"""The rules of the house: who may import whom, how long a module may be, and one version everywhere."""

import tomllib
from pathlib import Path

import grimp
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
    {"version", "late", "extras"},
)
# Doors between rooms of one floor, one way each.
DOORS = {("networks", "groups"), ("activations", "gaussian")}
# Foreign packages that only the named rooms may import.
FOREIGN = {"neural_tangents": {"bridge"}, "snakemake": set()}
MAX_LINES = 400

LEVEL = {room: len(FLOORS) - i for i, rooms in enumerate(FLOORS) for room in rooms}


@pytest.fixture
def graph() -> grimp.ImportGraph:
    """Who imports whom, wherever the import stands."""
    return grimp.build_graph("ntkfield", include_external_packages=True, cache_dir=None)


def violations(graph: grimp.ImportGraph) -> list[str]:
    """One sentence for each broken rule."""
    rooms = {child.removeprefix("ntkfield.") for child in graph.find_children("ntkfield")}
    broken = [f"`{room}` stands on no floor; name one in FLOORS and in the design" for room in sorted(rooms - {*LEVEL})]
    for module in sorted(graph.modules):
        top, room, *_ = [*module.split("."), None]
        is_package = top == "ntkfield" and graph.find_children(module)
        for user in sorted(graph.find_modules_that_directly_import(module)):
            own = user.split(".")[1] if "." in user else None  # None is the front door, ntkfield/__init__.py
            if top in FOREIGN and own not in FOREIGN[top]:
                broken.append(f"{user} imports {top}, which only {sorted(FOREIGN[top]) or 'nobody'} may")
            elif is_package and own:
                broken.append(f"{user} imports from the package {module}; import from the module that defines it")
            elif own in LEVEL and LEVEL.get(room, 0) >= LEVEL[own] and room != own and (own, room) not in DOORS:
                broken.append(f"{user}: `{own}` imports `{room}`, which is not on a floor under it")
    return broken


def test_imports_point_downwards(graph: grimp.ImportGraph) -> None:
    assert violations(graph) == []


def test_no_module_is_too_long() -> None:
    lengths = {str(p): len(p.read_text(encoding="utf-8").splitlines()) for p in PACKAGE.rglob("*.py")}
    assert {path: n for path, n in lengths.items() if n > MAX_LINES} == {}


def test_one_version_everywhere() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert pyproject["project"]["dynamic"] == ["version"]
    assert pyproject["tool"]["hatch"]["version"] == {"path": "src/ntkfield/version.py"}
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert ntkfield.__version__ == citation["version"]
    assert pyproject["project"]["license"] == citation["license"]


@pytest.mark.parametrize(
    ("user", "imported", "complaint"),
    [
        ("infinite.mlp", "finite.solve", "`infinite` imports `finite`"),
        ("infinite", "finite.solve", "`infinite` imports `finite`"),
        ("infinite.mlp", "figures.sine", "`infinite` imports `figures`"),
        ("finite.solve", "diagrams.rules", "`finite` imports `diagrams`"),
        ("diagrams.rules", "finite.solve", "`diagrams` imports `finite`"),
        ("dynamics.predict", "sampling.draws", "`dynamics` imports `sampling`"),
        ("groups.so3", "networks.mlp", "`groups` imports `networks`"),
        ("gaussian.tower", "activations", "`gaussian` imports `activations`"),
        ("networks.base", "bridge.mlp", "`networks` imports `bridge`"),
        ("finite.solve", "networks", "from the package ntkfield.networks"),
        ("infinite.mlp", "infinite", "from the package ntkfield.infinite"),
        ("finite.solve", "", "from the package ntkfield;"),
        ("infinite.mlp", "neural_tangents", "imports neural_tangents"),
        ("", "neural_tangents", "imports neural_tangents"),
        ("store", "snakemake", "imports snakemake"),
        ("helpers", "checks", "stands on no floor"),
    ],
)
def test_a_broken_rule_is_found(graph: grimp.ImportGraph, user: str, imported: str, complaint: str) -> None:
    graph.add_import(importer=named(user), imported=named(imported))
    (found,) = violations(graph)
    assert complaint in found


@pytest.mark.parametrize(
    ("user", "imported"),
    [
        ("", "figures.sine"),
        ("", "networks"),
        ("figures.sine", "infinite.mlp"),
        ("bridge.mlp", "neural_tangents"),
        ("networks.so3", "groups.so3"),
        ("store", "version"),
    ],
)
def test_a_kept_rule_is_left_alone(graph: grimp.ImportGraph, user: str, imported: str) -> None:
    graph.add_import(importer=named(user), imported=named(imported))
    assert violations(graph) == []


def named(path: str) -> str:
    """A module from its path inside the package; a foreign package as it is."""
    return path if path in FOREIGN else f"ntkfield.{path}".removesuffix(".")


def test_doors_lead_one_way_and_never_between_the_two_roads():
    assert all(LEVEL[a] == LEVEL[b] for a, b in DOORS)
    assert not any((b, a) in DOORS for a, b in DOORS)
    assert {frozenset(door) for door in DOORS}.isdisjoint({frozenset({"finite", "diagrams"})})
