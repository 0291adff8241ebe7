"""What a config may hold, for editors (config/schema.json) and for readers (docs/config.md).

Types and bounds are those of the models in `settings.py`; defaults, and what a key means, are those of
config/default.yaml with its comments. A key without a comment has its description in the model.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml
from settings import DEFAULT, model, studies

SCHEMA, PAGE = DEFAULT.with_name("schema.json"), DEFAULT.parents[1] / "docs/config.md"
LONGEST = 90  # characters of a default on the page
SEEDS = 2**63 - 1  # a bound that needs no words
BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
NAME, ENTRY = "NAME", "ENTRY"  # in the path to a key: any name of the user's own, any entry of a list

COLUMNS = "| key | meaning | takes | default |\n| --- | --- | --- | --- |"
HEAD = """# Every key of a config

Made from the settings' models (`workflow/settings.py`, `workflow/studies/*/settings.py`) and from `config/default.yaml`
by `make config-docs`; a change here is lost. Editors that speak YAML complete and check these keys as you type: a first
line `# yaml-language-server: $schema=config/schema.json`, with the path from your file, tells them where to look.

What a file of your own leaves out keeps its default, and `null` takes a key out ([study.md](study.md)). On a command
line, `--config 'molecules={test_size: 32, train_sizes: [8, 16]}'` says the same as a file. NAME stands for any name of
your own (lower-case letters, digits and underscores, a letter first), ENTRY for any entry of a list.
"""

Place = tuple[str, ...]


def schema() -> dict:
    """The JSON schema of one file of a config, in which every key may be missing."""
    whole, noted = model().model_json_schema(), comments(DEFAULT.read_text(encoding="utf-8"))
    found = _inlined(whole, whole["$defs"])
    for path, key in keys(found):
        said = [text for text in (meaning(path, noted), key.get("description", "").replace("\n", " ")) if text]
        if said:
            key["description"] = ". ".join([*(text.removesuffix(".") for text in said[:-1]), said[-1]])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A config of ntkfield"} | found


def _inlined(node: Any, definitions: dict) -> Any:
    """A schema without references, titles, defaults and required keys; what has a name of one's own may be null."""
    if isinstance(node, list):
        return [_inlined(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        node = definitions[node["$ref"].rpartition("/")[2]] | {k: v for k, v in node.items() if k != "$ref"}
    found = {}
    for key, value in node.items():
        if key == "properties":
            found[key] = {name: _inlined(one, definitions) for name, one in value.items()}
        elif key == "patternProperties":
            found[key] = {
                name: {"anyOf": [_inlined(one, definitions), {"type": "null"}]} for name, one in value.items()
            }
            found["additionalProperties"] = False
        elif key not in ("title", "default", "required", "minProperties", "$defs"):
            found[key] = _inlined(value, definitions)
    return found


def keys(node: dict, path: Place = ()) -> Iterator[tuple[Place, dict]]:
    """Every key with its schema, in the order of the models."""
    for name, key in node.get("properties", {}).items():
        yield (*path, name), key
        yield from keys(key, (*path, name))
        for own in key.get("patternProperties", {}).values():
            yield from keys(own["anyOf"][0], (*path, name, NAME))
        yield from keys(key.get("items", {}), (*path, name, ENTRY))


def comments(text: str) -> dict[Place, str]:
    """What a YAML file's comments say of its keys: those above a key, and the one beside the first key of a line."""
    lines, found, seen = text.splitlines(), {}, set()

    def visit(node: yaml.Node, path: Place) -> None:
        if isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                visit(item, (*path, str(number)))
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            number, here = key.start_mark.line, (*path, key.value)
            if number not in seen:
                seen.add(number)
                above = number
                while above and re.match(r" *# ", lines[above - 1]):
                    above -= 1
                said = [line.strip().removeprefix("#").strip() for line in lines[above:number]]
                said += re.findall(r"\s# (.*)$", lines[number])
                if said:
                    found[here] = " ".join(said)
            visit(value, here)

    visit(yaml.compose(text), ())
    return found


def meaning(path: Place, noted: dict[Place, str]) -> str:
    """What the comments say of a key; of one under names of one's own, what they say under each."""
    said = {place: text for place, text in noted.items() if matches(place, path)}
    names = {place: place[path.index(NAME)] for place in said} if NAME in path else {}
    return "; ".join(f"{names[place]}: {text}" if len(said) > 1 else text for place, text in said.items())


def matches(place: Place, path: Place) -> bool:
    """Whether a key of a file is the one at `path`, in which there may be NAME and ENTRY."""
    return len(place) == len(path) and all(
        wanted in (NAME, ENTRY, one) for one, wanted in zip(place, path, strict=True)
    )


def takes(key: dict) -> str:
    """What a key takes, in words."""
    if "anyOf" in key:
        return ", or ".join(takes(form) for form in key["anyOf"] if form.get("type") != "null")
    if "enum" in key:
        return "one of " + ", ".join(f"`{name}`" for name in key["enum"])
    if key["type"] == "array":
        shortest, longest = key.get("minItems", 0), key.get("maxItems")
        count = f"{shortest}" if shortest == longest else f"{shortest} or more"
        how = ", increasing" if "increasing" in key else ", none twice" if "uniqueItems" in key else ""
        item = "" if "properties" in key["items"] else f", each {takes(key['items'])}"
        return f"list of {count}{how}{item}"
    if "properties" in key:
        parts = [f"{name}: {one.get('const') or takes(one)}" for name, one in key["properties"].items()]
        return f"{{{', '.join(parts)}}}"
    if key["type"] == "string":
        return "name" if "pattern" in key else "text"
    if key["type"] == "boolean":
        return "true or false"
    if key["type"] == "object":
        return "names of your own with the keys below"
    bounds = [f"{words} {key[bound]:.6g}" for bound, words in BOUNDS.items() if bound in key and key[bound] < SEEDS]
    return ", ".join(["whole number" if key["type"] == "integer" else "number", *bounds])


def default(path: Place, config: Any) -> str:
    """What stands in config/default.yaml under a key, short; for each name of one's own what stands under it."""
    for number, name in enumerate(path):
        if name == ENTRY:
            return ""
        if name == NAME:
            under = {own: default(path[number + 1 :], value) for own, value in config.items()}
            values = {value for value in under.values() if value}
            return values.pop() if len(values) == 1 else "; ".join(f"{k}: {v}" for k, v in under.items() if v)
        if not isinstance(config, dict) or name not in config:
            return ""
        config = config[name]
    said = yaml.safe_dump(config, default_flow_style=True, width=10**6, sort_keys=False).split("\n")[0]
    if isinstance(config, dict):
        return "" if len(said) > LONGEST else f"`{said}`"
    return f"`{said}`" if len(said) <= LONGEST else "as in the file"


def page() -> str:
    """The page of every key."""
    found, config = schema(), yaml.safe_load(DEFAULT.read_text(encoding="utf-8"))
    blocks: dict[str, list[str]] = {"": []}
    for path, key in keys(found):
        study = path[0] if path[0] in studies() else ""
        rows = blocks.setdefault(study, [])
        if path == (study,):
            rows.insert(0, f"\n{key['description']}\n")
        elif "properties" not in key:
            name = ".".join(path[1:] if study else path)
            cells = f"`{name}`", key.get("description", ""), takes(key), default(path, config)
            rows.append("| " + " | ".join(cells) + " |")
        elif study:
            rows.append(f"| `{'.'.join(path[1:])}` | {key.get('description', '')} | keys | |")
    text = HEAD
    for study in sorted(blocks, key=["", *config].index):
        about = blocks[study].pop(0) if study else "\nWhat is no study's own.\n"
        text += f"\n## {study or 'All studies'}\n{about}\n{COLUMNS}\n" + "\n".join(blocks[study]) + "\n"
    return text


if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {SCHEMA} and {PAGE}")
