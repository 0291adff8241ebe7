"""The JSON schema for editors and the page of every key: as the models and config/default.yaml have them."""

import copy
import json
import re
from typing import Any

import jsonschema
import pytest
import yaml
from configs import DEFAULT, said
from runs import ROOT
from settings import model, studies
from settings_page import PAGE, SCHEMA, comments, keys, meaning, page, schema, takes

COMMENTS = comments((ROOT / "config/default.yaml").read_text())
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


def test_both_files_are_up_to_date() -> None:
    assert json.loads(SCHEMA.read_text()) == schema(), "run make config-docs"
    assert PAGE.read_text() == page(), "run make config-docs"


def test_every_key_is_described_once() -> None:
    """By a comment in config/default.yaml or in the model, never by both: one of them would grow old."""
    described = {path: key for path, key in keys(schema()) if "properties" not in key}
    assert [path for path, key in described.items() if not key.get("description")] == []
    noted = [path for path in described if meaning(path, COMMENTS)]
    assert len(noted) > 40
    assert [path for path in noted if described[path]["description"] != meaning(path, COMMENTS)] == []


def test_every_comment_of_the_default_config_is_read() -> None:
    lines = (ROOT / "config/default.yaml").read_text().splitlines()
    keyed = [line for line in lines if re.search(r"^ *\w+:.* # ", line)]
    assert [line for line in lines if re.search(r"\S.* # ", line)] == keyed  # beside keys, and nowhere else
    assert all(any(line.split(" # ")[1] in said for said in COMMENTS.values()) for line in keyed)
    assert COMMENTS["sine", "problem", "grid"] == "points between -pi and pi at which outputs are recorded"
    assert COMMENTS["diagrams",].startswith("Feynman diagrams of the recursions")


def test_the_page_has_a_row_for_every_key_with_its_default() -> None:
    text = PAGE.read_text()
    sections = dict(zip(*[iter(re.split(r"^## (.*)$", text, flags=re.MULTILINE)[1:])] * 2, strict=True))
    assert list(sections) == ["All studies", *(key for key in DEFAULT if key in studies())]
    for path, key in keys(schema()):
        if "properties" not in key:
            section, row = (path[0], path[1:]) if path[0] in studies() else ("All studies", path)
            assert f"| `{'.'.join(row)}` | " in sections[section], path
    assert "| `step` | of the integrator, relative to the same: narrow networks" in sections["augmentation"]
    assert "| number, above 0, below 2 | `0.5` |" in sections["augmentation"]
    assert "| `seed` | of the initialisations | whole number, at least 0 | `0` |" in sections["sine"]
    assert "so3: `2`; mlp: `3` |" in sections["molecules"]


@pytest.mark.parametrize("name", ["default", "ci", "paper"])
def test_editors_accept_our_configs(name: str) -> None:
    text = (ROOT / f"config/{name}.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    VALIDATOR.validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            ("sine.member", 16),
            ("sine.seed", "x"),
            ("sine.seed", -1),
            ("sine.problem.step", 2),
            ("studies", ["cosine"]),
        ),
        *(("molecules.signals.powers", [0]), ("scale.cases.A", {}), ("diagrams.recursions", ["W"])),
        *(("sine.network.activation", {"name": "leaky"}), ("images.networks.c4.group", "c3")),
        *(("corrections.network.input_scale", 1.0), ("augmentation.images.classes", [1, 1])),
    ],
)
def test_editors_mark_what_is_refused(field: str, value: Any) -> None:
    nested = copy.deepcopy(value)
    for key in reversed(field.split(".")):
        nested = {key: nested}
    assert list(VALIDATOR.iter_errors(nested))
    assert said((field, value)) is not None


def test_editors_accept_what_takes_out_a_key() -> None:
    VALIDATOR.validate({"scale": {"cases": {"gelu": None}}, "molecules": {"path": None}})


def test_words_for_a_type() -> None:
    properties = {name: key for (*_, name), key in keys(schema()) if "properties" not in key}
    assert takes(properties["classes"]) == "list of 2, none twice, each whole number, at least 0, at most 9"
    assert takes(properties["padding"]) == "one of `SAME`, `VALID`, `CIRCULAR`"
    assert "{name: leaky_relu, slope: number}" in takes(properties["activation"])


def test_a_study_comes_in_by_its_folder() -> None:
    folders = sorted(path.name for path in (ROOT / "workflow/studies").iterdir() if (path / "settings.py").exists())
    assert studies() == folders
    assert {name: model().model_fields[name].annotation.__module__ for name in folders} == {
        name: f"studies.{name}.settings" for name in folders
    }
