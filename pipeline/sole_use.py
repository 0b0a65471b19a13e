"""A folder that only one process may write to."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from components.errors import UsageError


@contextlib.contextmanager
def sole_use(folder: Path) -> Iterator[int]:
    """Makes a folder and keeps other runs out of it while the context lasts.

    Yields:
      The descriptor of the lock, which lasts as long as any process holds it open.

    Raises:
      UsageError: another run uses it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / ".lock", "a")
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"{folder}: another run is using it") from None
        yield lock.fileno()
