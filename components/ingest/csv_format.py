"""The records of CSV, RFC 4180: a quoted field may hold commas, doubled quotes and line ends.

The first record names the columns. A quote inside an unquoted field is kept as it stands, as
spreadsheets do, but only in pairs: a lone one could be the end of a record whose start was lost.

A quote that is never closed must not take the rest of the file with it. So a record of several
lines counts only if it is closed within the length limit of a record and has the header's number of
fields; otherwise its first line alone is rejected, and the following lines are read as if it had
not been there. No line is read more than twice: a look-ahead ends at the next line with an odd
number of quotes, and only such a line starts one.
"""

import csv
from collections import deque
from collections.abc import Iterator
from itertools import islice

from components.errors import DataRefused
from components.ingest import rows
from components.ingest.files import Line, without_line_end
from components.ingest.formats import bad_line, check_header, wrong_field_count
from components.ingest.headers import dialect_hint
from components.ingest.rows import Reject, Row, RowMaker

_OPEN_QUOTE = "a quote on this line is not closed, or not where a field ends"


def csv_rows(lines: Iterator[Line], maker: RowMaker) -> Iterator[Row | Reject]:
    """Yields the records of a CSV file."""
    # The csv module refuses fields over 131,072 characters; here the length of a record is bounded,
    # in bytes. That limit is global, so it is only ever lifted.
    csv.field_size_limit(max(csv.field_size_limit(), maker.record_limit))
    source = _Lines(lines, maker.record_limit)
    reader = csv.reader(source, strict=True)
    header = source.begin()
    if header is None:
        return
    check_header(header, maker)
    columns, problem = _next_record(reader, source, None)
    hint = dialect_hint(source.raw().decode(errors="replace"), "csv")
    if problem is not None:
        raise DataRefused(f"{maker.path}:1: the header is not CSV: {': '.join(problem)}{hint}")
    text_at, label_at = maker.positions(columns, hint)

    while (line := source.begin()) is not None:
        raw = without_line_end(line.raw)
        if (line.too_long or not raw) and (bad := bad_line(line, raw, maker)):
            source.skip()
            yield bad
            continue
        fields, problem = _next_record(reader, source, len(columns))
        if problem is not None:
            yield maker.broken_bytes(line.number, raw) or maker.reject(line.number, *problem, raw)
            continue
        raw = source.raw()
        if broken := maker.broken_bytes(line.number, raw):
            yield broken
        elif len(fields) != len(columns):
            yield wrong_field_count(line.number, fields, columns, raw, maker)
        else:
            label = None if label_at is None else fields[label_at]
            yield maker.row(line.number, fields[text_at], label, raw)


def _next_record(
    reader: Iterator[list[str]], source: "_Lines", width: int | None
) -> tuple[list[str], tuple[str, str] | None]:
    """The fields of the next record, or the reason and detail for which its first line is rejected.

    Args:
      width: fields that a record of several lines must have; None: any number.
    """
    try:
        fields = next(reader)
    except csv.Error as error:
        looked_ahead = source.ran_out or len(source.taken) > 1
        reason = rows.UNTERMINATED_QUOTE if looked_ahead else rows.MALFORMED_CSV
        problem = (reason, _OPEN_QUOTE if looked_ahead else str(error))
    else:
        torn = width is not None and len(source.taken) > 1 and len(fields) != width
        if not torn and source.raw().count(b'"') % 2 == 0:
            return fields, None
        problem = (rows.UNTERMINATED_QUOTE, _OPEN_QUOTE)
    source.give_back()
    return [], problem


class _Lines:
    """Feeds csv.reader with lines, and can take back all but the first of a record."""

    def __init__(self, lines: Iterator[Line], limit: int):
        self.taken: list[Line] = []  # of the current record
        self.ran_out = False  # the current record wanted more lines than there are, or may be
        self._size = 0  # bytes, of the current record
        self._lines = lines
        self._again: deque[Line] = deque()  # to be read before `_lines`
        self._limit = limit

    def begin(self) -> Line | None:
        """Starts a record and shows its first line, which is not taken yet; None: at the end."""
        self.taken, self.ran_out, self._size = [], False, 0
        if not self._again:
            self._again.extend(islice(self._lines, 1))
        return self._again[0] if self._again else None

    def skip(self) -> None:
        """Takes the line that `begin` showed past csv.reader."""
        self._again.popleft()

    def give_back(self) -> None:
        """Keeps the first line of the current record; the others come again."""
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]

    def raw(self) -> bytes:
        """The current record without its line end."""
        return without_line_end(b"".join(line.raw for line in self.taken))

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if not self._again:
            self._again.extend(islice(self._lines, 1))
        if not self._again or (self.taken and self._is_too_much(self._again[0])):
            self.ran_out = True
            raise StopIteration
        line = self._again.popleft()
        self.taken.append(line)
        self._size += line.size
        # Quotes and commas are found in any bytes; those that are not UTF-8 are looked at after.
        return line.raw.decode(errors="surrogateescape")

    def _is_too_much(self, line: Line) -> bool:
        return line.too_long or self._size + line.size > self._limit
