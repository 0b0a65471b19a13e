"""The terminal of a run: the libraries' own output goes to a log file."""

import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

LOG_FORMAT = "%(asctime)s %(levelname).1s %(name)s: %(message)s"
TEE_SECONDS = 5.0  # that the last lines may take


@contextlib.contextmanager
def quiet_libraries(log_file: Path, verbose: bool = False) -> Iterator[TextIO]:
    """Sends everything that is printed or logged to a file.

    TensorFlow writes from C++, Beam and the serving process from others: so the file descriptors
    themselves are redirected.

    Args:
      log_file: is appended to.
      verbose: whether it also goes to the standard error.

    Yields:
      The real standard output.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        saved = [stack.enter_context(os.fdopen(os.dup(fd), "wb", 0)) for fd in (1, 2)]
        terminal = stack.enter_context(
            open(os.dup(1), "w", encoding=sys.stdout.encoding, errors="replace", buffering=1)
        )
        sink = stack.enter_context(
            _tee(log_file) if verbose else open(log_file, "a", encoding="utf-8", buffering=1)
        )
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        to_log = logging.StreamHandler(sink)
        to_log.setFormatter(logging.Formatter(LOG_FORMAT))
        root = logging.getLogger()
        root.setLevel(logging.INFO)
        root.addHandler(to_log)
        try:
            yield terminal
        finally:
            root.removeHandler(to_log)
            sys.stdout.flush()
            sys.stderr.flush()
            for target, original in enumerate(saved, start=1):
                os.dup2(original.fileno(), target)


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Drops what libraries write to stderr: TensorFlow greets there, whatever its log level."""
    sys.stderr.flush()
    original = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(original, 2)
        os.close(original)


@contextlib.contextmanager
def _tee(log_file: Path) -> Iterator[TextIO]:
    """A stream to the end of a file and to the standard error.

    A process does it, not a thread: native code that holds Python's lock may fill the pipe.
    """
    tee = subprocess.Popen(
        ["tee", "-i", "-a", str(log_file)], stdin=subprocess.PIPE, stdout=2, encoding="utf-8"
    )
    assert tee.stdin
    tee.stdin.reconfigure(line_buffering=True)  # type: ignore[attr-defined]
    try:
        yield tee.stdin  # type: ignore[misc]
    finally:
        tee.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # a child of the run still writes
            tee.wait(TEE_SECONDS)


def printable(text: str) -> str:
    """The text on one line, without what a terminal would take for a command."""
    return "".join(c if c.isprintable() else " " for c in text)
