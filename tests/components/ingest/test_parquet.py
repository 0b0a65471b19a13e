"""Parquet: column types, nulls, faults, and files that are refused."""

import datetime
import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.errors import DataRefused

STRINGS = [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.binary()]


def parquet_file(texts, labels, text_type=pa.string(), label_type=None, **options):  # noqa: B008
    table = pa.table({"id": range(len(texts)), "text": pa.array(texts, text_type)})
    table = table.append_column("label", pa.array(labels, label_type))
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", STRINGS, ids=str)
def test_kinds_of_strings(read_short, kind):
    content = parquet_file(
        ["Fine", "Größe \U0001f600"], ["positive", " negative "], kind, kind, row_group_size=1
    )
    rows = [(1, "positive", "Fine"), (2, "negative", "Größe \U0001f600")]
    assert read_short("a.parquet", content) == rows
    assert read_short("a.PARQUET.gz", content) == rows


@pytest.mark.parametrize(
    "labels, kind, names",
    [
        ([1, 0], pa.int8(), ("0", "1")),
        ([1, 0], pa.dictionary(pa.int8(), pa.int64()), ("0", "1")),
        ([1.0, 0.0], pa.float64(), ("0", "1")),
        ([True, False], pa.bool_(), ("false", "true")),
    ],
    ids=str,
)
def test_kinds_of_labels(read_short, labels, kind, names):
    content = parquet_file(["Fine", "Bad"], labels, label_type=kind)
    assert read_short("a.parquet", content, labels=names) == [
        (1, names[1], "Fine"),
        (2, names[0], "Bad"),
    ]


def test_faults_with_their_row_numbers(read):
    texts = ["Fine", None, "  ", "a\0b", "Well", "Well", "x" * 31, b"caf\xe9".decode("latin-1")]
    labels = ["positive"] * 4 + [None, "meh", "positive", "positive"]
    items = read("a.parquet", parquet_file(texts, labels), max_text_bytes=30)
    assert [(item.record, getattr(item, "reason", None)) for item in items] == [
        (1, None),
        (2, "empty_text"),
        (3, "empty_text"),
        (4, "nul_byte"),
        (5, "missing_label"),
        (6, "unknown_label"),
        (7, "text_too_long"),
        (8, None),
    ]
    assert json.loads(items[5].raw) == {"text": "Well", "label": "meh"}


def test_bytes_that_are_not_utf8(read):
    content = parquet_file([b"caf\xe9", b"Fine"], ["positive", "positive"], pa.binary())
    reject, row = read("a.parquet", content)
    assert (reject.record, reject.reason) == (1, "not_utf8")
    assert json.loads(reject.raw) == {"text": "caf\\xe9", "label": "positive"}
    assert row.text == "Fine"


def test_strings_that_are_not_utf8(read):
    broken = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\4\0\0\0"), pa.py_buffer(b"caf\xe9")]
    )
    (reject,) = read("a.parquet", parquet_file(broken, ["positive"]))
    assert reject.reason == "not_utf8"


def test_without_labels(read_short):
    stream = io.BytesIO()
    pq.write_table(pa.table({"text": ["Fine", "Bad"]}), stream)
    content = stream.getvalue()
    assert read_short("a.parquet", content, require_label=False) == [
        (1, None, "Fine"),
        (2, None, "Bad"),
    ]
    with pytest.raises(DataRefused, match=r"expected a column 'label' .*, found 'text'"):
        read_short("a.parquet", content)


def test_records_are_numbered_through_batches(read):
    content = parquet_file(["Fine"] * 9000, ["positive"] * 9000, row_group_size=2000)
    assert [item.record for item in read("a.parquet", content)] == list(range(1, 9001))


@pytest.mark.parametrize("where", ["text", "label", "end"])
def test_a_corrupt_file_is_refused(read, tmp_path, where):
    texts = [f"Day {n}" for n in range(500)]
    plain = {"compression": "none", "use_dictionary": False, "write_page_checksum": True}
    content = bytearray(parquet_file(texts, ["positive"] * 500, **plain))
    label_at = content.index(b"\x08\0\0\0positive") + 4  # the value, not the page's statistics
    at = {"text": content.index(b"Day 7"), "label": label_at, "end": -8}[where]
    content[at : at + 4] = b"\xff" * 4
    with pytest.raises(DataRefused) as refusal:
        read("a.parquet", bytes(content))
    assert str(refusal.value).startswith(f"{tmp_path / 'a.parquet'}: expected a whole .parquet")
    assert "\n" not in str(refusal.value)


def test_truncated_files_are_refused(tmp_path, read):
    content = parquet_file(["Fine"] * 100, ["positive"] * 100)
    with pytest.raises(DataRefused, match="expected a whole .parquet"):
        read("a.parquet", content[:-20])
    with pytest.raises(DataRefused, match="expected rows, the file has none|a whole .parquet"):
        read("a.parquet", b"")
    (tmp_path / "b.parquet.gz").write_bytes(gzip.compress(content)[:-20])
    with pytest.raises(DataRefused, match="expected a whole .gz"):
        from components.ingest.reader import read_rows
        from components.settings import DataSettings

        list(read_rows(str(tmp_path / "b.parquet.gz"), DataSettings()))


def test_no_rows_are_refused(read):
    with pytest.raises(DataRefused, match="expected rows, the file has none"):
        read("a.parquet", parquet_file([], [], label_type=pa.string()))


def test_columns_of_other_kinds_are_refused(read):
    with pytest.raises(DataRefused, match="expected strings in column 'text', got int64"):
        read("a.parquet", parquet_file([1], ["positive"], pa.int64()))
    day = [datetime.date(2024, 2, 29)]
    with pytest.raises(DataRefused, match=r"strings or numbers in column 'label', got date32\[day"):
        read("a.parquet", parquet_file(["Fine"], day))
