"""Sentences and answers out of the request log that `components.serving.request_log` writes."""

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from components.errors import DataRefused, UsageError

_LOG_FILE = re.compile(r"\.jsonl(?:\.(\d+))?$")


class Answer(NamedTuple):
    """A sentence, and what the model said to it."""

    text: str
    label: str
    confidence: float  # probability of the label


@dataclass(frozen=True)
class LoggedAnswers:
    """What was read of a log."""

    answers: list[Answer]  # the oldest first
    other_versions: int  # sentences that another version answered; they are not among `answers`
    unreadable: int  # lines


def read_log(path: Path, version: int, most: int) -> LoggedAnswers:
    """Reads the newest answers of one version.

    Args:
      path: the log's file, whose rotated files beside it are read too, or a folder of such logs.
      version: of the model.
      most: sentences; no file is read that is older than these.

    Raises:
      UsageError: there is no log.
      DataRefused: a file cannot be read.
    """
    answers: deque[Answer] = deque()
    other_versions = unreadable = 0
    for file in _files(path):
        own: deque[Answer] = deque(maxlen=most - len(answers))
        for entry in _entries(file):
            if entry is None:
                unreadable += 1
            elif entry[0] != version:
                other_versions += len(entry[1])
            else:
                own.extend(entry[1])
        answers.extendleft(reversed(own))
        if len(answers) == most:
            break
    return LoggedAnswers(list(answers), other_versions, unreadable)


def _files(path: Path) -> list[Path]:
    """The files of a log, the newest first: the present one, then `.1`, `.2`, …

    Files of several logs, as of a server's pods, come by the time of their last change.
    """
    folder, stem = (path, "") if path.is_dir() else (path.parent, path.name)
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    rotated = {
        name: int(match.group(1) or 0)
        for name in names
        if (match := _LOG_FILE.search(name))
        and (not stem or name[: match.start()] + ".jsonl" == stem)
    }
    if not rotated and path.is_file():
        return [path]
    if not rotated:
        raise UsageError(f"{path}: no request log (*.jsonl) is there; set serving.request_log.path")
    found = sorted((folder / name for name in rotated), key=lambda file: rotated[file.name])
    if len(found) == len(set(rotated.values())):  # of one log
        return found
    return sorted(found, key=lambda file: file.stat().st_mtime_ns, reverse=True)


def _entries(file: Path) -> Iterator[tuple[int, list[Answer]] | None]:
    """Version and answers of each line; None for a line that holds none, as a half-written one."""
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    yield _entry(json.loads(line))
                except (ValueError, TypeError, KeyError):
                    yield None
    except OSError as error:
        raise DataRefused(f"{file}: cannot be read: {error.strerror}") from error


def _entry(line: Any) -> tuple[int, list[Answer]]:
    rows = zip(line["sentences"], line["labels"], line["probabilities"], strict=True)
    answers = [Answer(str(text), str(label), float(max(of))) for text, label, of in rows]
    return int(line["version"]), answers
