"""Config files laid over one another, and what is said of bad ones, before any work and before any plan."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from runs import ROOT, Run

sys.path.insert(0, str(ROOT / "workflow/cost"))

from measure import read_config

sys.path.insert(0, str(ROOT / "workflow"))

from config_check import read, refusal

SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())


def own(tmp_path: Path, **change: dict) -> dict:
    """The default config with one's own over it."""
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(change))
    return read_config([str(path)])


def test_null_takes_out_what_the_default_has(tmp_path: Path) -> None:
    config = own(tmp_path, scale={"cases": {"gelu": None}}, images={"networks": {"d4": None}})
    assert list(config["scale"]["cases"]) == ["relu", "leaky_relu", "linear"]
    assert list(config["images"]["networks"]) == ["c1", "c4"]
    assert refusal(config, SCHEMA) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sine": None}, "config: sine = None is refused: expected a value"),
        ({"scale": {"widths": None}}, "config: scale.widths = None is refused: expected a value"),
        ({"scale": {"cases": {"own": {"activation": "relu"}}}}, "config: scale.cases.own.depth = None is refused"),
        ({"scale": {"cases": {"a/b": {}}}}, "config: scale.cases = 'a/b' is refused: expected a name of lower-case"),
        ({"diagrams": {"network": {"depth": None}}}, "config: diagrams.network.depth = None is refused"),
    ],
)
def test_what_cannot_be_missing_is_named(tmp_path: Path, change: dict, said: str) -> None:
    assert str(refusal(own(tmp_path, **change), SCHEMA)).startswith(said)


@pytest.mark.workflow
def test_snakemake_takes_cases_out_and_adds_others(tmp_path: Path) -> None:
    case = yaml.safe_load((ROOT / "config/default.yaml").read_text())["scale"]["cases"]["gelu"]
    jobs = Run(tmp_path, "scale").planned({"scale": {"cases": {"gelu": None, "tanh": case | {"activation": "tanh"}}}})
    assert jobs == {"finite_theory": 4, "finite_sample": 4 * 2, "scale_figure": 1}
    listed = Run(tmp_path, "scale").make("--dry-run", change={"scale": {"cases": {"gelu": None}}})
    assert "results/scale/theory/linear.zarr.zip" in listed
    assert "gelu" not in listed


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "own.yaml is refused: expected keys with values"),
        (b"# nothing yet\n", "own.yaml is refused: expected keys with values"),
        (b"- sine\n", "own.yaml is refused: expected keys with values"),
        (b"sine:\n  widths: [16, 64\n  members: 8\n", "own.yaml, line 3, is refused: expected YAML"),
        (b"sine:\n\twidths: [16, 64]\n", "own.yaml, line 2, is refused: expected YAML"),
        (b"%PDF-1.4\n\xff\xfe", "own.yaml is refused: expected a text in YAML"),
        (None, "own.yaml is refused: expected the path of a config file"),
    ],
)
def test_a_file_that_is_no_config_is_named_with_the_line(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "own.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SystemExit, match=f"^config: .*{said}"):
        read(path)


def test_make_reads_every_config_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("sine: [\n")
    command = [sys.executable, str(ROOT / "workflow/config_check.py"), str(ROOT / "config/ci.yaml")]
    assert subprocess.run(command, check=False).returncode == 0
    run = subprocess.run([*command, str(tmp_path / "broken.yaml")], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "broken.yaml, line 2, is refused: expected YAML" in run.stderr
    for target in ("results", "plan", "archive"):
        shown = subprocess.run(
            ["make", "--dry-run", "--old-file=.venv/.installed", target, "CONFIG=a.yaml b.yaml"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "config_check.py a.yaml b.yaml" in shown.split("--configfile")[0]


DEFAULT = read_config([])


def said(field: str, value: object) -> str | None:
    """What the default config is refused for once a field of it has another value."""
    config = copy.deepcopy(DEFAULT)
    *path, last = field.split(".")
    section = config
    for key in path:
        section = section[key]
    section[last] = value
    return refusal(config, SCHEMA)


@pytest.mark.parametrize(
    "field",
    [
        *("corrections.widths", "scale.widths", "images.convergence.widths", "sine.widths", "augmentation.widths"),
        *("criticality.depths", "molecules.train_sizes", "images.train_sizes"),
        *("sine.problem.times", "augmentation.times"),
    ],
)
@pytest.mark.parametrize("values", [[64, 16], [16, 64, 64]])
def test_what_runs_along_an_axis_increases(field: str, values: list[int]) -> None:
    assert said(field, sorted(set(values))) is None
    assert said(field, values) == f"config: {field} = {values} is refused: expected a list of increasing numbers"


def test_training_points_lie_where_outputs_are_drawn() -> None:
    assert said("sine.problem.train_points", [-3.14159, 0.0]) is None
    assert re.search(
        r"train_points\.1 = 4\.0 is refused: expected 3\.14\d+ or below", said("sine.problem.train_points", [0.0, 4.0])
    )


def test_no_weight_variance_must_be_critical() -> None:
    assert said("criticality.weight_variances", [0.5, 1.0]) is None
    assert said("criticality.network.activation", "softplus") is None


def test_a_list_of_something_else_is_refused_for_what_it_is() -> None:
    assert said("sine.widths", [16, "x"]) == "config: sine.widths.1 = 'x' is refused: expected a whole number"
