"""What a change of code re-runs: dry runs of a copy of the repository against a finished study."""

import importlib
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from runs import ROOT, Run
from snakemake.exceptions import WorkflowError

from ntkfield.networks import infinite_kernel, stax_layer

pytestmark = [pytest.mark.workflow, pytest.mark.slow]
CURVE = {"molecules_learning_curve", "molecules_learning_curve_figure"}


@pytest.fixture(scope="module")
def molecules(finished: Callable[[str], Run], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A copy of the repository, in which code can be changed, looking at the finished study."""
    root = tmp_path_factory.mktemp("repository")
    shutil.copy(ROOT / "Snakefile", root)
    for name in ("workflow", "config", "src"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    return Run(finished("molecules").folder, "molecules", root=root)


def replanned(run: Run, path: str, old: str, new: str) -> set[str]:
    """Rules that a dry run names once a file of the copy is changed; the file is put back."""
    file = run.root / path
    before = file.read_text()
    assert old in before
    file.write_text(before.replace(old, new, 1))
    try:
        return set(run.planned())
    finally:
        file.write_text(before)


def test_unchanged_code_in_files_with_new_dates_re_runs_nothing(molecules: Run) -> None:
    assert molecules.planned() == {}


@pytest.mark.parametrize(
    ("path", "old", "new", "rules"),
    [
        ("src/ntkfield/figures/learning_curve.py", "\ndef ", "\nEXTRA = 1\ndef ", {"molecules_learning_curve_figure"}),
        (
            "src/ntkfield/figures/style.py",
            '"font.size": 10',
            '"font.size": 11',
            {"molecules_learning_curve_figure", "molecules_signals_figure"},
        ),
        ("src/ntkfield/dynamics/learning_curve.py", "\ndef ", "\nEXTRA = 1\ndef ", CURVE),
        # The signals' figure takes the atoms' environments from a helper beside the scripts that also knows networks.
        (
            "src/ntkfield/infinite/so3.py",
            "\nROTATIONS_AT_ONCE = 2**17",
            "\nROTATIONS_AT_ONCE = 2**16",
            {"molecules_tile", "molecules_signals_figure", *CURVE},
        ),
        ("src/ntkfield/dynamics/ensembles.py", "\ndef ", "\nEXTRA = 1\ndef ", set()),
        ("src/ntkfield/__init__.py", "import ast", "import os\nimport ast", set()),
        ("src/ntkfield/__init__.py", "MLP, FiniteGroupCNN,", "MLP, Network, FiniteGroupCNN,", set()),
        ("src/ntkfield/infinite/so3.py", '"""', '"""A new first word. ', set()),
        ("src/ntkfield/store.py", "\ndef ", "\n# A comment.\n\n\ndef ", set()),
        ("workflow/scripts/molecules_tile.py", "import xarray", "# A comment.\nimport xarray", set()),
        ("workflow/scripts/molecules_tile.py", '"gl"', '"dh"', {"molecules_tile", *CURVE}),
    ],
)
def test_a_change_re_runs_what_uses_it_and_nothing_else(
    molecules: Run, path: str, old: str, new: str, rules: set[str]
) -> None:
    assert replanned(molecules, path, old, new) == rules


def code() -> dict:
    """The names of workflow/rules/code.smk, which is plain Python."""
    workflow = SimpleNamespace(basedir=str(ROOT), rules=[])
    given = {"Path": Path, "WorkflowError": WorkflowError, "workflow": workflow}
    return runpy.run_path(str(ROOT / "workflow/rules/code.smk"), init_globals=given)


@pytest.mark.parametrize(("route", "room"), [(infinite_kernel, "infinite"), (stax_layer, "bridge")])
def test_the_routes_are_those_that_the_library_registers(route: Callable, room: str) -> None:
    names = [path.stem for path in (ROOT / "src/ntkfield" / room).glob("*.py")]
    for name in names:
        if (ROOT / f"src/ntkfield/networks/{name}.py").exists():
            importlib.import_module(f"ntkfield.{room}.{name}")
    registered = {(kind.__module__, found.__module__) for kind, found in route.registry.items()}
    registered = {pair for pair in registered if pair[0].startswith("ntkfield.")}
    networks, used = {kind for kind, _ in registered}, code()["routes"]
    assert used(networks | {"ntkfield.bridge.networks"}) >= {found for _, found in registered}
    assert (used(networks) >= {found for _, found in registered}) == (room == "infinite")


def test_the_bridge_is_used_by_importing_it() -> None:
    """The layers of a network are code that a script uses if what it imports does; a method's call is not seen."""
    callers = [*(ROOT / "workflow/scripts").glob("*.py"), *(ROOT / "src/ntkfield").glob("[!n]*/*.py")]
    for caller in callers:
        assert ".to_stax(" not in caller.read_text(), caller


def test_a_module_is_found_through_the_package_that_offers_it() -> None:
    definer, used = code()["definer"], code()["modules_used"]
    assert definer("ntkfield.MLP") == "ntkfield.networks.mlp"
    assert definer("ntkfield.finite_width") == "ntkfield.finite.solve"
    assert definer("ntkfield.__version__") == "ntkfield"
    assert definer("numpy.linalg") is None
    assert definer("ntkfield.recursion") == "ntkfield.diagrams.recursions"
    with pytest.raises(WorkflowError, match=r"neither imports nor defines 'recursoin'"):
        definer("ntkfield.recursoin")
    for script in (ROOT / "workflow/scripts").glob("*.py"):
        if script.name not in ("job.py", "finite_results.py", "molecules_inputs.py"):
            assert {script.stem, "job", "ntkfield", "ntkfield.store"} <= set(used(script.stem))
    assert not any(module.startswith("ntkfield.bridge") for module in used("molecules_tile"))


@pytest.mark.parametrize("script", ["images_convergence", "augmentation_train"])
def test_sampled_convolutions_use_the_bridge(script: str) -> None:
    assert {"ntkfield.infinite.planar", "ntkfield.bridge.planar"} <= set(code()["modules_used"](script))
