"""CSV, TSV and JSON lines: what is a row, what is a reject, and at which line."""

import gzip
import json

import pytest

from components.errors import DataRefused
from components.ingest.rows import Reject, Row, unknown_label

GOOD = {
    "a.csv": b'text,label\nA fine day,positive\n"Rain, again",negative\n',
    "a.tsv": b"label\ttext\npositive\tA fine day\nnegative\tRain, again\n",
    "a.jsonl": b'{"text": "A fine day", "label": "positive"}\n'
    b'{"label": "negative", "text": "Rain, again"}\n',
}
HEADER_LINES = {"a.csv": 1, "a.tsv": 1, "a.jsonl": 0}


def expected(name):
    first = HEADER_LINES[name] + 1
    return [(first, "positive", "A fine day"), (first + 1, "negative", "Rain, again")]


@pytest.fixture(params=sorted(GOOD))
def name(request):
    return request.param


def test_plain(read_short, name):
    assert read_short(name, GOOD[name]) == expected(name)


def test_gzipped_with_an_ending_in_capitals(read_short, name):
    assert read_short(name.upper() + ".GZ", GOOD[name]) == expected(name)


def test_byte_order_mark(read_short, name):
    assert read_short(name, b"\xef\xbb\xbf" + GOOD[name]) == expected(name)


def test_crlf(read_short, name):
    assert read_short(name, GOOD[name].replace(b"\n", b"\r\n")) == expected(name)


def test_no_line_end_at_the_end(read_short, name):
    assert read_short(name, GOOD[name].rstrip(b"\n")) == expected(name)


def test_blank_lines_at_the_end_are_nothing(read_short, name):
    assert read_short(name, GOOD[name] + b"\n\r\n\n") == expected(name)


def test_blank_lines_between_records_are_rejects(read_short, name):
    items = read_short(name, GOOD[name] + b"\n\r\n" + GOOD[name].split(b"\n")[-2] + b"\n")
    last = HEADER_LINES[name] + 5
    assert items == expected(name) + [
        (last - 2, "blank_line"),
        (last - 1, "blank_line"),
        (last, "negative", "Rain, again"),
    ]


def test_rows_carry_the_path(read, name, tmp_path):
    assert {item.file for item in read(name, GOOD[name])} == {str(tmp_path / name)}


def test_byte_order_mark_before_a_quoted_header(read_short):
    content = b'\xef\xbb\xbf"text","label"\nSo it goes,positive\n'
    assert read_short("a.csv", content) == [(2, "positive", "So it goes")]


def test_other_columns_and_names(read_short):
    content = b"id;x\tsentence\tmood\n7\tGreat  stuff \t up \n"
    settings = {"text_column": "sentence", "label_column": "mood", "labels": ("up", "down")}
    assert read_short("a.tsv", content, **settings) == [(2, "up", "Great  stuff ")]


def test_column_names_are_stripped(read_short):
    assert read_short("a.csv", b"text, label \nFine,positive\n") == [(2, "positive", "Fine")]


# One bad row among good ones, for each kind of fault: (file name, line, reason, detail).
FAULTS = [
    ("a.csv", b",positive", "empty_text", "'text' is ''"),
    ("a.tsv", b"positive\t \xe2\x80\x8b\xc2\xa0", "empty_text", "'text' is ' \\u200b\\xa0'"),
    ("a.jsonl", b'{"text": null, "label": "positive"}', "empty_text", "no 'text'"),
    ("a.jsonl", b'{"label": "positive"}', "empty_text", "no 'text'"),
    ("a.jsonl", b'{"text": 3, "label": "positive"}', "not_a_string", "'text' is 3"),
    ("a.csv", b"Well, ", "missing_label", "no 'label'"),
    ("a.tsv", b"\tWell", "missing_label", "no 'label'"),
    ("a.jsonl", b'{"text": "Well"}', "missing_label", "no 'label'"),
    ("a.jsonl", b'{"text": "Well", "label": null}', "missing_label", "no 'label'"),
    ("a.csv", b"Well,meh", "unknown_label", "'meh' is not one of data.labels (negative, positive)"),
    ("a.tsv", b"Positive\tWell", "unknown_label", "'Positive' is not one of data.labels (negati"),
    (
        "a.jsonl",
        b'{"text": "Well", "label": ["positive"]}',
        "unknown_label",
        '["positive"] is not one of data.labels (negative, positive)',
    ),
    ("a.csv", b"Well, well,positive", "wrong_field_count", "3 fields, the header has 2"),
    ("a.csv", b"Well", "wrong_field_count", "1 fields, the header has 2"),
    ("a.tsv", b"positive\tWell\twell", "wrong_field_count", "3 fields, the header has 2"),
    ("a.jsonl", b'{"text": "Well", "label": ', "broken_json", "Expecting value: line 1 column 27"),
    ("a.jsonl", b'{"text": "Well"} {}', "broken_json", "Extra data: line 1 column 18 (char 17)"),
    ("a.jsonl", b"[" * 100_000, "broken_json", "maximum recursion depth exceeded"),
    ("a.jsonl", b'["Well", "positive"]', "not_an_object", 'expected an object, got ["Well"'),
    (
        "a.csv",
        b"caf\xe9,positive",
        "not_utf8",
        "byte 0xe9 at byte 4 of the record; save the file as UTF-8",
    ),
    ("a.tsv", b"positive\tcaf\xe9", "not_utf8", "byte 0xe9 at byte 13 of the record"),
    ("a.jsonl", b'{"text": "caf\xe9"}', "not_utf8", "byte 0xe9 at byte 14 of the record"),
    ("a.jsonl", b'{"text": "\\ud83d", "label": "positive"}', "not_utf8", "'text' holds half of a"),
    ("a.csv", b"We\0ll,positive", "nul_byte", "at byte 3 of the record"),
    ("a.tsv", b"positive\tWe\0ll", "nul_byte", "at byte 12 of the record"),
    ("a.jsonl", b'{"text": "We\0ll"}', "nul_byte", "at byte 13 of the record"),
    ("a.jsonl", b'{"text": "We\\u0000ll", "label": "positive"}', "nul_byte", "in 'text'"),
    ("a.csv", b'"Well,positive', "unterminated_quote", "a quote on this line is not closed"),
    ("a.csv", b'Say "well,positive', "unterminated_quote", "a quote on this line is not closed"),
    ("a.csv", b'"We"ll,positive', "malformed_csv", "',' expected after '\"'"),
    ("a.csv", b"We\rll,positive", "malformed_csv", "new-line character seen in unquoted field"),
    ("a.csv", b"x" * 31 + b",positive", "text_too_long", "31 bytes, data.max_text_bytes is 30"),
    ("a.tsv", b"positive\t" + b"\xc3\xa4" * 16, "text_too_long", "32 bytes, data.max_text_bytes"),
    (
        "a.jsonl",
        b'{"label": "positive", "text": "%s"}' % (b"x" * 31),
        "text_too_long",
        "31 bytes, data.max_text_bytes is 30",
    ),
]


@pytest.mark.parametrize("name, line, reason, detail", FAULTS, ids=lambda value: str(value)[:24])
def test_a_bad_row_is_rejected_and_the_others_are_read(read, tmp_path, name, line, reason, detail):
    lines = GOOD[name].splitlines(keepends=True)
    items = read(name, b"".join([*lines[:-1], line + b"\n", lines[-1]]), max_text_bytes=30)
    rows = [item for item in items if isinstance(item, Row)]
    (reject,) = [item for item in items if isinstance(item, Reject)]
    assert [row.text for row in rows] == ["A fine day", "Rain, again"]
    assert (reject.file, reject.record, reject.reason) == (str(tmp_path / name), len(lines), reason)
    assert reject.detail.startswith(detail)
    assert reject.raw == line.decode(errors="backslashreplace")


def test_longest_allowed_text_is_a_row(read_short):
    content = b"label\ttext\npositive\t" + b"x" * 30
    assert read_short("a.tsv", content, max_text_bytes=30) == [(2, "positive", "x" * 30)]


def test_raw_bytes_can_be_had_back(read):
    (reject,) = read("a.tsv", b"label\ttext\nx\t\\xe9 or \xe9\n")
    assert reject.raw == "x\t\\\\xe9 or \\xe9"


@pytest.mark.parametrize("label", ["1", "1.0", '"1"', '" 1 "'])
def test_numbers_are_labels(read_short, label):
    line = f'{{"text": "Fine", "label": {label}}}'.encode()
    assert read_short("a.jsonl", line, labels=("0", "1")) == [(1, "1", "Fine")]


def test_truth_values_are_labels(read_short):
    line = b'{"text": "Fine", "label": true}'
    assert read_short("a.jsonl", line, labels=("false", "true")) == [(1, "true", "Fine")]


@pytest.mark.parametrize(
    "content, name",
    [(b"1", "1"), (b"1.0", "1.0"), (b"True", "True"), (b"true", "true")],
)
def test_labels_in_a_table_are_texts_as_they_stand(read_short, content, name):
    other = {"labels": ("other", name)}
    assert read_short("a.csv", b"text,label\nFine," + content, **other) == [(2, name, "Fine")]
    assert read_short("a.tsv", b"text\tlabel\nFine\t" + content, **other) == [(2, name, "Fine")]


def test_unknown_label_of_many_labels_is_one_short_line(read):
    labels = tuple(f"intent number {n}" for n in range(300))
    (reject,) = read("a.csv", b"text,label\nFine," + b"x" * 5000, labels=labels)
    assert len(reject.detail) < 500
    assert unknown_label(reject) == "'" + "x" * 199 + "..."


def test_tsv_knows_no_quotes(read_short):
    content = b'label\ttext\npositive\t"Open, she said\nnegative\tshut"\n'
    assert read_short("a.tsv", content) == [
        (2, "positive", '"Open, she said'),
        (3, "negative", 'shut"'),
    ]
    content = b'text\tlabel\n"He said ""x"""\tpositive\n'
    assert read_short("a.tsv", content) == [(2, "positive", '"He said ""x"""')]


def test_an_endless_line_is_rejected_and_cut(read, name):
    good = GOOD[name].splitlines(keepends=True)
    content = b"".join([*good[:-1], b"x" * 3_000_000, b"\n", good[-1]])
    items = read(name, content)
    assert [type(item) for item in items] == [Row, Reject, Row]
    kept = (1 << 20) + 8 * 10_000
    assert items[1].reason == "record_too_long"
    assert items[1].detail == f"3000001 bytes, of which only the first {kept} are kept here"
    assert items[1].raw == "x" * kept


def test_without_labels(read_short):
    assert read_short("a.tsv", b"text\nFine\n\nWell\n", require_label=False) == [
        (2, None, "Fine"),
        (3, "blank_line"),
        (4, None, "Well"),
    ]
    assert read_short("a.csv", b"label,text\nmeh,Fine\n", require_label=False) == [
        (2, "meh", "Fine")
    ]
    assert read_short("a.jsonl", b'{"text": "Fine"}', require_label=False) == [(1, None, "Fine")]


REFUSED = [
    ("a.csv", b"text,mood\nFine,positive\n", "expected a column 'label' (data.label_column), "),
    ("a.tsv", b"label,text\npositive,Fine\n", "expected a column 'text' (data.text_column), "),
    ("a.jsonl", b'{"sentence": "Fine", "label": "positive"}\n', "found 'sentence', 'label'"),
    ("a.csv", b"\nFine,positive\n", "expected a column 'text'"),
    ("a.csv", b"text,label,text\nFine,positive,x\n", "column 'text' stands twice in the header"),
    ("a.csv", b"t\xe9xt,label\nFine,positive\n", "not_utf8, byte 0xe9 at byte 2 of the record; sa"),
    ("a.tsv", b"text\0\tlabel\nFine\tpositive\n", ":1: the header cannot be read: nul_byte, at"),
    ("a.csv", b'"text,label\nFine,positive\n', ":1: the header is not CSV: unterminated_quote"),
    ("a.csv", "text,label\nFine,positive\n".encode("utf-16"), "expected UTF-8, got UTF-16"),
    ("a.csv", b"", "expected rows, the file has none"),
    ("a.csv", b"\xef\xbb\xbf", "expected rows, the file has none"),
    ("a.tsv", b"text\tlabel\n\n", "expected rows, the file has none"),
    ("a.jsonl", b"\n\n", "expected rows, the file has none"),
    ("a.jsonl.gz", b"", "expected rows, the file has none"),
    ("a.txt", b"Fine\n", "expected a file that ends in .csv, .tsv, .jsonl or .parquet, each also"),
    ("a.tsv.zip", b"PK", "expected a file that ends in"),
]


SEPARATORS = [
    (
        "a.csv",
        b"text;label\nFine;positive\n",
        "expected a column 'text' (data.text_column), found 'text;label'; "
        "the header has ';', but .csv is separated by ','; save it with ','",
    ),
    (
        "a.csv.gz",
        b"text\tlabel\nFine\tpositive\n",
        "expected a column 'text' (data.text_column), found 'text\\tlabel'; the header has tabs, "
        "but .csv is separated by ','; save it with ',', or as .tsv without quotes",
    ),
    (
        "a.csv",
        b'"text";"label"\nFine;positive\n',
        "a.csv:1: the header is not CSV: malformed_csv: ',' expected after '\"'; "
        "the header has ';', but .csv is separated by ','; save it with ','",
    ),
    (
        "a.tsv",
        b"id,text,label\n1,Fine,positive\n",
        "expected a column 'text' (data.text_column), found 'id,text,label'; "
        "the header has ',', but .tsv is separated by tabs; rename it to .csv",
    ),
    (
        "a.TSV",
        b"text;label\nFine;positive\n",
        "the header has ';', but .tsv is separated by tabs; save it with tabs",
    ),
    (
        "a.tsv",
        b'"text"\t"label"\n"Fine"\t"positive"\n',
        """found '"text"', '"label"'; quotes are not read in .tsv; save it as .csv""",
    ),
]


@pytest.mark.parametrize("name, content, message", SEPARATORS)
def test_a_header_of_another_dialect_is_named(read, name, content, message):
    with pytest.raises(DataRefused) as refusal:
        read(name, content)
    assert str(refusal.value).endswith(message)


@pytest.mark.parametrize(
    "name, content, found",
    [
        ("a.csv", b"sentence;x,label\n", "found 'sentence;x', 'label'"),
        ("a.tsv", b'say "x", y\tlabel\n', """found 'say "x", y', 'label'"""),
        ("a.csv", b"sentence\n", "found 'sentence'"),
    ],
)
def test_other_missing_columns_are_no_matter_of_the_dialect(read, name, content, found):
    with pytest.raises(DataRefused) as refusal:
        read(name, content)
    assert str(refusal.value).endswith(found)


@pytest.mark.parametrize("name, content, message", REFUSED, ids=lambda value: str(value)[:20])
def test_files_that_are_refused(read, tmp_path, name, content, message):
    with pytest.raises(DataRefused) as refusal:
        read(name, content)
    assert str(refusal.value).startswith(str(tmp_path / name))
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_key_that_the_first_thousand_objects_lack_is_missing(read):
    line = json.dumps({"sentence": "Fine", "label": "positive"}).encode() + b"\n"
    late = b'{"text": "Fine", "label": "positive"}\n'
    with pytest.raises(DataRefused, match="expected a column 'text'"):
        read("a.jsonl", line * 1000 + late)
    assert len(read("a.jsonl", line * 999 + late)) == 1000


@pytest.mark.parametrize("cut", [5, 40, -1])
def test_truncated_gz(tmp_path, read, cut):
    packed = gzip.compress(GOOD["a.csv"])
    path = tmp_path / "a.csv.gz"
    path.write_bytes(packed[:cut])
    with pytest.raises(DataRefused, match="expected a whole .gz, got one that is truncated") as e:
        list(read_file(path))
    assert str(path) in str(e.value)


def test_not_a_gz(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(GOOD["a.csv"])
    with pytest.raises(DataRefused, match="expected a whole .gz"):
        list(read_file(path))


def test_no_such_file(tmp_path):
    with pytest.raises(DataRefused, match="a.csv: cannot be read: No such file or directory"):
        list(read_file(tmp_path / "a.csv"))


def test_a_folder(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(DataRefused, match="cannot be read: Is a directory"):
        list(read_file(tmp_path / "a.csv"))


def read_file(path):
    from components.ingest.reader import read_rows
    from components.settings import DataSettings

    return read_rows(str(path), DataSettings())
