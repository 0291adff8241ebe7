"""What is wrong with a config, in one sentence: for Snakemake before any work, and for the planner."""

import ast
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

KINDS = {"integer": "a whole number", "number": "a number", "string": "a text", "array": "a list", "null": "null"}
KINDS |= {"object": "keys with values", "boolean": "true or false"}
ACCEPTED = {
    "type": lambda kinds: " or ".join(KINDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)),
    "enum": lambda values: f"one of {', '.join(map(str, values))}",
    "minimum": lambda bound: f"{bound} or above",
    "maximum": lambda bound: f"{bound} or below",
    "exclusiveMinimum": lambda bound: f"a number above {bound}",
    "exclusiveMaximum": lambda bound: f"a number below {bound}",
    "minItems": lambda count: f"a list of at least {count}",
    "uniqueItems": lambda _: "a list without repetition",
    "increasing": lambda _: "a list of increasing numbers",
    "required": lambda keys: f"all of the keys {', '.join(keys)}",
}


def _increasing(validator: Draft202012Validator, wanted: bool, values: Any, _: dict) -> Iterator[ValidationError]:
    """The keyword that JSON schema lacks: each number above the one before it."""
    numbers = isinstance(values, list) and all(validator.is_type(value, "number") for value in values)
    if wanted and numbers and any(later <= value for value, later in itertools.pairwise(values)):
        yield ValidationError("not increasing")


Validator = extend(Draft202012Validator, {"increasing": _increasing})


def refusal(config: dict, schema: dict) -> str | None:
    """The field, its value and what is accepted, for the first thing that the schema does not allow; None if none."""
    for field, value in _numbers(config):
        if not math.isfinite(value):
            return sentence(field, value, "a finite number")
    error = best_match(Validator(schema).iter_errors(config))
    if error is None:
        return next(_strange_groups(config), None)
    while error.parent is not None:  # one of several forms, none of which fits: name the whole
        error = error.parent
    field = ".".join(map(str, error.absolute_path))
    if error.validator == "additionalProperties":
        unknown = sorted(set(error.instance) - set(error.schema["properties"]))[0]
        prefix = f"{field}." if field else ""
        keys = f"one of the keys {', '.join(error.schema['properties'])}"
        return sentence(f"{prefix}{unknown}", error.instance[unknown], keys)
    return sentence(field, error.instance, _accepted(error))


def planar_groups() -> list[str]:
    """Names in the library's table of planar groups, read without the seconds that importing the library takes."""
    tree = ast.parse((Path(__file__).parents[1] / "src/ntkfield/groups/finite.py").read_bytes())
    (table,) = (
        node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "PLANAR_GROUPS"
    )
    return [ast.literal_eval(name) for name in table.keys]


def _strange_groups(config: dict) -> Iterator[str]:
    """What to refuse networks of groups with that the library does not know."""
    for name, network in config["images"]["networks"].items():
        if network["group"] not in planar_groups():
            yield sentence(f"images.networks.{name}.group", network["group"], f"one of {', '.join(planar_groups())}")


def sentence(field: str, value: Any, accepted: str) -> str:
    """What a config is refused with."""
    shown = repr(value) if len(repr(value)) <= 80 else f"{repr(value)[:77]}..."
    return f"config: {field} = {shown} is refused: expected {accepted}"


def _accepted(error: ValidationError) -> str:
    if error.validator in ACCEPTED:
        return ACCEPTED[error.validator](error.validator_value)
    return error.schema["description"]


def _numbers(value: Any, field: str = "") -> Iterator[tuple[str, float]]:
    """Every number in a config with the path to it."""
    if isinstance(value, float):
        yield field, value
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield from _numbers(item, f"{field}.{key}" if field else str(key))
