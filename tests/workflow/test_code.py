"""What code a script uses, and what a change of it re-runs."""

import importlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from runs import ROOT, Run
from scripts import WORKFLOW

sys.path.append(str(ROOT / "workflow"))
from code_hash import LOOKED_UP, CodeHash

SOURCES = {
    "src/toy/__init__.py": "from toy.offered import thing\n",
    "src/toy/offered.py": "from toy.base import number\nthing = number\n",
    "src/toy/base.py": "number = 1\n",
    "src/toy/user.py": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from toy import other\nfrom toy import base\n"
    ),
    "src/toy/other.py": "value = 2\n",
    "src/toy/networks/__init__.py": "from toy.networks.mlp import MLP\nfrom toy.networks.planar import Planar\n",
    "src/toy/networks/group_cnn.py": "GroupCNN = 1\n",
    "src/toy/networks/base.py": "",
    "src/toy/networks/mlp.py": "import toy.networks.base\nMLP = 1\n",
    "src/toy/networks/planar.py": "import toy.networks.base\nfrom toy.networks.group_cnn import GroupCNN\nPlanar = 1\n",
    "src/toy/infinite/__init__.py": "",
    "src/toy/infinite/mlp.py": "def kernel():\n    import toy.infinite.layers\n",
    "src/toy/infinite/layers.py": "step = 1\n",
    "src/toy/infinite/planar.py": "kernel = 1\n",
    "src/toy/bridge/__init__.py": "from toy.bridge.networks import to_stax\n",
    "src/toy/bridge/networks.py": "to_stax = 1\n",
    "src/toy/bridge/planar.py": "layers = 1\n",
    "src/toy/finite/__init__.py": "",
    "src/toy/finite/wiring.py": "",
    "src/toy/finite/solve.py": "def tensors():\n    import toy.finite.wiring\n",
    "src/toy/finite/mlp.py": "import toy.finite.transport\nwiring = 1\n",
    "src/toy/finite/transport.py": "law = 1\n",
    "src/toy/finite/planar.py": "wiring = 2\n",
    "shared/job.py": '"""Said."""\nimport toy.base\n',
    "study/inputs.py": "from toy.networks.mlp import MLP\n",
    "study/plain.py": "import job\nimport numpy as np\nfrom toy.user import base\n",
    "study/train.py": "import job\nimport inputs\n",
    "study/groups.py": "from toy.networks.group_cnn import GroupCNN\n",
    "study/layers.py": "from toy.bridge.networks import to_stax\nfrom toy.networks.planar import Planar\n",
    "study/order.py": "from toy.networks.mlp import MLP\nfrom toy.finite.solve import tensors\n",
    "study/door.py": "import toy as t\n",
    "study/package.py": "def f():\n    from toy.networks import MLP\n",
}


MLP = ("networks.base", "networks.mlp", "infinite.mlp", "infinite.layers")
PLANAR = ("networks.base", "networks.planar", "networks.group_cnn", "infinite.planar")


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[str, set[str]]]:
    """Writes a library and scripts of a few lines; gives a script's hash and what it uses, as they are then."""
    for path, source in SOURCES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(source)
    monkeypatch.syspath_prepend(tmp_path / "src")

    def read(script: str) -> tuple[str, set[str]]:
        code, path = CodeHash("toy", [tmp_path / "shared"]), tmp_path / f"study/{script}.py"
        return code.of(path), {name.removeprefix("toy.") for name in code.used(path)}

    return read


@pytest.mark.parametrize(
    ("script", "used"),
    [
        ("plain", {"plain", "job", "base", "user"}),
        ("train", {"train", "job", "base", "inputs", *MLP}),
        ("groups", {"groups", *PLANAR}),
        ("layers", {"layers", *PLANAR, "bridge.networks", "bridge.planar"}),
        ("order", {"order", *MLP, "finite.solve", "finite.wiring", "finite.mlp", "finite.transport"}),
    ],
)
def test_a_script_uses_what_it_imports_and_what_is_looked_up_by_type(toy: Callable, script: str, used: set) -> None:
    assert toy(script)[1] == used


@pytest.mark.parametrize(("script", "name"), [("door", "toy"), ("package", "toy.networks.MLP")])
def test_an_import_that_does_not_say_whose_code_it_uses_is_refused(toy: Callable, script: str, name: str) -> None:
    with pytest.raises(ValueError, match=rf"{script}\.py: {name} is refused: expected an import from the module"):
        toy(script)


@pytest.mark.parametrize(
    ("path", "source", "changed"),
    [
        ("src/toy/base.py", "number = 2\n", {"plain", "train"}),
        ("src/toy/infinite/mlp.py", "kernel = 1\n", {"train", "order"}),
        ("src/toy/infinite/planar.py", "kernel = 2\n", {"groups", "layers"}),
        ("src/toy/finite/mlp.py", "wiring = 3\n", {"order"}),
        ("src/toy/finite/planar.py", "wiring = 3\n", set()),
        ("src/toy/bridge/planar.py", "layers = 2\n", {"layers"}),
        ("src/toy/other.py", "value = 3\n", set()),
        ("src/toy/__init__.py", "from toy.base import number\n", set()),
        ("src/toy/networks/__init__.py", "", set()),
        ("src/toy/base.py", '"""New words."""\n\n# and more\nnumber = (1)\n', set()),
        ("shared/job.py", '"""Said anew."""\nimport toy.base\n', set()),
        ("shared/job.py", '"""Said."""\nimport toy.base\nprint()\n', {"plain", "train"}),
        ("study/inputs.py", "from toy.networks.mlp import MLP\nMLP = 2\n", {"train"}),
        ("study/train.py", "import job\nimport inputs\nprint()\n", {"train"}),
    ],
)
def test_a_hash_changes_with_the_code_that_is_used(
    toy: Callable, tmp_path: Path, path: str, source: str, changed: set[str]
) -> None:
    scripts = ("plain", "train", "groups", "layers", "order")
    before = {script: toy(script)[0] for script in scripts}
    (tmp_path / path).write_text(source)
    assert {script for script in scripts if toy(script)[0] != before[script]} == changed


@pytest.fixture(scope="module")
def used() -> dict[str, set[str]]:
    """What every script of the workflow uses, by the script's room and name."""
    code = CodeHash()
    scripts = [path for path in WORKFLOW.rglob("*.py") if "job.start(snakemake)" in path.read_text()]
    return {f"{path.parent.name}/{path.stem}": set(code.used(path)) for path in scripts}


@pytest.mark.parametrize(
    ("module", "scripts"),
    [
        ("figures.learning_curve", {"molecules/learning_curve_figure", "molecules/calibration_figure"}),
        ("dynamics.learning_curve", {"molecules/learning_curve", "images/learning_curve"}),
        (
            "dynamics.ensembles",
            {
                "sine/train",
                "learning/train",
                "richness/train",
                "augmentation/train",
                "augmentation/orbit_train",
                "orthogonal/trained",
            },
        ),
        ("diagrams.key", {"diagrams/gallery"}),
        (
            "finite.recursion",
            {"finite/theory", "diagrams/agreement", "sine/theory", "learning/theory", "augmentation/orbit_theory"}
            | {"orthogonal/depth", "orthogonal/trained", "richness/line", "richness/error"},
        ),
        ("dynamics.mean_field", {"richness/line", "richness/error"}),
        ("infinite.molecules", {"molecules/tile", "molecules/candidate", "molecules/signals_figure"}),
    ],
)
def test_a_module_counts_for_the_scripts_that_use_it(used: dict, module: str, scripts: set[str]) -> None:
    assert {script for script in used if f"ntkfield.{module}" in used[script]} == scripts


def test_every_script_that_computes_uses_the_version_that_stores_keep(used: dict) -> None:
    computing = {script for script in used if any(name.startswith("ntkfield.") for name in used[script])}
    assert all({"ntkfield.store", "ntkfield.version"} <= used[script] for script in computing)
    assert not any(name in ("ntkfield", "ntkfield.networks") for script in used for name in used[script])


@pytest.mark.parametrize("script", ["images/convergence", "augmentation/train"])
def test_sampled_convolutions_use_the_bridge(used: dict, script: str) -> None:
    assert {"ntkfield.infinite.planar", "ntkfield.bridge.planar"} <= used[script]
    assert not any(name.startswith("ntkfield.bridge") for name in used["molecules/tile"])


def routes() -> Iterator[tuple[str, str, str]]:
    """Room, module and name of every function that the library finds by a network's type."""
    for path in (ROOT / "src").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
        for room, name in re.findall(r'^@route\("(\w+)"\)\ndef (\w+)', path.read_text(), re.MULTILINE):
            yield room, module, name


@pytest.mark.parametrize(("room", "module", "name"), [*routes()])
def test_what_is_looked_up_is_what_the_library_registers(room: str, module: str, name: str, tmp_path: Path) -> None:
    for path in (ROOT / "src/ntkfield" / room).glob("*.py"):
        if (ROOT / f"src/ntkfield/networks/{path.stem}.py").exists():
            importlib.import_module(f"ntkfield.{room}.{path.stem}")
    route = getattr(importlib.import_module(module), name)
    pairs = {(kind.__module__, found.__module__) for kind, found in route.registry.items()}
    pairs = {pair for pair in pairs if pair[0].startswith("ntkfield.") and pair[1].startswith("ntkfield.")}
    # Kernels and layers are registered for every family, other functions for one at least.
    assert len(pairs) > (3 if name in ("infinite_kernel", "stax_layer") else 0)
    asking = "ntkfield.bridge.networks" if room == "bridge" else module  # which calls what `networks` declares
    code, script = CodeHash(), tmp_path / "script.py"
    for network, found in pairs:
        script.write_text(f"import {network}\nimport {asking}\n")
        assert found in code.used(script)


def test_no_room_is_forgotten() -> None:
    assert {room for room, _, _ in routes()} == set(LOOKED_UP)


def test_the_bridge_is_used_by_importing_it() -> None:
    """The layers of a network are code that a script uses if what it imports does; a method's call is not seen."""
    callers = [*WORKFLOW.rglob("*.py"), *(ROOT / "src/ntkfield").glob("[!n]*/*.py")]
    for caller in callers:
        assert ".to_stax(" not in caller.read_text(), caller


@pytest.mark.workflow
@pytest.mark.slow
def test_a_change_re_runs_what_uses_it_and_nothing_else(finished: Callable[[str], Run], tmp_path: Path) -> None:
    """One dry run, of a copy with one change that counts, one that does not count, and new dates on every file."""
    shutil.copy(ROOT / "Snakefile", tmp_path)
    for name in ("workflow", "config", "src"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in (tmp_path / name).rglob("*.py"):
            path.touch()
    for path, old, new in (
        ("src/ntkfield/dynamics/learning_curve.py", "\ndef ", "\nEXTRA = 1\ndef "),
        ("src/ntkfield/infinite/so3.py", '"""', '"""A new first word. '),
        ("src/ntkfield/dynamics/ensembles.py", "\ndef ", "\nEXTRA = 1\ndef "),
    ):
        file = tmp_path / path
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new, 1))
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "src")}
    run = Run(finished("molecules").folder, "molecules", root=tmp_path, environment=environment)
    figures = {"molecules_learning_curve_figure", "molecules_calibration_figure"}
    assert set(run.planned()) == {"molecules_learning_curve", *figures}
