"""The report and the page of results say what was found."""

import html
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from runs import Run

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


@pytest.fixture(scope="module", name="finished")
def finished_molecules(finished: Callable[[str], Run]) -> Run:
    return finished("molecules")


def findings(run: Run) -> list[str]:
    return [path.read_text().strip() for path in sorted((run.folder / "results/ci/molecules").glob("*.txt"))]


def test_the_finding_is_that_of_the_table(finished: Run) -> None:
    table = pd.read_csv(finished.folder / "results/ci/molecules/learning_curve.csv")
    last = table[(table["train_size"] == table["train_size"].max()) & (table["network"] == "shells")]
    best = last.groupby(["matching", "kernel"])["mean_absolute_error_meV"].mean().min()
    text = (finished.folder / "results/ci/molecules/learning_curve.txt").read_text()
    said = float(re.search(r"SO\(3\)-invariant network on shells of distance errs by (\d+)", text)[1])
    assert said == pytest.approx(best, rel=0.05)  # it is rounded to its scatter, of which it says one digit or two


def test_captions_and_the_first_page_of_the_report_hold_the_findings(finished: Run, tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    finished.make("--report", str(output))
    text = " ".join(output.read_text().replace("\\n", " ").split())
    assert "What do infinitely wide SO(3)-invariant networks predict on molecules?" in text
    for finding in findings(finished):
        # once under its figure and once on the first page
        assert text.count(json.dumps(finding)[1:-1]) == 2


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value for name, value in attrs if name in ("href", "src") and value}


def test_the_page_of_results_leads_to_every_figure_and_table(finished: Run) -> None:
    page = finished.folder / "results/ci/index.html"
    text, links = page.read_text(encoding="utf-8"), Links()
    links.feed(text)
    files = {link for link in links.found if not link.startswith("#")} - {"report.html"}  # made apart
    assert "computed with default.yaml and over it ci.yaml" in text
    assert all((page.parent / link).is_file() for link in files)
    for suffix in ("pdf", "png", "csv"):
        assert f"molecules/learning_curve.{suffix}" in files
    assert all(html.escape(finding) in text for finding in findings(finished))
