"""Data files: known endings, opening them here or on a remote store, lines of bounded length."""

import gzip
import io
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Any, NamedTuple

from components.errors import DataRefused

ENDINGS = ".csv, .tsv, .jsonl or .parquet, each also .gz"
_ENDING = re.compile(r"\.(csv|tsv|jsonl|parquet)(\.gz)?$", re.IGNORECASE)

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_CHUNK = 1 << 20  # bytes


def data_format(path: str) -> str | None:
    """`csv`, `tsv`, `jsonl` or `parquet`, by the ending of `path`; None: not a data file."""
    match = _ENDING.search(path)
    return match.group(1).lower() if match else None


def is_remote(path: str) -> bool:
    """True for `scheme://...`, which only TensorFlow's file systems can open."""
    return "://" in path


def exists(path: str) -> bool:
    """Whether a file or folder is at `path`, here or on a remote store."""
    if not is_remote(path):
        return os.path.exists(path)
    with _remote_errors():
        return _tensorflow().io.gfile.exists(path)


def is_folder(path: str) -> bool:
    """Whether `path` is a folder, here or on a remote store."""
    if not is_remote(path):
        return os.path.isdir(path)
    with _remote_errors():
        return _tensorflow().io.gfile.isdir(path)


def list_folder(path: str) -> list[str]:
    """The sorted names of what lies directly in a folder, folders with a `/` at the end."""
    if is_remote(path):
        with _remote_errors():
            names = _tensorflow().io.gfile.listdir(path)
    else:
        names = os.listdir(path)
    names = [name.rstrip("/") for name in names]
    return sorted(name + "/" if is_folder(os.path.join(path, name)) else name for name in names)


def open_binary(path: str) -> IO[bytes]:
    """Opens the bytes of `path` as they are stored.

    Raises:
      OSError: there is no such file or it cannot be read.
    """
    if is_remote(path):
        return io.BufferedReader(_RemoteFile(path), _CHUNK)
    return open(path, "rb")


@contextmanager
def open_data(path: str) -> Iterator[IO[bytes]]:
    """Opens the content of `path`: as `open_binary`, but a .gz is unpacked while it is read."""
    with ExitStack() as stack:
        stream = stack.enter_context(open_binary(path))
        if path.lower().endswith(".gz"):
            unpacked = stack.enter_context(gzip.GzipFile(fileobj=stream, mode="rb"))
            stream = io.BufferedReader(unpacked, _CHUNK)
        yield stream


@contextmanager
def open_seekable(path: str) -> Iterator[IO[bytes]]:
    """Opens the content of `path` for random access, by way of a temporary file where necessary."""
    with open_data(path) as stream:
        if isinstance(stream, io.BufferedReader) and isinstance(stream.raw, io.FileIO):
            yield stream
            return
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(stream, copy, _CHUNK)
            copy.seek(0)
            yield copy


@contextmanager
def refusing_unreadable(path: str) -> Iterator[None]:
    """Turns the errors of reading `path` into DataRefused."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataRefused(
            f"{path}: expected a whole .gz, got one that is truncated or corrupt ({error}); "
            "copy or compress it again"
        ) from error
    except OSError as error:
        raise DataRefused(f"{path}: cannot be read: {error.strerror or error}") from error


class Line(NamedTuple):
    """A line of a text file."""

    number: int  # from 1, as an editor counts
    raw: bytes  # with its line end; of an over-long line the first bytes only
    size: int  # bytes of the whole line

    @property
    def too_long(self) -> bool:
        return self.size > len(self.raw)


def read_lines(stream: IO[bytes], path: str, limit: int) -> Iterator[Line]:
    """Yields the lines of a UTF-8 file without its byte order mark, each at most `limit` bytes.

    A line that is longer is read to its end in pieces and dropped but for its first `limit` bytes,
    so that a file without line ends does not end up in memory.

    Raises:
      DataRefused: the file is UTF-16.
    """
    number = 0
    while raw := stream.readline(limit):
        number += 1
        size = len(raw)
        while size >= limit and not raw.endswith(b"\n"):
            rest = stream.readline(_CHUNK)
            size += len(rest)
            if not rest or rest.endswith(b"\n"):
                break
        if number == 1:
            if raw.startswith(_UTF16_BOMS):
                raise DataRefused(f"{path}: expected UTF-8, got UTF-16; save it as UTF-8")
            if raw.startswith(_UTF8_BOM):
                raw, size = raw[len(_UTF8_BOM) :], size - len(_UTF8_BOM)
                if not raw:
                    continue
        yield Line(number, raw, size)


def without_line_end(raw: bytes) -> bytes:
    """`raw` without the `\\n` or `\\r\\n` that ends it."""
    return raw.removesuffix(b"\n").removesuffix(b"\r") if raw.endswith(b"\n") else raw


def readable(raw: bytes) -> str:
    """`raw` as text from which the bytes can be had back.

    UTF-8 is itself. In anything else every backslash is doubled and every byte that is not UTF-8 is
    written `\\xNN`.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.replace(b"\\", b"\\\\").decode(errors="backslashreplace")


class _RemoteFile(io.RawIOBase):
    """A file of TensorFlow's file systems as a Python raw stream."""

    def __init__(self, path: str):
        self._file = _tensorflow().io.gfile.GFile(path, "rb")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _remote_errors():
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


@contextmanager
def _remote_errors() -> Iterator[None]:
    """Turns TensorFlow's file system errors into OSError, as local files raise it."""
    try:
        yield
    except _tensorflow().errors.OpError as error:
        raise OSError(error.message) from error


def _tensorflow() -> Any:
    import tensorflow  # 10 seconds, so only for a remote path

    return tensorflow
