"""What others read of the repository: how to cite it, and what the catalogue of workflows shows."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
CATALOGUE = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))

# Of the Citation File Format 1.2.0: what must be there, and what may.
NEEDED = {"cff-version", "message", "title", "authors"}
ALLOWED = NEEDED | {"abstract", "doi", "keywords", "license", "references", "repository-code", "type", "url", "version"}
TYPES = {"article", "book", "conference-paper", "report", "software", "thesis"}
OF_REFERENCE = {
    "authors",
    "collection-title",
    "conference",
    "doi",
    "identifiers",
    "journal",
    "publisher",
    "start",
    "title",
}
OF_REFERENCE |= {"type", "url", "volume", "year"}
OF_PERSON = {"affiliation", "family-names", "given-names", "name-particle", "name-suffix", "orcid"}


def test_the_citation_holds_what_the_format_asks_for():
    assert NEEDED <= set(CITATION) <= ALLOWED
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["type"] == "software"
    assert isinstance(CITATION["version"], str)
    assert all(isinstance(word, str) for word in CITATION["keywords"])
    assert [set(author) for author in CITATION["authors"]] == [{"name"}]


@pytest.mark.parametrize("reference", CITATION["references"], ids=lambda reference: reference["title"][:20])
def test_a_reference_holds_what_the_format_asks_for(reference):
    assert {"type", "title", "authors"} <= set(reference) <= OF_REFERENCE
    assert reference["type"] in TYPES
    assert isinstance(reference["year"], int)
    assert isinstance(reference.get("start", ""), str)
    for author in reference["authors"]:
        assert {"family-names", "given-names"} <= set(author) <= OF_PERSON
    for entity in (reference.get("conference"), reference.get("publisher")):
        assert entity is None or set(entity) == {"name"}
    for identifier in reference.get("identifiers", []):
        assert identifier["type"] == "other"
        assert re.fullmatch(r"arXiv:\d{4}\.\d{5}", identifier["value"])
    assert re.fullmatch(r"10\.\d{4,9}/\S+", reference.get("doi", "10.1234/none"))


def test_the_catalogue_finds_what_it_looks_for():
    usage = CATALOGUE["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(usage["software-stack-deployment"]) == {"conda", "apptainer", "apptainer+conda"}
    flag, profile = usage["mandatory-flags"]["flags"].split()
    assert flag == "--profile"
    assert (ROOT / profile).is_dir()
    assert (ROOT / "Snakefile").is_file()
    assert (ROOT / "config/README.md").is_file()
    readme = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in readme
    assert "workflow" in readme
    for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / "config/README.md").read_text(encoding="utf-8")):
        assert (ROOT / "config" / link).exists(), link
