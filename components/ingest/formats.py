"""The records of TSV, JSON lines and Parquet; `csv_format` has CSV, whose records span lines.

- TSV is text/tab-separated-values as registered with IANA: the first line names the columns; no
  quoting, no escapes, so a field is literally what stands between two tabs. Sentences hold lone
  quotation marks far too often to let one of them swallow the lines that follow.
- JSON lines: an object a line; `null` and an absent key are the same.
- Parquet: a text column of strings (UTF-8), a label column of strings, numbers or truth values.

Lines end with LF or CRLF. Blank lines are rejects here; the reader drops those that end a file.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from components.errors import DataRefused
from components.ingest import rows
from components.ingest.files import Line, readable, without_line_end
from components.ingest.headers import dialect_hint
from components.ingest.rows import Reject, Row, RowMaker, shortened

_KEY_WITHIN = 1000  # objects: a key that none of the first ones has is a missing column
_PARQUET_BATCH = 4096  # rows
_PARQUET_BUFFER = 1 << 20  # bytes read at a time; without it, whole column chunks


def tsv_rows(lines: Iterator[Line], maker: RowMaker) -> Iterator[Row | Reject]:
    """Yields the records of a TSV file."""
    header = next(lines, None)
    if header is None:
        return
    check_header(header, maker)
    names = without_line_end(header.raw).decode()
    columns = names.split("\t")
    text_at, label_at = maker.positions(columns, dialect_hint(names, "tsv"))
    for line in lines:
        raw = without_line_end(line.raw)
        if bad := bad_line(line, raw, maker):
            yield bad
            continue
        fields = raw.decode().split("\t")
        if len(fields) != len(columns):
            yield wrong_field_count(line.number, fields, columns, raw, maker)
            continue
        label = None if label_at is None else fields[label_at]
        yield maker.row(line.number, fields[text_at], label, raw)


def jsonl_rows(lines: Iterator[Line], maker: RowMaker) -> Iterator[Row | Reject]:
    """Yields the records of a JSON lines file."""
    unseen = set(maker.needed)
    objects = 0
    keys: list[str] = []  # of the first object
    for line in lines:
        raw = without_line_end(line.raw)
        if bad := bad_line(line, raw, maker):
            yield bad
            continue
        try:
            value = json.loads(raw.decode())
        except (ValueError, RecursionError) as error:
            yield maker.reject(line.number, rows.BROKEN_JSON, str(error), raw)
            continue
        if not isinstance(value, dict):
            detail = f"expected an object, got {shortened(raw.decode())}"
            yield maker.reject(line.number, rows.NOT_AN_OBJECT, detail, raw)
            continue
        if unseen:
            objects += 1
            keys = keys or list(value)
            unseen.difference_update(value)
            if objects == _KEY_WITHIN:
                _refuse_unseen(unseen, keys, maker)
        text, label = value.get(maker.text_column), value.get(maker.label_column)
        yield maker.row(line.number, text, label, raw)
    if objects:
        _refuse_unseen(unseen, keys, maker)


def parquet_rows(stream: IO[bytes], maker: RowMaker) -> Iterator[Row | Reject]:
    """Yields the records of a Parquet file.

    Raises:
      DataRefused: it is corrupt, or a column is missing or of a type that cannot be used.
    """
    import pyarrow.parquet as parquet

    with _refusing_corrupt(maker.path):
        file = parquet.ParquetFile(
            stream, buffer_size=_PARQUET_BUFFER, page_checksum_verification=True
        )
        schema = file.schema_arrow
    _, label_at = maker.positions(schema.names)
    columns = [maker.text_column] + [maker.label_column] * (label_at is not None)
    _check_types(schema, maker)
    batches = file.iter_batches(batch_size=_PARQUET_BATCH, columns=columns)
    record = 0
    while True:
        with _refusing_corrupt(maker.path):
            batch = next(batches, None)
            if batch is None:
                return
            texts = _values(batch.column(maker.text_column))
            labels = (
                _values(batch.column(maker.label_column))
                if label_at is not None
                else [None] * len(texts)
            )
        for text, label in zip(texts, labels, strict=True):
            record += 1
            yield _parquet_row(record, text, label, maker)


def bad_line(line: Line, raw: bytes, maker: RowMaker) -> Reject | None:
    """Rejects a line for what can be seen before it is taken apart; `raw`: without its line end."""
    if line.too_long:
        detail = f"{line.size} bytes, of which only the first {len(line.raw)} are kept here"
        return maker.reject(line.number, rows.RECORD_TOO_LONG, detail, raw)
    if not raw:
        return maker.reject(line.number, rows.BLANK_LINE, "", raw)
    return maker.broken_bytes(line.number, raw)


def check_header(line: Line, maker: RowMaker) -> None:
    """Refuses a file whose first line cannot be text; a blank one is left to `positions`."""
    bad = bad_line(line, without_line_end(line.raw), maker)
    if bad is not None and bad.reason != rows.BLANK_LINE:
        raise DataRefused(f"{maker.path}:1: the header cannot be read: {bad.reason}, {bad.detail}")


def wrong_field_count(
    record: int, fields: list[str], columns: list[str], raw: bytes, maker: RowMaker
) -> Reject:
    """Rejects a record for its number of fields."""
    detail = f"{len(fields)} fields, the header has {len(columns)}"
    return maker.reject(record, rows.WRONG_FIELD_COUNT, detail, raw)


def _refuse_unseen(unseen: set[str], keys: list[str], maker: RowMaker) -> None:
    if unseen and (error := maker.column_error(keys)):
        raise error


def _check_types(schema: Any, maker: RowMaker) -> None:
    """Refuses Parquet columns that cannot hold a text or a label."""
    import pyarrow.types as types

    def plain(column: str) -> Any:
        kind = schema.field(column).type
        return kind.value_type if types.is_dictionary(kind) else kind

    kind = plain(maker.text_column)
    if not (_is_bytes(kind) or types.is_null(kind)):
        raise DataRefused(
            f"{maker.path}: expected strings in column '{maker.text_column}', got {kind}"
        )
    if maker.label_column not in maker.needed:
        return
    kind = plain(maker.label_column)
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    if not (number or _is_bytes(kind) or types.is_null(kind)):
        raise DataRefused(
            f"{maker.path}: expected strings or numbers in column '{maker.label_column}', "
            f"got {kind}"
        )


def _is_bytes(kind: Any) -> bool:
    import pyarrow.types as types

    return any(
        test(kind)
        for test in (
            types.is_string,
            types.is_large_string,
            types.is_string_view,
            types.is_binary,
            types.is_large_binary,
            types.is_binary_view,
        )
    )


def _values(column: Any) -> list[Any]:
    """The values of an Arrow array, strings as bytes: Arrow does not check that they are UTF-8."""
    import pyarrow

    if pyarrow.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_bytes(column.type):
        column = column.cast(pyarrow.large_binary())
    return column.to_pylist()


def _parquet_row(record: int, text: Any, label: Any, maker: RowMaker) -> Row | Reject:
    try:
        text = text.decode() if isinstance(text, bytes) else text
        label = label.decode() if isinstance(label, bytes) else label
    except UnicodeDecodeError:
        raw = _parquet_raw(text, label, maker)
        return maker.reject(record, rows.NOT_UTF8, "the bytes are shown in raw", raw)
    made = maker.row(record, text, label, b"")
    if isinstance(made, Reject):
        return made._replace(raw=_parquet_raw(text, label, maker).decode())
    return made


def _parquet_raw(text: Any, label: Any, maker: RowMaker) -> bytes:
    """The two columns of a row as JSON; there are no raw bytes of a row in a Parquet file."""
    shown = [readable(value) if isinstance(value, bytes) else value for value in (text, label)]
    names = (maker.text_column, maker.label_column)
    return json.dumps(dict(zip(names, shown, strict=True)), ensure_ascii=False).encode()


@contextmanager
def _refusing_corrupt(path: str) -> Iterator[None]:
    """Turns Arrow's errors into DataRefused."""
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        cause = shortened(str(error).splitlines()[0]) if str(error) else type(error).__name__
        raise DataRefused(
            f"{path}: expected a whole .parquet, got a corrupt one: {cause}"
        ) from error
