"""What a reader wants to know first: one sentence and the key figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.evaluation.slices import slice_names
from pipeline.record import RunRecord
from pipeline.report.words import difference, duration, error_in_words, interval, percent, stands

_BLESSED_BEFORE = "the blessed model before"


@dataclass(frozen=True)
class Tile:
    """A key figure."""

    name: str
    value: str
    detail: str = ""


def headline(record: RunRecord) -> str:
    """What happened, and why, in one sentence."""
    match record.status:
        case "succeeded":
            return _success(record)
        case "refused":
            return f"The data was refused: {record.error}"
        case "not_blessed":
            return f"Nothing was pushed: {_error(record)}"
        case "interrupted":
            return "The run was interrupted; the next one goes on from where it stopped."
        case "running":
            return "The run is not over, or its process was killed."
        case "failed":
            return f"The run failed: {record.error}"


def blessed_before(record: RunRecord) -> Mapping[str, Any] | None:
    """The metrics of the latest blessed model before this one, on the same rows."""
    return (record.baseline or {}).get("latest_blessed")


def before_name(record: RunRecord) -> str:
    """How that model is called: version 2, if it was pushed."""
    return f"version {record.version_before}" if record.version_before else _BLESSED_BEFORE


def tiles(record: RunRecord) -> list[Tile]:
    """The key figures, as many as there are."""
    return [*_quality(record), *_rows(record), *_latency(record), *_duration(record)]


def _success(record: RunRecord) -> str:
    accuracy = f"accuracy {percent(record.metrics['accuracy'])}" if record.metrics else ""
    pushed = next((step.state for step in record.steps if step.id == "Pusher"), "run")
    if pushed == "cached":
        return f"Nothing new to push: version {record.pushed_version} is served, {accuracy}."
    before = blessed_before(record)
    gain = ""
    if before and record.metrics:
        gain = f", {stands(record.metrics['accuracy'], before['accuracy'], before_name(record))}"
    return f"Pushed version {record.pushed_version}: {accuracy}{gain}."


def _error(record: RunRecord) -> str:
    data, evaluate = record.config["data"], record.config["evaluate"]
    names = slice_names(data["labels"], evaluate["length_buckets"])
    return error_in_words(record.error or "", names)


def _quality(record: RunRecord) -> list[Tile]:
    metrics = record.metrics
    if not metrics:
        return []
    accuracy = metrics["accuracy"]
    bounds = interval((metrics.get("intervals") or {}).get("accuracy"))
    rows = f"{metrics['example_count']:,} sentences of eval"
    made = [
        Tile("accuracy", percent(accuracy), f"95 % interval {bounds}; {rows}" if bounds else rows)
    ]
    others = {
        "points against the linear baseline": (record.baseline or {}).get("linear"),
        f"points against {before_name(record)}": blessed_before(record),
    }
    for name, other in others.items():
        if other:
            points = difference(accuracy, other["accuracy"])
            made.append(Tile(name, points, f"which has {percent(other['accuracy'])}"))
    return made


def _rows(record: RunRecord) -> list[Tile]:
    rows = record.rows
    if not rows:
        return []
    rejected = sum(rows["rejected"].values())
    detail = f"of {rows['read']:,} read; {rejected:,} rejected, {rows['duplicates']:,} duplicates"
    return [Tile("rows accepted", f"{rows['accepted']:,}", detail)]


def _latency(record: RunRecord) -> list[Tile]:
    check = record.serve_check or {}
    if check.get("p99_ms") is None:
        return []
    detail = f"median {check['p50_ms']:.1f} ms"
    return [Tile("p99 of a request", f"{check['p99_ms']:.1f} ms", detail)]


def _duration(record: RunRecord) -> list[Tile]:
    steps = [step for step in record.steps if step.started is not None]
    if not steps:
        return []
    cached = sum(step.state == "cached" for step in steps)
    detail = f"{cached} of {len(steps)} steps from the cache"
    return [Tile("duration", duration(max((s.started or 0) + s.seconds for s in steps)), detail)]
