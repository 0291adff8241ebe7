"""Config files: read, laid over one another, and what is wrong with one in a sentence, before any work.

As a program, it reads the files that its command line names and says which is no config.
"""

import ast
import itertools
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
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
    "minProperties": lambda count: f"at least {count} key",
}


def _increasing(validator: Draft202012Validator, wanted: bool, values: Any, _: dict) -> Iterator[ValidationError]:
    """The keyword that JSON schema lacks: each number above the one before it."""
    numbers = isinstance(values, list) and all(validator.is_type(value, "number") for value in values)
    if wanted and numbers and any(later <= value for value, later in itertools.pairwise(values)):
        yield ValidationError("not increasing")


Validator = extend(Draft202012Validator, {"increasing": _increasing})


def read(path: str | Path) -> dict:
    """The keys and values of a config file.

    Raises:
        SystemExit: with a sentence that names the file, and the line if there is one, unless it is YAML with keys.
    """
    try:
        found = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError:
        raise SystemExit(f"config: {path} is refused: expected the path of a config file") from None
    except yaml.MarkedYAMLError as error:
        line = (error.problem_mark or error.context_mark).line + 1
        raise SystemExit(f"config: {path}, line {line}, is refused: expected YAML ({error.problem})") from None
    except (UnicodeDecodeError, yaml.YAMLError):
        raise SystemExit(f"config: {path} is refused: expected a text in YAML") from None
    if not isinstance(found, dict) or not found:
        raise SystemExit(f"config: {path} is refused: expected keys with values, as in config/default.yaml, not none")
    return found


def drop_nulls(config: dict) -> None:
    """Take out of a config, in place, every key whose value is null: how an own file takes out what a default has."""
    for key, value in list(config.items()):
        if value is None:
            del config[key]
        elif isinstance(value, dict):
            drop_nulls(value)


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
    prefix = f"{field}." if field else ""
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return sentence(f"{prefix}{missing}", None, "a value")
    if error.validator == "additionalProperties":
        unknown = sorted(set(error.instance) - set(error.schema["properties"]))[0]
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


if __name__ == "__main__":
    for file in sys.argv[1:]:
        read(file)
