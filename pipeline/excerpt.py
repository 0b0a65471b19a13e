"""The part of a run's log that tells why a step failed."""

import re
from pathlib import Path

MOST_LINES = 15
MOST_ERRORS = 5
LONGEST_LINE = 300  # characters
MOST_BYTES = 1 << 20  # of the log's end that are looked at
STEP_BEGINS = "===== step %s"  # logged when a step begins
TRACEBACK = "Traceback (most recent call last):"
# A line of our own log format, or of TensorFlow's C++ side and absl.
LOGGED = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]\d+:? (?P<own>[A-Z]) "
    r"|(?P<glog>[IWEF])\d{4,8} \d\d:\d\d:\d+\.\d+ "
)
OF_THE_LAUNCHER = re.compile(r"absl: Execution \d+ failed\.$")  # as is known
LOGGER = re.compile(r"^[\w.]+: ")


def relevant_lines(log_file: Path, cause: str, step: str) -> list[str]:
    """Picks what tells most about a failure: errors, and the end of the last traceback.

    Args:
      log_file: of the run.
      cause: what the user is told anyway; lines that say only this are left out.
      step: that failed; where nothing in the log is headed by it, the last one is looked at.

    Returns:
      At most `MOST_LINES` lines; where there is neither, the last ones of the step.
    """
    with open(log_file, "rb") as log:
        log.seek(0, 2)
        log.seek(max(0, log.tell() - MOST_BYTES))
        text = log.read().decode("utf-8", "replace")
    parts = [part.splitlines() for part in text.split(STEP_BEGINS.partition("%")[0])]
    chosen = [part[1:] for part in parts if part and part[0] == step] or [parts[-1][1:]]
    lines = [line.rstrip() for part in chosen for line in part if line.strip(" ^~")]
    traceback = _last_traceback(lines)
    traceback = [line for line in traceback if not _says_only(line, cause)]
    errors = [line for line in lines if _is_error(line) and not _says_only(line, cause)]
    errors = [line for line in errors if not OF_THE_LAUNCHER.search(line)]
    errors = list(dict.fromkeys(errors))[-MOST_ERRORS:]
    telling = errors + traceback[-(MOST_LINES - len(errors)) :]
    return [line[:LONGEST_LINE] for line in telling or lines[-MOST_LINES:]]


def _last_traceback(lines: list[str]) -> list[str]:
    starts = [i for i, line in enumerate(lines) if line.lstrip().startswith(TRACEBACK)]
    if not starts:
        return []
    block = []
    for line in lines[starts[-1] + 1 :]:
        if LOGGED.match(line):
            break
        block.append(line)
    return block


def _is_error(line: str) -> bool:
    found = LOGGED.match(line)
    return found is not None and (found["own"] or found["glog"]) in "ECF"


def _says_only(line: str, cause: str) -> bool:
    """Whether the cause holds all that the line says, but for time and logger."""
    if found := LOGGED.match(line):
        line = LOGGER.sub("", line[found.end() :])
    said = " ".join(line.split())
    return len(said) > 3 and said[:200] in cause
