"""What a person reads while a run goes on; the libraries' own output goes to a log file."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

LOG_FORMAT = "%(asctime)s %(levelname).1s %(name)s: %(message)s"
OWN_LOGGERS = ("components", "pipeline")


@contextlib.contextmanager
def quiet_libraries(log_file: Path, show_progress: bool) -> Iterator[TextIO]:
    """Sends everything that is printed or logged to a file, and our own progress to the terminal.

    TensorFlow writes from C++, Beam and the serving process from others: so the file descriptors
    themselves are redirected.

    Args:
      log_file: is appended to.
      show_progress: False sends our own progress nowhere.

    Yields:
      The stream for progress: the real standard output, if it is to be shown.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    log_file.parent.mkdir(parents=True, exist_ok=True)
    saved = os.dup(1), os.dup(2)
    with (
        open(log_file, "a", encoding="utf-8", buffering=1) as log,
        open(
            os.dup(1) if show_progress else os.devnull, "w", encoding="utf-8", buffering=1
        ) as terminal,
    ):
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        handlers = _log_to(log, terminal)
        try:
            yield terminal
        finally:
            for logger, handler in handlers:
                logger.removeHandler(handler)
            sys.stdout.flush()
            sys.stderr.flush()
            for target, original in enumerate(saved, start=1):
                os.dup2(original, target)
                os.close(original)


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


def _log_to(log: TextIO, terminal: TextIO) -> list[tuple[logging.Logger, logging.Handler]]:
    to_log = logging.StreamHandler(log)
    to_log.setFormatter(logging.Formatter(LOG_FORMAT))
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(to_log)
    handlers: list[tuple[logging.Logger, logging.Handler]] = [(root, to_log)]
    to_terminal = logging.StreamHandler(terminal)
    to_terminal.setFormatter(logging.Formatter("        %(message)s"))
    for name in OWN_LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.addHandler(to_terminal)
        handlers.append((logger, to_terminal))
    return handlers
