"""What a record of a data file becomes: a row, or a reject that says what is wrong with it."""

import json
from typing import Any, NamedTuple
from unicodedata import category

from components.errors import DataRefused
from components.ingest import files
from components.settings import DataSettings

# Reasons of a reject. They are counted in run.json, where users look for them: do not rename.
EMPTY_TEXT = "empty_text"  # no text, null, or nothing visible in it
TEXT_TOO_LONG = "text_too_long"  # over max_text_bytes
NOT_A_STRING = "not_a_string"  # the text is a number, a list, ...
MISSING_LABEL = "missing_label"  # no label, null, or blank
UNKNOWN_LABEL = "unknown_label"  # not one of the configured labels
NOT_UTF8 = "not_utf8"
NUL_BYTE = "nul_byte"
BLANK_LINE = "blank_line"  # between records; at the end of a file blank lines are nothing
RECORD_TOO_LONG = "record_too_long"  # a line over record_limit
WRONG_FIELD_COUNT = "wrong_field_count"  # more or fewer fields than the header
UNTERMINATED_QUOTE = "unterminated_quote"
MALFORMED_CSV = "malformed_csv"  # text after a closing quote, or a lone CR outside quotes
BROKEN_JSON = "broken_json"
NOT_AN_OBJECT = "not_an_object"  # JSON, but not {...}

# Whitespace, control and format characters: a text of these alone shows nothing.
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})

_NOT_KNOWN = " is not one of data.labels"  # follows the label, in the detail of UNKNOWN_LABEL


class Row(NamedTuple):
    """A usable record."""

    file: str
    record: int  # line of the record's start, or row of a .parquet; from 1
    text: str  # exactly as it stands in the file
    label: str | None  # one of the configured labels where labels are required


class Reject(NamedTuple):
    """A record that was not used, and why."""

    file: str
    record: int  # as in Row
    reason: str  # one of the reasons above
    detail: str
    raw: str  # the record as `files.readable` shows it, without its line end


class RowMaker:
    """Makes of a record's values a Row, or a Reject that says what is wrong with them."""

    def __init__(self, path: str, settings: DataSettings, require_label: bool):
        self.path = path
        self.text_column = settings.text_column
        self.label_column = settings.label_column
        self.record_limit = record_limit(settings)
        self.needed = (self.text_column, self.label_column)[: 2 if require_label else 1]
        self._require_label = require_label
        self._labels = settings.labels
        self._known_labels = frozenset(settings.labels)
        self._max_text_bytes = settings.max_text_bytes

    def row(self, record: int, text: Any, label: Any, raw: bytes) -> Row | Reject:
        """Judges one record.

        Args:
          record: its line or row number.
          text: str, or whatever else JSON or Parquet hold; None: there is none.
          label: the same; a number or truth value stands for its JSON spelling.
          raw: the whole record, kept if it is rejected.
        """
        problem = self._text_problem(text)
        name = _label_name(label)
        if problem is None and self._require_label:
            problem = self._label_problem(label, name)
        if problem is not None:
            return self.reject(record, *problem, raw)
        return Row(self.path, record, text, name)

    def reject(self, record: int, reason: str, detail: str, raw: bytes) -> Reject:
        """Makes a Reject for a record."""
        return Reject(self.path, record, reason, detail, files.readable(raw))

    def broken_bytes(self, record: int, raw: bytes) -> Reject | None:
        """Rejects a record that holds bytes no text may hold; None: it holds none."""
        if raw.isascii() and b"\0" not in raw:
            return None
        if b"\0" in raw:
            return self.reject(record, NUL_BYTE, f"at byte {raw.index(0) + 1} of the record", raw)
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            detail = f"byte 0x{raw[error.start]:02x} at byte {error.start + 1} of the record; "
            detail += "save the file as UTF-8"
            return self.reject(record, NOT_UTF8, detail, raw)
        return None

    def positions(self, columns: list[str], hint: str = "") -> tuple[int, int | None]:
        """Where the text and the label stand; no label where none is required and there is none.

        Args:
          columns: of the file.
          hint: ends the message if one is lacking.

        Raises:
          DataRefused: `columns` lack, or repeat, one that is needed.
        """
        columns = [column.strip() for column in columns]
        if error := self.column_error(columns, hint):
            raise error
        label_at = columns.index(self.label_column) if self.label_column in columns else None
        return columns.index(self.text_column), label_at

    def column_error(self, columns: list[str], hint: str = "") -> DataRefused | None:
        """The error of a file whose columns lack, or repeat, one that is needed."""
        for setting, column in zip(("text_column", "label_column"), self.needed, strict=False):
            if column not in columns:
                return DataRefused(
                    f"{self.path}: expected a column '{column}' (data.{setting}), "
                    f"found {shortened(', '.join(map(repr, columns)))}{hint}"
                )
        for column in (self.text_column, self.label_column):
            if columns.count(column) > 1:
                return DataRefused(f"{self.path}: column '{column}' stands twice in the header")
        return None

    def _text_problem(self, text: Any) -> tuple[str, str] | None:
        if text is None:
            return EMPTY_TEXT, f"no '{self.text_column}'"
        if not isinstance(text, str):
            return NOT_A_STRING, f"'{self.text_column}' is {shortened(json.dumps(text))}"
        if "\0" in text:
            return NUL_BYTE, f"in '{self.text_column}'"
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            return NOT_UTF8, f"'{self.text_column}' holds half of a surrogate pair"
        if all(category(character) in _INVISIBLE for character in text):
            return EMPTY_TEXT, f"'{self.text_column}' is {shortened(repr(text))}"
        if size > self._max_text_bytes:
            return TEXT_TOO_LONG, f"{size} bytes, data.max_text_bytes is {self._max_text_bytes}"
        return None

    def _label_problem(self, label: Any, name: str | None) -> tuple[str, str] | None:
        if label is None or name == "":
            return MISSING_LABEL, f"no '{self.label_column}'"
        if name not in self._known_labels:
            shown = shortened(repr(name) if name is not None else json.dumps(label))
            return UNKNOWN_LABEL, f"{shown}{_NOT_KNOWN} ({shortened(', '.join(self._labels))})"
        return None


def unknown_label(reject: Reject) -> str:
    """The label of an `unknown_label` reject as its detail shows it, at most some 200 characters.

    It is taken from the detail because the fields of a Reject are those of the files of rejects.
    """
    return reject.detail.partition(_NOT_KNOWN)[0]


def record_limit(settings: DataSettings) -> int:
    """Longest record of a text format in bytes: 1 MiB, and room for the longest text with every
    character escaped (6 bytes for one, in JSON)."""
    return (1 << 20) + 8 * settings.max_text_bytes


def shortened(text: str, length: int = 200) -> str:
    """`text`, cut to `length` characters, for messages."""
    return text if len(text) <= length else f"{text[:length]}..."


def _label_name(label: Any) -> str | None:
    """The label as the configuration spells it; None: not something that can name a class."""
    if isinstance(label, str):
        return label.strip()
    if isinstance(label, float) and label.is_integer():
        label = int(label)  # a column of integers with gaps becomes 1.0 in many tools
    if isinstance(label, bool | int | float):
        return json.dumps(label)
    return None
