"""The diagrams study run for real, on the smallest config, by Snakemake itself."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def snakemake(folder: Path, *arguments: str, refused: bool = False) -> str:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    config = ["--configfile", str(ROOT / "config/ci.yaml"), "--config", 'studies=["diagrams"]']
    command += ["--cores", "2", *arguments, *([] if "--config" in arguments else config)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert (run.returncode != 0) == refused, run.stdout + run.stderr
    return run.stdout + run.stderr


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("diagrams")
    snakemake(folder)
    return folder


def test_pictures_and_table_are_there(finished: Path) -> None:
    results = finished / "results/ci/diagrams"
    for name in ("K1", "F"):
        assert ElementTree.parse(results / f"{name}.svg").getroot().tag.endswith("svg")
        assert (results / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert (results / f"{name}.png").stat().st_size > 10_000
    table = pd.read_csv(results / "recursions.csv", index_col="recursion")
    assert list(table.index) == ["K1", "F"]
    assert (table["diagrams"] == 2).all()
    assert (table["integrals_after"] < table["integrals_before"]).all()
    # the two routes, to the 1e-8 that tests/diagrams/test_agreement.py asks of every recursion
    assert (table["agreement_relu"] < 1e-8).all()


def test_the_gallery_carries_everything_within_itself(finished: Path) -> None:
    page = (finished / "results/ci/diagrams/gallery.html").read_text()
    assert page.count("<svg") == page.count("</svg>") == 5  # the key, and a sheet and a formula for each recursion
    outside = re.findall(r'(?:src|href)="(?!#)[^"]*"|url\((?!#)|<script|<link|@import', page)
    assert outside == []
    names = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]
    known = set.union(*names)
    assert set(re.findall(r'xlink:href="#([^"]+)"|url\(#([^)]+)\)', page)) <= {(n, "") for n in known} | {
        ("", n) for n in known
    }


def test_a_second_run_does_nothing(finished: Path) -> None:
    assert "Nothing to be done" in snakemake(finished, "--dry-run")


def test_another_run_gives_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    names = [f"results/ci/diagrams/{name}" for name in ("F.svg", "F.pdf", "recursions.csv", "gallery.html")]
    snakemake(tmp_path, *names)
    assert [name for name in names if (tmp_path / name).read_bytes() != (finished / name).read_bytes()] == []


def test_single_figures_can_be_asked_for(tmp_path: Path) -> None:
    snakemake(tmp_path, "results/ci/diagrams/V6.svg", "results/ci/diagrams/T/13.pdf")
    assert (tmp_path / "results/ci/diagrams/V6.pdf").exists()
    assert not (tmp_path / "results/ci/diagrams/gallery.html").exists()
    snakemake(tmp_path, "results/ci/diagrams/F/3.svg", refused=True)
    log = (tmp_path / "results/ci/logs/diagrams_single/F_3.log").read_text()
    assert "diagram number 3 of F is refused: expected 1 to 2" in log


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("V/7", "make: NAME = 'V/7' is refused: expected V for all its diagrams, or one of V/1 to V/2"),
        ("V/", "make: NAME = 'V/' is refused: expected V for all its diagrams, or one of V/1 to V/2"),
        ("W", "make: recursion name is 'W'; accepted are K1, Theta1, V"),
    ],
)
def test_make_refuses_a_diagram_that_does_not_exist(name: str, message: str) -> None:
    command = ["make", "--old-file=.venv/.installed", f"BIN={Path(sys.executable).parent}", "diagram", f"NAME={name}"]
    # `make test` tells the makes within it what they are within, and they print it
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith(message)
    assert run.stdout == ""  # no work was started


def test_an_unknown_recursion_is_refused_before_any_work(tmp_path: Path) -> None:
    output = snakemake(
        tmp_path, "--config", 'studies=["diagrams"]', 'diagrams={"recursions": ["V", "W"]}', refused=True
    )
    assert re.search(r"config: diagrams\.recursions\.1 = 'W' is refused: expected one of K1, Theta1, V, D", output)
    assert not (tmp_path / "results").exists()
