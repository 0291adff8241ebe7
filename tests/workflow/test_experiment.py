"""A study from scratch, made of nothing but what the page on experiments shows."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from runs import ROOT, Run

from ntkfield import store

pytestmark = [pytest.mark.workflow, pytest.mark.slow]
PAGE = (ROOT / "docs/experiment.md").read_text()


def test_the_page_on_experiments_makes_a_study(tmp_path: Path) -> None:
    root, folder = tmp_path / "repository", tmp_path / "run"
    root.mkdir()
    folder.mkdir()
    shutil.copy(ROOT / "Snakefile", root)
    for name in ("workflow", "config", "src"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    files = re.findall(r"^`([\w/]+\.\w+)` (?:[^`]|`[^`\n]+`)*?```\w+\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(files) == 6
    for path, text in files:
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    with (root / "config/default.yaml").open("a") as config:
        config.write(f"\n{block}")
    environment = os.environ | {"PYTHONPATH": str(root / "src")}
    run = Run(folder, "angles", root=root, environment=environment)
    run.make(change={"run": "first"})
    found = store.load(folder / "results/first/angles/curves.zarr.zip")["correlation"]
    # one layer of ReLUs takes the cosine of 90 degrees from 0 to 1 / pi (Cho and Saul 2009, equation 6)
    np.testing.assert_allclose(found.sel(activation="relu", depth=2, degrees=90), 1 / np.pi, rtol=1e-12)
    page = (folder / "results/first/index.html").read_text()
    assert "How fast do deep networks forget the angle between two inputs?" in page
    assert "After 33 weight layers, two inputs at 150 degrees have the correlation relu" in page
    # another run stands beside it
    run.make(change={"run": "second", "angles": {"depths": [2, 3]}})
    assert run.planned(change={"run": "first"}) == {}
    refused = run.attempt("--dry-run", change={"angles": {"degrees": [200]}})
    assert "config: angles.degrees.0 = 200 is refused: expected a number below 180" in refused.stdout + refused.stderr
