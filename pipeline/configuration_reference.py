"""Prints docs/configuration.md from the configuration's types: `make docs` writes the file."""

import json
from collections.abc import Iterator
from typing import Any

from pipeline.config import Config

_HEAD = """\
# Configuration

Made from the types by `make docs`; a test checks that it is current.

A configuration is one YAML file, `--config F`; what it does not name keeps its default, and unknown
keys are refused. `--set a.b=c` wins over the file. `sentiflow config` prints what a run would use,
with every key. `pipeline/configs/` holds the presets, which `--config` knows by name.
"""

_REF = "#/$defs/"
Schema = dict[str, Any]


def reference() -> str:
    """The page as Markdown: a table for each section."""
    schema = Config.model_json_schema()
    plain = {name: value for name, value in schema["properties"].items() if _section(value) is None}
    parts = [_HEAD, _table(plain)]
    for path, section in _sections(schema, schema["$defs"]):
        description = " ".join(section["description"].split())
        parts.append(f"## {path}\n\n{description}\n\n{_table(section['properties'])}")
    return "\n".join(parts)


def _sections(
    schema: Schema, definitions: dict[str, Schema], path: str = ""
) -> Iterator[tuple[str, Schema]]:
    """All sections below one, with the dotted path to each, in the order of the file."""
    for name, value in schema["properties"].items():
        if found := _section(value):
            below = f"{path}{name}"
            yield below, definitions[found]
            yield from _sections(definitions[found], definitions, f"{below}.")


def _section(value: Schema) -> str | None:
    """The name of the section that a key, each of its values or each of its items is, if any."""
    inner = value.get("items") or value.get("additionalProperties") or value
    reference = inner.get("$ref") if isinstance(inner, dict) else None
    return reference.removeprefix(_REF) if reference else None


def _table(properties: dict[str, Schema]) -> str:
    rows = [
        (f"`{name}`", _type(value), _default(value), value.get("description", ""))
        for name, value in properties.items()
        if "$ref" not in value
    ]
    lines = [("key", "type", "default", "what it is"), ("---",) * 4, *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _type(value: Schema) -> str:
    """A type with its range, in words."""
    if "anyOf" in value:
        return " or ".join(_type(option) for option in value["anyOf"])
    if "enum" in value:
        return " or ".join(f"`{option}`" for option in value["enum"])
    if "$ref" in value:
        return "as below"
    match value["type"]:
        case "array" if "prefixItems" in value:
            return f"[{', '.join(_type(item) for item in value['prefixItems'])}]"
        case "array":
            least = f", at least {value['minItems']}" if "minItems" in value else ""
            return f"list of {_type(value['items'])}{least}"
        case "object":
            return f"map to {_type(value['additionalProperties'])}"
        case "number" | "integer":
            return " ".join([value["type"], *_range(value)])
        case "string":
            return f"text like `{value['pattern']}`" if "pattern" in value else "text"
        case other:
            return {"boolean": "true or false", "null": "null"}[other]


def _range(value: Schema) -> Iterator[str]:
    for key, sign in (
        ("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"),
    ):  # fmt: skip
        if key in value:
            yield f"{sign} {value[key]:.10g}"


def _default(value: Schema) -> str:
    if "default" not in value:
        return "required"
    return f"`{json.dumps(value['default'], ensure_ascii=False)}`"


if __name__ == "__main__":
    print(reference(), end="")
