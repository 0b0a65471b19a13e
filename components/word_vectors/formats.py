"""Formats of word vectors: text (GloVe, word2vec), word2vec's binary one, and .npy with words.

Each reader is iterated once and yields (word, values, place): the word's bytes, its values as they
are stored, and the line or entry number. Only the words that are kept have their values parsed, so
that a file of millions of words is read in seconds and needs no memory for the others.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Literal, NamedTuple, Protocol

import numpy as np

from components.errors import DataRefused, UsageError
from components.ingest import files
from components.word_vectors.source import NPY, VectorFiles, open_unpacked, refusing_unreadable

_LONGEST_WORD = 10_000  # bytes
_LONGEST_NUMBER = 40  # bytes, with its separator


class Entry(NamedTuple):
    """A word and its vector, as they are stored."""

    word: bytes
    values: bytes  # none of a .npy
    place: int  # line of a text file, else number of the entry; from 1


class Reader(Protocol):
    """What all formats have in common."""

    def __iter__(self) -> Iterator[Entry]: ...

    def parse(self, entry: Entry) -> np.ndarray:
        """The entry's vector, float32 [dimension]; DataRefused if it has other values."""


@contextmanager
def open_vectors(found: VectorFiles, dimension: int) -> Iterator[Reader]:
    """Opens vectors in whatever format the file's content shows.

    Raises:
      UsageError: the vectors have another dimension, or a .npy comes without its words.
      DataRefused: while iterating too: unreadable, truncated, or not in a known format.
    """
    if found.words:
        with refusing_unreadable(found.path), files.open_seekable(found.path) as array:
            yield ArrayReader(array, found.path, found.words, dimension)
        return
    with refusing_unreadable(found.path), open_unpacked(found.path, dimension) as stream:
        start = stream.peek(4096)
        if start.startswith(NPY):
            raise UsageError(f"word vectors: {found.path}: a .npy needs its words: vectors.words")
        if _is_binary(start):
            yield BinaryReader(stream, found.path, dimension)
        else:
            yield TextReader(stream, found.path, dimension)


class TextReader:
    """A word and its numbers a line, separated by spaces; word2vec's header line may stand first.

    Lines of a word with spaces in it are passed over and counted in `words_with_spaces`: no token
    has any.
    """

    def __init__(self, stream: io.BufferedReader, path: str, dimension: int):
        self._stream, self._path, self._dimension = stream, path, dimension
        self.words_with_spaces = 0

    def __iter__(self) -> Iterator[Entry]:
        limit = _LONGEST_WORD + self._dimension * _LONGEST_NUMBER
        for line in files.read_lines(self._stream, self._path, limit):
            text = line.raw.rstrip()
            numbers = text.count(b" ")
            if line.number == 1:
                header = _header(text)
                _check_dimension(self._path, header[1] if header else numbers, self._dimension)
                if header:
                    continue
            if numbers > self._dimension and not line.too_long:
                self._check_numbers(text.split(b" ")[-self._dimension :], line.number)
                self.words_with_spaces += 1
                continue
            word, _, values = text.partition(b" ")
            if numbers < self._dimension or not word or line.too_long:
                raise DataRefused(
                    f"{self._path}: line {line.number}: expected a word and {self._dimension} "
                    f"numbers, got {_shown(text)}"
                )
            yield Entry(word, values, line.number)

    def parse(self, entry: Entry) -> np.ndarray:
        """See Reader."""
        return self._check_numbers(entry.values.split(b" "), entry.place)

    def _check_numbers(self, numbers: list[bytes], place: int) -> np.ndarray:
        try:
            with np.errstate(over="ignore"):  # too large for float32: refused as infinite below
                vector = np.array([float(number) for number in numbers], np.float32)
        except ValueError as error:
            raise DataRefused(f"{self._path}: line {place}: not a number: {error}") from None
        return _finite(vector, f"{self._path}: line {place}")


class BinaryReader:
    """word2vec's binary format: a header line, then word, space and float32 values, over and over.

    Source: https://code.google.com/archive/p/word2vec, word2vec.c.
    """

    def __init__(self, stream: io.BufferedReader, path: str, dimension: int):
        self._stream, self._path = stream, path
        header = _header(stream.readline(_LONGEST_WORD).rstrip())
        assert header, "_is_binary has seen it"
        self._count, found = header
        _check_dimension(path, found, dimension)
        self._row_bytes = 4 * dimension

    def __iter__(self) -> Iterator[Entry]:
        for place in range(1, self._count + 1):
            word = self._word().lstrip(b"\n")
            values = self._stream.read(self._row_bytes)
            if not word or len(values) < self._row_bytes:
                raise DataRefused(
                    f"{self._path}: entry {place}: expected {self._count} words as the header "
                    "says, the file ends or is broken here"
                )
            yield Entry(word, values, place)

    def parse(self, entry: Entry) -> np.ndarray:
        """See Reader."""
        vector = np.frombuffer(entry.values, "<f4").astype(np.float32)
        return _finite(vector, f"{self._path}: entry {entry.place}")

    def _word(self) -> bytes:
        """Reads up to the next space and over it; at the end of the file what is left."""
        word = b""
        while len(word) < _LONGEST_WORD and (ahead := self._stream.peek(1)):
            end = ahead.find(b" ")
            word += self._stream.read(len(ahead) if end < 0 else end + 1)
            if end >= 0:
                return word[:-1]
        return b""


class ArrayReader:
    """A .npy of shape [words, dimension], mapped into memory, and the list of its words."""

    def __init__(self, stream: IO[bytes], path: str, words: str, dimension: int):
        self._path, self._words = path, words
        try:
            version = np.lib.format.read_magic(stream)
            read_header = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            shape, by_column, dtype = read_header(stream)
        except (ValueError, KeyError) as error:
            raise DataRefused(f"{path}: the header of the .npy cannot be read: {error}") from error
        if len(shape) != 2 or dtype.kind != "f":
            raise DataRefused(
                f"{path}: expected rows of floating-point numbers, got an array of shape {shape} "
                f"and type {dtype}"
            )
        _check_dimension(path, shape[1], dimension)
        order: Literal["F", "C"] = "F" if by_column else "C"
        try:
            mapped = np.memmap(stream, dtype, "r", stream.tell(), shape, order)
        except ValueError as error:
            raise DataRefused(f"{path}: the file ends before row {shape[0]:,}") from error
        self._rows = mapped.view(np.ndarray)  # whose rows are made three times as fast

    def __iter__(self) -> Iterator[Entry]:
        place = 0
        for place, word in enumerate(read_words(self._words), start=1):
            if place > len(self._rows):
                break
            yield Entry(word, b"", place)
        if place != len(self._rows):
            found = "more" if place > len(self._rows) else f"{place:,}"
            raise DataRefused(
                f"{self._words}: expected {len(self._rows):,} words, as many as {self._path} has "
                f"rows, found {found}"
            )

    def parse(self, entry: Entry) -> np.ndarray:
        """See Reader."""
        vector = self._rows[entry.place - 1].astype(np.float32)
        return _finite(vector, f"{self._path}: row {entry.place}")


def read_words(path: str) -> Iterator[bytes]:
    """The words of a .npy: a word a line, or the one column of strings of a Parquet file.

    Raises:
      DataRefused: the file cannot be read, or is Parquet without exactly one column.
    """
    with refusing_unreadable(path), files.open_seekable(path) as stream:
        if stream.read(4) == b"PAR1":
            yield from _parquet_words(stream, path)
            return
        stream.seek(0)
        for line in files.read_lines(stream, path, _LONGEST_WORD):
            yield files.without_line_end(line.raw)


def _parquet_words(stream: IO[bytes], path: str) -> Iterator[bytes]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(stream)
        if len(file.schema_arrow) != 1:
            raise DataRefused(f"{path}: expected one column, found {file.schema_arrow.names}")
        for batch in file.iter_batches():
            yield from batch.column(0).cast(pyarrow.binary()).to_pylist()
    except pyarrow.ArrowException as error:
        raise DataRefused(f"{path}: expected a Parquet file of words: {error}") from error


def _header(line: bytes) -> tuple[int, int] | None:
    """(words, dimension) if this is word2vec's first line."""
    fields = line.split(b" ")
    if len(fields) == 2 and fields[0].isdigit() and fields[1].isdigit():
        return int(fields[0]), int(fields[1])
    return None


def _is_binary(start: bytes) -> bool:
    """Whether a file that starts so is word2vec's binary format: a header, then no text."""
    header, _, rest = start.partition(b"\n")
    if not _header(header.rstrip()):
        return False
    line, line_end, _ = rest.partition(b" ")[2].partition(b"\n")
    numbers = line.split() if line_end else line.split()[:-1]  # the last may be cut
    try:
        return not [float(number) for number in numbers]
    except ValueError:
        return True


def _check_dimension(path: str, found: int, expected: int) -> None:
    if found != expected:
        raise UsageError(
            f"word vectors: {path} has vectors of {found} numbers, model.embedding_dim is "
            f"{expected}: set it to {found}, or take other vectors"
        )


def _finite(vector: np.ndarray, place: str) -> np.ndarray:
    if not np.isfinite(vector).all():
        raise DataRefused(
            f"{place}: expected finite numbers, got {vector[~np.isfinite(vector)][0]}"
        )
    return vector


def _shown(text: bytes) -> str:
    shown = files.readable(text[:60])
    return f"'{shown}…'" if len(text) > 60 else f"'{shown}'"
