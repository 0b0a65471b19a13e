"""Why a step ran, in words: what differs from the step's execution before."""

import json
from typing import Any

from pipeline.store import NodeExecution

MOST_CHANGES_NAMED = 3
LONGEST_CHANGE = 120  # characters; of a longer one the values are not told
# Properties that a driver adds, and what is said of a change.
FOUND_OUT = {"input_fingerprint": "data changed", "vectors_fingerprint": "vectors changed"}


def why(current: NodeExecution, previous: NodeExecution | None) -> str:
    """Says why a step was run, or taken from the cache.

    Args:
      current: the execution to explain.
      previous: the same step's execution before it, if any.
    """
    if current.cached:
        return "nothing changed"
    if previous is None:
        return "first run"
    properties = current.properties
    if not previous.succeeded:  # then what its driver found out was not stored
        unknown = FOUND_OUT.keys() - previous.properties.keys()
        properties = {key: value for key, value in properties.items() if key not in unknown}
    changes = _changed_values(previous.properties, properties)
    changes += _changed_inputs(previous, current)
    if changes:
        more = len(changes) - MOST_CHANGES_NAMED
        return ", ".join(changes[:MOST_CHANGES_NAMED]) + (f" and {more} more" if more > 0 else "")
    if not previous.succeeded:
        return "the last try did not finish"
    return "no earlier output to use"


def _changed_values(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    old, new = leaves(before), leaves(after)
    changed = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    return list(dict.fromkeys(_in_words(key, old.get(key), new.get(key)) for key in changed))


def _in_words(key: str, before: Any, after: Any) -> str:
    name = key.removeprefix("custom_config.").removeprefix("settings.")
    if name.endswith("code_fingerprint"):
        return "code changed"
    if name in FOUND_OUT:
        return FOUND_OUT[name]
    told = f"{name}: {before} -> {after}"
    return told if len(told) <= LONGEST_CHANGE else f"{name} changed"


def leaves(values: Any, prefix: str = "") -> dict[str, Any]:
    """Flattens nested values to dotted keys; JSON in strings is looked into, lists are not."""
    if isinstance(values, str) and values[:1] == "{":
        try:
            values = json.loads(values)
        except ValueError:
            return {prefix: values}
    if not isinstance(values, dict):
        return {prefix: values}
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= leaves(value, f"{prefix}.{key}" if prefix else key)
    return flat


def _changed_inputs(before: NodeExecution, after: NodeExecution) -> list[str]:
    def ids(execution: NodeExecution, key: str) -> list[int]:
        return [artifact.id for artifact in execution.inputs.get(key, [])]

    keys = sorted({*before.inputs, *after.inputs})
    return [f"new {key}" for key in keys if ids(before, key) != ids(after, key)]
