"""What a data path means: which files, which split each belongs to, which span and version.

Resolved when the step runs, not when the pipeline is compiled: the machine that compiles need not
see the data, and the latest span is the latest at that moment.
"""

import hashlib
import os
import re
from typing import NamedTuple

from components.errors import DataRefused
from components.ingest import files
from schema import features

# TFX's placeholders, see tfx.components.example_gen.utils.
_PLACEHOLDER = re.compile(r"\{(SPAN|VERSION)(:[^}]*)?\}|\{(YYYY|MM|DD)\}")

# What others call the split `eval`.
_EVAL_ALIASES = ("validation", "valid", "dev", "val")


class ResolvedPath(NamedTuple):
    """A data path without placeholders."""

    path: str
    span: int  # 0: the path has no placeholder
    version: int | None  # None: the path has no {VERSION}


class SourceFile(NamedTuple):
    """A data file."""

    path: str
    split: str | None  # None: its rows are split by hash
    sha256: str  # hex, of the bytes as they are stored


def resolve_path(data_path: str, span: int | None = None) -> ResolvedPath:
    """Fills in `{SPAN}`, `{VERSION}`, `{YYYY}`, `{MM}`, `{DD}` as TFX's file-based ExampleGen does.

    Args:
      data_path: of a file or folder; `{SPAN:3}` is a span of three digits.
      span: the span to take, which for a date is the days since 1970-01-01; None: the latest. Of
        the versions of a span it is always the latest.

    Raises:
      DataRefused: nothing matches, the placeholders contradict each other, or a span is asked for
        and the path has none.
    """
    if not _PLACEHOLDER.search(data_path):
        if span is not None:
            raise DataRefused(
                f"data.span is {span}, but the data path {data_path} holds no {{SPAN}} and no date"
            )
        return ResolvedPath(data_path, 0, None)

    from tfx.components.example_gen import utils
    from tfx.proto.example_gen_pb2 import Input
    from tfx.proto.range_config_pb2 import RangeConfig, StaticRange

    pattern = Input.Split(name="data", pattern=data_path.rstrip("/"))
    wanted = None
    if span is not None:
        wanted = RangeConfig(static_range=StaticRange(start_span_number=span, end_span_number=span))
    try:
        # Puts what it found into `pattern`, with the zeros that pad it. TFX's own driver formats
        # the numbers anew and then misses `span-007` for `span-{SPAN}`.
        _, found, version = utils.calculate_splits_fingerprint_span_and_version(
            "", [pattern], wanted
        )
    except ValueError as error:
        which = "" if span is None else f" with data.span {span}"
        raise DataRefused(f"{data_path}: no file or folder matches{which} ({error})") from error
    return ResolvedPath(pattern.pattern, found, version)


def list_source(path: str) -> tuple[list[tuple[str, str | None]], list[str]]:
    """The data files at `path`, and what else lies there.

    Args:
      path: of a file or a folder, without placeholders. A folder with `train.*` and `eval.*` (and
        `test.*`) keeps these splits, and only those files are read; `*` starts at the first dot.

    Returns:
      [(path, split or None)] and the names that are left aside (other endings, folders, and beside
      split files all others), hidden ones not counted.

    Raises:
      DataRefused: nothing is there, no file can be read, or only some of the splits are there.
    """
    with files.refusing_unreadable(path):
        if not files.exists(path):
            raise DataRefused(f"{path}: expected a data file or a folder of them, nothing is there")
        if not files.is_folder(path):
            if files.data_format(path) is None:
                raise DataRefused(f"{path}: expected a file that ends in {files.ENDINGS}")
            return [(path, None)], []
        names = [name for name in files.list_folder(path) if not name.startswith(".")]
    usable = [name for name in names if files.data_format(name)]
    if not usable:
        found = f"found {', '.join(names)}" if names else "the folder is empty"
        raise DataRefused(f"{path}: expected files that end in {files.ENDINGS}; {found}")

    splits = {name: _split_of(name) for name in usable}
    present = set(splits.values()) - {None}
    if present:
        missing = [name for name in (features.TRAIN, features.EVAL) if name not in present]
        if missing:
            raise DataRefused(
                f"{path}: has {', '.join(sorted(f'{name}.*' for name in present if name))} but no "
                f"{' and no '.join(f'{name}.*' for name in missing)}; "
                f"{_missing_remedy(missing, usable)}, or give files of other names to have them "
                "split"
            )
        usable = [name for name in usable if splits[name]]
    ignored = [name for name in names if name not in usable]
    return [(os.path.join(path, name), splits[name]) for name in usable], ignored


def hash_files(listed: list[tuple[str, str | None]]) -> list[SourceFile]:
    """Adds the SHA-256 of their content to files, read in pieces.

    Raises:
      DataRefused: a file cannot be read.
    """
    hashed = []
    for path, split in listed:
        with files.refusing_unreadable(path), files.open_binary(path) as stream:
            digest = hashlib.file_digest(stream, "sha256")  # type: ignore[arg-type]
        hashed.append(SourceFile(path, split, digest.hexdigest()))
    return hashed


def _split_of(name: str) -> str | None:
    stem = _stem(name)
    return stem if stem in features.SPLITS else None


def _stem(name: str) -> str:
    return name.split(".", 1)[0].lower()


def _missing_remedy(missing: list[str], usable: list[str]) -> str:
    """What to do about missing splits: rename what seems to be the eval split, or give both."""
    alias = next((name for name in usable if _stem(name) in _EVAL_ALIASES), None)
    if missing != [features.EVAL] or alias is None:
        return "give both"
    return f"rename {alias} to {features.EVAL}.{alias.split('.', 1)[1]}"
