"""Cron expressions, as the scheduler of Kubeflow Pipelines reads them.

The API server (backend/src/apiserver/server/api_converter.go, toModelJob) and the scheduler
(backend/src/crd/controller/scheduledworkflow/util/cron_schedule.go) call `cron.Parse` of
github.com/robfig/cron v1: second, minute, hour, day of month, month and an optional day of week.
So it takes the five fields of a crontab without complaint, but one place too early: `10 3 * * *`
would run every hour. Five fields therefore mean a crontab's here, and get the second 0.
"""

import re

from components.errors import UsageError

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DAYS = "sun mon tue wed thu fri sat".split()
# Name, least and greatest value, names of the values from the least one on.
FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("second", 0, 59, []),
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of month", 1, 31, []),
    ("month", 1, 12, MONTHS),
    ("day of week", 0, 6, DAYS),
)
ITEM = re.compile(r"(?P<low>[*?]|\w+)(-(?P<high>\w+))?(/(?P<step>\d+))?", re.ASCII)


def six_fields(expression: str) -> str:
    """Checks a cron expression.

    Args:
      expression: six fields, or a crontab's five.

    Returns:
      Six fields, seconds first, as Kubeflow Pipelines wants them.

    Raises:
      UsageError: not five or six fields, or one that the scheduler would refuse; names it.
    """
    fields = expression.split()
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) != len(FIELDS):
        raise UsageError(
            f"--cron '{expression}': expected 'second minute hour day month weekday', or a"
            f" crontab's five fields, got {len(fields)} fields"
        )
    for text, (name, low, high, names) in zip(fields, FIELDS, strict=True):
        for item in text.split(","):
            problem = _problem(item, low, high, names)
            if problem:
                raise UsageError(f"--cron '{expression}': {name} '{text}': {problem}")
    return " ".join(fields)


def _problem(item: str, low: int, high: int, names: list[str]) -> str | None:
    """What is wrong with `1`, `1-5`, `*`, `*/15`, `10/5` or `mon-fri`; None if nothing is."""
    match = ITEM.fullmatch(item)
    if not match or (match["low"] in "*?" and match["high"]):
        return f"'{item}' is not a value, a range or a step"
    first = low if match["low"] in "*?" else _number(match["low"], low, names)
    last = first if match["high"] is None else _number(match["high"], low, names)
    if first is None or last is None or not low <= first <= high or not low <= last <= high:
        return f"expected {low} to {high}" + (f" or {names[0]} to {names[-1]}" if names else "")
    if first > last:
        return "the range ends before it starts"
    if match["step"] is not None and int(match["step"]) == 0:
        return "the step is 0"
    return None


def _number(text: str, low: int, names: list[str]) -> int | None:
    if text.lower() in names:
        return low + names.index(text.lower())
    return int(text) if text.isdecimal() else None
