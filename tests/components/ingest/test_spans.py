"""Spans, versions and dates in a data path, found as TFX's file-based ExampleGen finds them."""

import pytest

from components.errors import DataRefused
from components.ingest.source import resolve_path


@pytest.mark.parametrize(
    "pattern, found, span, version",
    [
        ("days/{SPAN}.csv", "days/12.csv", 12, None),
        ("day-{SPAN:3}.csv", "day-007.csv", 7, None),
        ("day-{SPAN}.csv", "day-007.csv", 7, None),
        ("{SPAN}/{VERSION:2}/train.csv", "3/01/train.csv", 3, 1),
        ("{YYYY}-{MM}-{DD}/", "2024-02-29", 19782, None),
        ("{YYYY}{MM}{DD}/v{VERSION}/a.tsv.gz", "20240301/v4/a.tsv.gz", 19783, 4),
    ],
)
def test_placeholders(tmp_path, pattern, found, span, version):
    names = [
        "days/2.csv",
        "days/12.csv",
        "day-006.csv",
        "day-007.csv",
        "2/09/train.csv",
        "3/01/train.csv",
    ]
    names += [
        "2024-02-28/a.csv",
        "2024-02-29/a.csv",
        "20240301/v4/a.tsv.gz",
        "20240301/v3/a.tsv.gz",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert resolve_path(f"{tmp_path}/{pattern}") == (f"{tmp_path}/{found}", span, version)


def test_a_chosen_span(tmp_path):
    for name in ("1.csv", "2.csv"):
        (tmp_path / name).write_text("x")
    assert resolve_path(f"{tmp_path}/{{SPAN}}.csv", 1) == (f"{tmp_path}/1.csv", 1, None)
    with pytest.raises(DataRefused, match=r"no file or folder matches with data.span 9 \(Cannot"):
        resolve_path(f"{tmp_path}/{{SPAN}}.csv", 9)


@pytest.mark.parametrize("pattern", ["{SPAN}.tsv", "{VERSION}.csv", "{SPAN}{SPAN}", "{YYYY}.csv"])
def test_placeholders_that_match_nothing_or_contradict_are_refused(tmp_path, pattern):
    (tmp_path / "1.csv").write_text("x")
    with pytest.raises(DataRefused, match="no file or folder matches") as refusal:
        resolve_path(f"{tmp_path}/{pattern}")
    assert "\n" not in str(refusal.value)
