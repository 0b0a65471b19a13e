"""Which files are to be predicted, and what their outputs are called."""

import glob
import os
from collections.abc import Sequence
from typing import NamedTuple

from components.errors import UsageError
from components.ingest import files


class InputFile(NamedTuple):
    """A data file."""

    path: str
    name: (
        str  # of its outputs, without their ending: its path below the folder it was looked for in
    )


def find_inputs(patterns: Sequence[str]) -> list[InputFile]:
    """The data files that the user means, without repetitions, sorted within each pattern.

    Args:
      patterns: each a file, a folder, of which all data files are taken that lie directly in it, or
        a glob (`**` for any folders); files and folders may be `scheme://...`.

    Raises:
      UsageError: a pattern has no data file, or two files would get the same name.
    """
    by_name: dict[str, InputFile] = {}
    for pattern in patterns:
        for file in _matches(pattern):
            other = by_name.setdefault(file.name, file)
            if _identity(other.path) != _identity(file.path):
                raise UsageError(
                    f"{other.path} and {file.path} would both be written as {file.name}: give one "
                    "glob for both, as DIR/*/NAME, or separate calls"
                )
    return list(by_name.values())


def _matches(pattern: str) -> list[InputFile]:
    with files.refusing_unreadable(pattern):
        if files.exists(pattern):
            if not files.is_folder(pattern):
                if files.data_format(pattern) is None:
                    raise UsageError(f"{pattern}: expected a file that ends in {files.ENDINGS}")
                return [InputFile(pattern, os.path.basename(pattern))]
            paths = [os.path.join(pattern, name) for name in files.list_folder(pattern)]
            base = pattern
        elif glob.has_magic(pattern):
            paths = sorted(path for path in glob.glob(pattern, recursive=True))
            base = _fixed_part(pattern)
        else:
            raise UsageError(f"{pattern}: expected a data file, a folder or a glob; nothing there")
    found = [InputFile(path, _below(path, base)) for path in paths if _is_data_file(path)]
    if not found:
        raise UsageError(f"{pattern}: expected files that end in {files.ENDINGS}, found none")
    return found


def _is_data_file(path: str) -> bool:
    """Whether it is a data file; a folder of `list_folder` ends in `/` and has no data format."""
    hidden = os.path.basename(path).startswith(".")
    return bool(files.data_format(path)) and not hidden and not files.is_folder(path)


def _fixed_part(pattern: str) -> str:
    """The folders before a glob's first wildcard."""
    parts = pattern.split(os.sep)
    first = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    return os.sep.join(parts[:first]) or (os.sep if pattern.startswith(os.sep) else os.curdir)


def _below(path: str, base: str) -> str:
    """The path below a folder; the file's own name, where the pattern leads out of the folder."""
    name = os.path.relpath(path, base)
    return os.path.basename(path) if name.startswith(os.pardir) else name


def _identity(path: str) -> str:
    return path if files.is_remote(path) else os.path.realpath(path)
