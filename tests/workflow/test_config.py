"""What a config is refused for, by its schema: before any work, and before any plan."""

import copy
import re
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow"))

from config_check import refusal  # noqa: E402

SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
DEFAULT = yaml.safe_load((ROOT / "config/default.yaml").read_text())


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
