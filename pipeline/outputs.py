"""Files that a user names to be written."""

from collections.abc import Callable
from pathlib import Path

from components.errors import UsageError

FIRST_LINE = 2**20  # bytes that are looked at


def keep_foreign(path: Path, is_ours: Callable[[bytes], bool], what: str) -> None:
    """Checks that a file which is about to be replaced is one that was written before.

    Args:
      path: of the file, which need not exist.
      is_ours: says so of its first line; an empty file may be replaced too.
      what: the kind of file, in words.

    Raises:
      UsageError: it is another one, or cannot be read.
    """
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            line = file.readline(FIRST_LINE)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
    if line and not is_ours(line):
        raise UsageError(f"{path}: this file is no {what}, and stays; name another output")
