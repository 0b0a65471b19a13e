"""docs/configuration.md says what the types say."""

from pathlib import Path

import pytest
import yaml

from pipeline.configuration_reference import reference
from pipeline.presets import PRESETS

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_page_is_current():
    assert PAGE.read_text("utf-8") == reference(), "run `make docs` and commit the page"


def keys(values: dict, prefix: str = ""):
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from keys(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def test_every_key_of_the_default_preset_has_its_row():
    sections = {"": ""}
    title = ""
    for line in reference().splitlines():
        title = line.removeprefix("## ") if line.startswith("## ") else title
        sections[title] = f"{sections.get(title, '')}{line}\n"
    defaults = yaml.safe_load((PRESETS / "default.yaml").read_text("utf-8"))
    in_one_row = {"data.splits.train", "data.splits.eval"}
    for key in set(keys(defaults)) - in_one_row:
        section, _, name = key.rpartition(".")
        assert f"| `{name}` |" in sections[section], key


def test_every_key_is_described():
    bare = [
        row for row in reference().splitlines() if row.startswith("| `") and row.endswith("|  |")
    ]
    assert not bare, "give these a description in their types"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("max_reject_fraction", "number ≥ 0 ≤ 1"),
        ("seed", "integer ≥ 0 < 2147483648"),
        ("patience", "integer > 0 or null"),
        ("fail_on", "`warning` or `error`"),
        ("length_buckets", "list of integer > 0, at least 1"),
        ("model_name", "text like `^[A-Za-z0-9_-]+$`"),
        ("slice", r"text like `^(all\|label=.+\|length=\d+(-\d+\|\+))$`"),
    ],
)
def test_types_in_words(key, text):
    assert f"| `{key}` | {text} |" in reference()
