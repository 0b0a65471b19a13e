"""Two runs side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.history import changes
from pipeline.record import RunRecord
from pipeline.report.figures import ACCENT, OTHER, Chart
from pipeline.report.headline import headline
from pipeline.report.model_charts import Line, Score, lines_chart, scores_chart
from pipeline.report.page import ENVIRONMENT
from pipeline.report.words import METRICS, slice_in_words

COMPARISON = "report/compare.html"  # in the workdir
_COLOURS = {"A": OTHER, "B": ACCENT}


@dataclass(frozen=True)
class Row:
    """A metric of both runs, where they have it."""

    name: str
    metric: str
    values: tuple[float | None, float | None]
    intervals: tuple[Any, Any] = (None, None)
    rows: tuple[int | None, int | None] = (None, None)


def compare_page(a: RunRecord, b: RunRecord) -> str:
    """The comparison as HTML; needs no other file and no network.

    Args:
      a: the run to compare with, as the older one.
      b: the run of interest; differences are from a to b.
    """
    return ENVIRONMENT.get_template("compare.html").render(
        runs={"A": a, "B": b},
        headlines={"A": headline(a), "B": headline(b)},
        metrics=_metrics(a, b),
        slices=_slices(a, b),
        charts={"metrics": _score_charts(a, b), "training": _curves(a, b)},
        changes=changes(a, b),
        reasons=list(dict.fromkeys([*_rejected(a), *_rejected(b)])),
    )


def _metrics(a: RunRecord, b: RunRecord) -> list[Row]:
    both = a.metrics or {}, b.metrics or {}
    return [
        _row(name, key, both)
        for key, name in METRICS.items()
        if any(metrics.get(key) is not None for metrics in both)
    ]


def _slices(a: RunRecord, b: RunRecord) -> list[Row]:
    both = [(record.metrics or {}).get("slices") or {} for record in (a, b)]
    return [
        _row(slice_in_words(name), "accuracy", (both[0].get(name) or {}, both[1].get(name) or {}))
        for name in dict.fromkeys([*both[0], *both[1]])
    ]


def _row(name: str, metric: str, both: tuple[Mapping[str, Any], Mapping[str, Any]]) -> Row:
    a, b = both
    return Row(
        name,
        metric,
        (a.get(metric), b.get(metric)),
        ((a.get("intervals") or {}).get(metric), (b.get("intervals") or {}).get(metric)),
        (a.get("example_count"), b.get("example_count")),
    )


def _score_charts(a: RunRecord, b: RunRecord) -> list[Chart]:
    if not (a.metrics and b.metrics):
        return []
    rows = [_row("all", "accuracy", (a.metrics, b.metrics)), *_slices(a, b)]
    scores = [
        Score(f"{row.name}, {run}", value, bounds, _COLOURS[run])
        for row in rows
        for run, value, bounds in zip(_COLOURS, row.values, row.intervals, strict=True)
        if value is not None
    ]
    return [scores_chart("Accuracy, of all and by slice", scores)]


def _curves(a: RunRecord, b: RunRecord) -> list[Chart]:
    histories = {"A": a.history, "B": b.history}
    if not any(histories.values()):
        return []
    return [
        lines_chart(
            f"{title} on eval by epoch",
            [
                Line(run, [epoch[key] for epoch in history], _COLOURS[run], style)
                for (run, history), style in zip(histories.items(), ("--", "-"), strict=True)
                if history
            ],
        )
        for title, key in (("Loss", "eval_loss"), ("Accuracy", "eval_accuracy"))
    ]


def _rejected(record: RunRecord) -> Mapping[str, int]:
    return (record.rows or {}).get("rejected", {})
