"""Reads a data file record by record; each comes out as a row or a reject, and none is lost.

Streams: in memory is one record, plus what stands between a quote that is never closed and the next
one (bounded too). Knows nothing of Beam or TensorFlow.
"""

from collections.abc import Iterator

from components.errors import DataRefused
from components.ingest import files, formats
from components.ingest.csv_format import csv_rows
from components.ingest.rows import BLANK_LINE, Reject, Row, RowMaker
from components.settings import DataSettings

_TEXT_FORMATS = {"csv": csv_rows, "tsv": formats.tsv_rows, "jsonl": formats.jsonl_rows}


def read_rows(
    path: str, settings: DataSettings, require_label: bool = True
) -> Iterator[Row | Reject]:
    """Reads a data file, in its order.

    Args:
      path: a .csv, .tsv, .jsonl or .parquet, each also .gz, here or `scheme://...`.
      settings: names of the columns, labels, limits.
      require_label: False: the label column may be lacking, and labels are passed on unchecked, as
        str or None.

    Raises:
      DataRefused: the file as a whole cannot be used: it cannot be opened, is truncated, corrupt,
        empty or UTF-16, lacks a column, or has another ending. Rows may have been yielded before.
    """
    name = files.data_format(path)
    if name is None:
        raise DataRefused(f"{path}: expected a file that ends in {files.ENDINGS}")
    maker = RowMaker(path, settings, require_label)
    empty = True
    with files.refusing_unreadable(path):
        items = _parquet(path, maker) if name == "parquet" else _text(path, name, maker)
        for item in items:
            empty = False
            yield item
    if empty:
        raise DataRefused(f"{path}: expected rows, the file has none")


def _parquet(path: str, maker: RowMaker) -> Iterator[Row | Reject]:
    with files.open_seekable(path) as stream:
        yield from formats.parquet_rows(stream, maker)


def _text(path: str, name: str, maker: RowMaker) -> Iterator[Row | Reject]:
    with files.open_data(path) as stream:
        lines = files.read_lines(stream, path, maker.record_limit)
        yield from _without_blank_end(_TEXT_FORMATS[name](lines, maker), maker)


def _without_blank_end(items: Iterator[Row | Reject], maker: RowMaker) -> Iterator[Row | Reject]:
    """Drops the blank lines that nothing follows: those end the file, the others are rejects."""
    blank = range(0)  # numbers of the blank lines just before; they follow one another
    for item in items:
        if isinstance(item, Reject) and item.reason == BLANK_LINE:
            blank = range(blank.start if blank else item.record, item.record + 1)
            continue
        for record in blank:
            yield maker.reject(record, BLANK_LINE, "", b"")
        blank = range(0)
        yield item
