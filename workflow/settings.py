"""Config files: read, laid over one another, and what is wrong with one in a sentence, before any work.

What a config may hold stands in models of pydantic: here what all blocks are made of, in `shared_settings.py` what
several studies have in common, and in `studies/NAME/settings.py` each study's own block, a class `Settings`. A study's
folder is found by itself; what it holds is a key of the config under the folder's name.
"""

import ast
import difflib
import functools
import importlib
import itertools
import math
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError

WORKFLOW = Path(__file__).parent
DEFAULT = WORKFLOW.parent / "config/default.yaml"
LIBRARY = WORKFLOW.parent / "src/ntkfield"

# Text that is exactly a number: what --config makes of every number inside a mapping or a list.
WHOLE = re.compile(r"[+-]?(0|[1-9]\d{0,17})", re.ASCII)
DECIMAL = re.compile(r"[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


class RefusedError(Exception):
    """What a config is refused for: one sentence with the field, its value and what is accepted."""


class Section(BaseModel):
    """Keys that stand together, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            raise refuse("keys with values")
        for key in given:
            if key not in cls.model_fields:
                near = difflib.get_close_matches(str(key), cls.model_fields, 1)
                keys = f"one of the keys {', '.join(cls.model_fields)}"
                raise refuse(keys + "".join(f"; the nearest is {name}" for name in near), key)
        return given


class Study(Section):
    """A study's block of the config."""

    def read_files(self) -> None:
        """Refuse files that the config names for what they hold, which takes a second: once, not again in each job."""


def refuse(accepted: str, *field: str | int) -> PydanticCustomError:
    """The error to raise in a validator.

    Args:
        accepted: what is, in words.
        field: the keys that lead from where the validator stands to the field; none where it stands there.
    """
    return PydanticCustomError("refused", "refused", {"accepted": accepted, "field": field})


def sentence(field: str, value: Any, accepted: str) -> str:
    """What a config is refused with."""
    shown = repr(value) if len(repr(value)) <= 80 else f"{repr(value)[:77]}..."
    return f"config: {field} = {shown} is refused: expected {accepted}"


def _plain(bound: float) -> float:
    """A bound as one would write it: pydantic makes floats of those of numbers."""
    return int(bound) if bound == int(bound) else bound


# What is accepted, for the errors of pydantic's own that can come from a strict model.
ACCEPTED: dict[str, Callable[[dict], str]] = {
    "missing": lambda about: "a value",
    "string_type": lambda about: "a text",
    "list_type": lambda about: "a list",
    "dict_type": lambda about: "keys with values",
    "finite_number": lambda about: "a finite number",
    "literal_error": lambda about: "one of " + ", ".join(re.findall("'([^']*)'", about["expected"])),
    "greater_than_equal": lambda about: f"{_plain(about['ge'])} or above",
    "less_than_equal": lambda about: f"{_plain(about['le'])} or below",
    "greater_than": lambda about: f"a number above {_plain(about['gt'])}",
    "less_than": lambda about: f"a number below {_plain(about['lt'])}",
    "too_long": lambda about: f"a list of at most {about['max_length']}",
    "too_short": lambda about: (
        f"at least {about['min_length']} key"
        if about["field_type"] == "Dictionary"
        else f"a list of at least {about['min_length']}"
    ),
    "refused": lambda about: about["accepted"],
}


def refusal(error: ValidationError, config: dict) -> str:
    """The first of the errors in a sentence, with the value as the config has it."""
    first = error.errors(include_url=False)[0]
    about, path, value = first.get("ctx", {}), first["loc"], config
    if path[-1:] == ("[key]",):  # a key itself, of a mapping with keys of one's own
        path, value = path[:-2], first["input"]
    elif first["type"] == "missing":
        value = None
    else:
        path = (*path, *about.get("field", ()))
        for key in path:
            value = value[key]
    return sentence(".".join(map(str, path)), value, ACCEPTED[first["type"]](about))


def number(text: str) -> int | float | None:
    """The number that a text is, exactly; None if it is anything else."""
    if WHOLE.fullmatch(text):
        return int(text)
    return float(text) if DECIMAL.fullmatch(text) else None


def _whole(value: Any) -> int:
    value = number(value) if isinstance(value, str) else value
    if isinstance(value, float) and not math.isfinite(value):
        raise refuse("a finite number")
    if isinstance(value, bool) or not isinstance(value, int):
        raise refuse("a whole number")
    return value


def _number(value: Any) -> float:
    value = number(value) if isinstance(value, str) else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse("a number")
    if abs(value) >= 2**1023 or math.isnan(value):
        raise refuse("a finite number")
    return value


def _flag(value: Any) -> bool:
    value = {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value
    if not isinstance(value, bool):
        raise refuse("true or false")
    return value


def whole(**bounds: int) -> Any:
    """The type of whole numbers within bounds, as those of `pydantic.Field`."""
    return Annotated[int, Field(**bounds), BeforeValidator(_whole)]


def real(**bounds: float) -> Any:
    """The type of finite numbers within bounds."""
    return Annotated[float, Field(**bounds), BeforeValidator(_number)]


def one_of(names: Iterable[str]) -> Any:
    """The type of some names."""
    return Literal[tuple(names)]


def listed(item: Any, at_least: int = 1, *, at_most: int | None = None) -> Any:
    """The type of lists."""
    return Annotated[list[item], Field(min_length=at_least, max_length=at_most)]


def unique(item: Any, at_least: int = 1, *, at_most: int | None = None) -> Any:
    """The type of lists in which nothing is repeated."""
    kind = listed(item, at_least, at_most=at_most)
    return Annotated[kind, Field(json_schema_extra={"uniqueItems": True}), AfterValidator(_differ)]


def increasing(item: Any, at_least: int = 1) -> Any:
    """The type of lists of numbers, each above the one before it."""
    extra = Field(json_schema_extra={"uniqueItems": True, "increasing": True})
    return Annotated[listed(item, at_least), extra, AfterValidator(_increase)]


def _differ(values: list) -> list:
    if any(value in values[:k] for k, value in enumerate(values)):
        raise refuse("a list without repetition")
    return values


def _increase(values: list) -> list:
    if any(later <= value for value, later in itertools.pairwise(values)):
        raise refuse("a list of increasing numbers")
    return values


def _name(value: str) -> str:
    if not re.fullmatch(NAME, value):
        raise refuse("a name of lower-case letters, digits and underscores that starts with a letter")
    return value


NAME = "[a-z][a-z0-9_]*"
Name = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": f"^{NAME}$"})]  # in names of files
Seed = whole(ge=0, le=2**63 - 1)  # what JAX's generators take
Positive = real(gt=0)
NonNegative = real(ge=0)
Flag = Annotated[bool, BeforeValidator(_flag)]


def named(item: Any, name: Any = Name) -> Any:
    """The type of mappings from names of one's own."""
    return Annotated[dict[name, item], Field(min_length=1)]


@functools.cache
def library(module: str, name: str) -> Any:
    """Names that a dict or a tuple in a module of the library lists, or a number there; `module` as "groups/finite".

    Read from its text: to import the library would take a second in every job.
    """
    for node in ast.parse((LIBRARY / f"{module}.py").read_bytes()).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            listed = getattr(node.value, "keys", None) or getattr(node.value, "elts", None)
            return tuple(map(ast.literal_eval, listed)) if listed else ast.literal_eval(node.value)
    raise LookupError(f"{module}.py of the library has no constant {name}")


def studies() -> list[str]:
    """Names of the studies there are, in alphabetical order: the folders with settings."""
    return sorted(path.parent.name for path in WORKFLOW.glob("studies/*/settings.py"))


@functools.cache
def model() -> type[Section]:
    """The whole config: what all studies share, and each study's block."""
    shared, names = importlib.import_module("shared_settings").Shared, studies()
    blocks = {name: (importlib.import_module(f"studies.{name}.settings").Settings, ...) for name in names}
    return create_model("Config", __base__=shared, studies=(unique(one_of(names)), ...), **blocks)


def check(config: dict, files: bool = True) -> None:
    """Make a config, in place, what the rules read: without nulls, with numbers where text was one, in one order.

    Order and types stand in parameters, by which Snakemake tells old results from new ones: to write a default value
    into a file of one's own, or 1 for 1.0, changes neither.

    Args:
        config: the default config with whatever was laid over it.
        files: whether to read the files that it names, too.

    Raises:
        RefusedError: if it holds anything that a job would refuse.
    """
    drop_nulls(config)
    try:
        parsed = model().model_validate(config)
    except ValidationError as error:
        raise RefusedError(refusal(error, config)) from None
    for name in studies() if files else ():
        getattr(parsed, name).read_files()
    settled = _arranged(parsed.model_dump(exclude_unset=True), read(DEFAULT))
    config.clear()
    config.update(settled)


def _arranged(given: Any, default: Any) -> Any:
    """What was given, its keys in the order of the default config and then in their own."""
    if not isinstance(given, dict):
        return given
    known = default if isinstance(default, dict) else {}
    keys = [key for key in known if key in given] + [key for key in given if key not in known]
    return {key: _arranged(given[key], known.get(key)) for key in keys}


def drop_nulls(config: dict) -> None:
    """Take out of a config, in place, every key whose value is null: how an own file takes out what a default has."""
    for key, value in list(config.items()):
        if value is None or value == "null":  # the latter from --config, inside a mapping
            del config[key]
        elif isinstance(value, dict):
            drop_nulls(value)


def read(path: str | Path) -> dict:
    """The keys and values of a config file.

    Raises:
        RefusedError: naming the file, and the line if there is one, unless it is YAML with keys.
    """
    try:
        found = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError:
        raise RefusedError(f"config: {path} is refused: expected the path of a config file") from None
    except yaml.MarkedYAMLError as error:
        line = (error.problem_mark or error.context_mark).line + 1
        raise RefusedError(f"config: {path}, line {line}, is refused: expected YAML ({error.problem})") from None
    except (UnicodeDecodeError, yaml.YAMLError):
        raise RefusedError(f"config: {path} is refused: expected a text in YAML") from None
    if not isinstance(found, dict) or not found:
        raise RefusedError(f"config: {path} is refused: expected keys with values, as in config/default.yaml, not none")
    return found


def layered(paths: Iterable[str | Path]) -> dict:
    """Config files laid over one another and over config/default.yaml, as Snakemake does; not checked yet."""
    from snakemake.utils import update_config

    config: dict = {}
    for path in (DEFAULT, *paths):
        update_config(config, read(path))
    return config


def unwritable(folder: Path) -> Path | None:
    """What keeps a folder from being written or made: itself or the nearest above it that is there; None if nothing."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists() or path.is_symlink())
    return None if there.is_dir() and os.access(there, os.W_OK | os.X_OK) else there
