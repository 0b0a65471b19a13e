"""What is written is read back; any bytes whatever give rows, rejects or DataRefused."""

import csv
import io
import json
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.errors import DataRefused
from components.ingest.reader import read_rows
from components.ingest.rows import Row
from components.settings import DataSettings

LABELS = ("bad", 'quite "good"', "gut, größer")
SETTINGS = DataSettings(labels=LABELS)

# Anything UTF-8 can hold but NUL, with something to see at its start.
any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
texts = any_text.map(lambda text: "a" + text)
rows = st.lists(st.tuples(st.sampled_from(LABELS), texts), min_size=1, max_size=8)
# Pieces from which broken CSV is made.
fragments = st.lists(
    st.sampled_from([b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"a", b"bad", b"\xff", b"\0"])
)


def write_csv(rows):
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerows([("label", "text"), *rows])
    return stream.getvalue().encode()


def write_jsonl(rows):
    return "".join(json.dumps({"label": a, "text": b}) + "\n" for a, b in rows).encode()


def write_jsonl_unescaped(rows):
    lines = (json.dumps({"label": a, "text": b}, ensure_ascii=False) + "\n" for a, b in rows)
    return "".join(lines).encode()


def write_parquet(rows):
    stream = io.BytesIO()
    pq.write_table(
        pa.table({"label": [row[0] for row in rows], "text": [row[1] for row in rows]}), stream
    )
    return stream.getvalue()


def read(name, content, require_label=True):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        return list(read_rows(str(path), SETTINGS, require_label))


@pytest.mark.parametrize(
    "name, write",
    [
        ("a.csv", write_csv),
        ("a.jsonl", write_jsonl),
        ("a.jsonl", write_jsonl_unescaped),
        ("a.parquet", write_parquet),
    ],
)
@given(rows=rows)
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_read(name, write, rows):
    items = read(name, write(rows))
    assert [(item.label, item.text) for item in items] == rows


@given(rows=st.lists(st.tuples(st.sampled_from(LABELS), texts), min_size=1, max_size=8))
@settings(deadline=None)
def test_tsv_that_is_written_is_read(rows):
    rows = [
        (label, "".join(text.split("\t")).replace("\n", " ").rstrip("\r")) for label, text in rows
    ]
    content = "".join(f"{label}\t{text}\n" for label, text in [("label", "text"), *rows])
    assert [(item.label, item.text) for item in read("a.tsv", content.encode())] == rows


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet", "csv.gz", "parquet.gz"])
@given(content=st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_bytes_give_items_or_are_refused(ending, content):
    try:
        items = read(f"a.{ending}", content)
    except DataRefused as error:
        assert "\n" not in str(error)
    else:
        assert items


@given(fragments=fragments)
@settings(max_examples=300, deadline=None)
def test_every_line_of_broken_csv_is_in_one_item(fragments):
    body = b"".join(fragments)
    try:
        items = read("a.csv", b"label,text\n" + body)
    except DataRefused:
        assert all(without_line_end(line) == b"" for line in split_lines(body))
        return
    assert_covers(items, body, first_line=2)


@given(fragments=fragments)
@settings(max_examples=200, deadline=None)
def test_every_line_of_broken_tsv_is_in_one_item(fragments):
    body = b"".join(fragments).replace(b",", b"\t")
    try:
        items = read("a.tsv", b"label\ttext\n" + body)
    except DataRefused:
        assert all(without_line_end(line) == b"" for line in split_lines(body))
        return
    assert_covers(items, body, first_line=2)


def assert_covers(items, body, first_line):
    """Asserts that each line but blank ones at the end is in one item, and whole in a reject."""
    lines = split_lines(body)
    while without_line_end(lines[-1]) == b"":
        lines.pop()
    starts = [item.record - first_line for item in items]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    for item, start, end in zip(items, starts, [*starts[1:], len(lines)], strict=True):
        if not isinstance(item, Row):
            raw = without_line_end(b"".join(lines[start:end]))
            assert item.raw == raw.decode(errors="backslashreplace")


def split_lines(body):
    """At LF only, which stays."""
    return [line + b"\n" for line in body.split(b"\n")[:-1]] + [body.split(b"\n")[-1]]


def without_line_end(line):
    if not line.endswith(b"\n"):
        return line
    return line[:-2] if line.endswith(b"\r\n") else line[:-1]
