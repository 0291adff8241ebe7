"""Config files laid over one another, and what is said of bad ones, before any work and before any plan."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from configs import check, layered
from runs import ROOT, Run
from settings import RefusedError, read


def own(tmp_path: Path, **change: dict) -> dict:
    """The default config with one's own over it."""
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(change))
    config = layered([path])
    check(config)
    return config


def test_null_takes_out_what_the_default_has(tmp_path: Path) -> None:
    config = own(tmp_path, scale={"cases": {"gelu": None}}, images={"networks": {"d4": None}})
    assert list(config["scale"]["cases"]) == ["relu", "leaky_relu", "linear"]
    assert list(config["images"]["networks"]) == ["c1", "c4"]


@pytest.mark.workflow
def test_snakemake_takes_cases_out_and_adds_others(tmp_path: Path) -> None:
    case = yaml.safe_load((ROOT / "config/default.yaml").read_text())["scale"]["cases"]["gelu"]
    jobs = Run(tmp_path, "scale").planned({"scale": {"cases": {"gelu": None, "tanh": case | {"activation": "tanh"}}}})
    assert jobs == {"finite_theory": 2, "finite_sample": 2 * 2, "scale_figure": 1}
    listed = Run(tmp_path, "scale").make("--dry-run", change={"scale": {"cases": {"gelu": None}}})
    assert "results/ci/scale/theory/relu.zarr.zip" in listed
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
    with pytest.raises(RefusedError, match=f"^config: .*{said}"):
        read(path)


def test_make_reads_every_config_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("sine: [\n")
    command = [sys.executable, str(ROOT / "workflow/config_check.py"), str(ROOT / "config/ci.yaml")]
    assert subprocess.run(command, check=False).returncode == 0
    run = subprocess.run([*command, str(tmp_path / "broken.yaml")], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "broken.yaml, line 2, is refused: expected YAML" in run.stderr
    (tmp_path / "bad.yaml").write_text("sine: {widths: [32, 16]}\n")
    run = subprocess.run([*command, str(tmp_path / "bad.yaml")], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == "config: sine.widths = [32, 16] is refused: expected a list of increasing numbers\n"
    for target in ("results", "plan", "archive"):
        shown = subprocess.run(
            ["make", "--dry-run", "--old-file=.venv/.installed", target, "CONFIG=a.yaml b.yaml"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "config_check.py a.yaml b.yaml" in shown.split("--configfile")[0]
