"""Where word vectors lie: the files, found and fingerprinted, opened through .gz and .zip."""

import gzip
import hashlib
import importlib.util
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from components.errors import DataRefused, UsageError
from components.ingest import files
from components.settings import VectorsSettings

GZIP, ZIP, NPY = b"\x1f\x8b", b"PK\x03\x04", b"\x93NUMPY"
_CHUNK = 1 << 20  # bytes


class VectorFiles(NamedTuple):
    """The file of the vectors, and for a .npy that of its words."""

    path: str
    words: str | None


def find_files(settings: VectorsSettings) -> VectorFiles:
    """Finds the files that the settings name.

    Raises:
      UsageError: the file or package is not there, or the package does not hold exactly one .npy
        and one word list (.txt or .parquet).
    """
    if settings.path:
        for key, path in (("path", settings.path), ("words", settings.words)):
            if path:
                with files.refusing_unreadable(path):
                    there = files.exists(path)
                if not there:
                    raise UsageError(f"word vectors: {path}: no such file (vectors.{key})")
        return VectorFiles(settings.path, settings.words)
    assert settings.package, "there is a step for vectors only where some are given"
    root = package_folder(settings.package, "vectors.package")
    arrays = sorted(root.rglob("*.npy"))
    words = sorted([*root.rglob("*.txt"), *root.rglob("*.parquet")])
    if len(arrays) != 1 or len(words) != 1:
        found = ", ".join(path.name for path in arrays + words) or "neither"
        raise UsageError(
            f"word vectors: package {settings.package}: expected one .npy and one word list (.txt "
            f"or .parquet) in {root}, found {found}"
        )
    return VectorFiles(str(arrays[0]), str(words[0]))


def package_folder(package: str, key: str) -> Path:
    """The folder of an installed package; it is not imported, only its files are of interest.

    Args:
      package: its name in `import`.
      key: of the configuration, for the error.

    Raises:
      UsageError: it is not installed.
    """
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(f"word vectors: no Python package {package} is installed ({key})")
    return Path(spec.submodule_search_locations[0])


def fingerprint(found: Iterable[str | None]) -> list[str]:
    """SHA-256 of the content of the files, hexadecimal, read in pieces.

    Raises:
      DataRefused: a file cannot be read.
    """
    digests = []
    for path in found:
        if path:
            with files.refusing_unreadable(path), files.open_binary(path) as stream:
                digests.append(hashlib.file_digest(stream, "sha256").hexdigest())  # type: ignore[arg-type]
    return digests


@contextmanager
def open_unpacked(path: str, dimension: int) -> Iterator[io.BufferedReader]:
    """Opens what a file holds, by its first bytes: unpacked from gzip or zip, or as it is.

    Args:
      path: here or on a remote store.
      dimension: of the vectors; where a .zip holds several files, the one whose name says
        `<dimension>d` is taken, as in glove.6B.zip.

    Raises:
      OSError, EOFError, zipfile.BadZipFile, zlib.error: here or in the course of reading, the file
        cannot be read; see `refusing_unreadable`.
      UsageError: it is not clear which file of a .zip is meant.
    """
    with ExitStack() as stack:
        stream = stack.enter_context(files.open_binary(path))
        assert isinstance(stream, io.BufferedReader), "it is, here and on a remote store"
        magic = stream.peek(4)[:4]
        if magic.startswith(GZIP):
            unpacked = stack.enter_context(gzip.GzipFile(fileobj=stream, mode="rb"))
            yield io.BufferedReader(unpacked, _CHUNK)
        elif magic == ZIP:
            archive = zipfile.ZipFile(stack.enter_context(files.open_seekable(path)))
            member = stack.enter_context(_member(archive, path, dimension))
            yield io.BufferedReader(member, _CHUNK)
        else:
            yield stream


def _member(archive: zipfile.ZipFile, path: str, dimension: int) -> zipfile.ZipExtFile:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    chosen = names if len(names) == 1 else [n for n in names if f"{dimension}d" in n.split(".")]
    if len(chosen) != 1:
        raise UsageError(
            f"word vectors: {path} holds {', '.join(names) or 'nothing'}; expected one file, or "
            f"one whose name says .{dimension}d. (model.embedding_dim): unpack the one you mean"
        )
    try:
        member = archive.open(chosen[0])
    except RuntimeError as error:  # encrypted, or packed by a method that zipfile does not know
        raise DataRefused(f"{path}: expected a plain .zip, got another one ({error})") from error
    assert isinstance(member, zipfile.ZipExtFile), "it is, when read"
    return member


@contextmanager
def refusing_unreadable(path: str) -> Iterator[None]:
    """Turns the errors of reading `path`, packed or not, into DataRefused."""
    try:
        with files.refusing_unreadable(path):
            yield
    except (zipfile.BadZipFile, zlib.error) as error:
        raise DataRefused(f"{path}: expected a whole .zip, got a broken one ({error})") from error
