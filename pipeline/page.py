"""The page of a run: one static HTML file that says what happened and why."""

from dataclasses import asdict

import jinja2

from components.linear_baseline.result import LinearBaselineResult
from pipeline.record import RunRecord

PAGE = "report/index.html"  # in the workdir

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("pipeline", "templates"),
    autoescape=True,  # sentences and errors are data, whatever they hold
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def run_page(record: RunRecord) -> str:
    """The page as HTML; needs no other file and no network."""
    values = asdict(record)
    return _ENVIRONMENT.get_template("run.html").render(
        **values,
        headline=headline(record),
        linear=_linear(record),
        labels=record.config["data"]["labels"],
        longest=max((step.seconds for step in record.steps), default=0.0),
    )


def headline(record: RunRecord) -> str:
    """What happened, and why, in one sentence."""
    match record.status:
        case "succeeded":
            assert record.metrics, "a run that succeeded has evaluated its model"
            accuracy = record.metrics["accuracy"]
            return (
                f"Pushed version {record.pushed_version}: accuracy {accuracy:.1%}{_gain(record)}."
            )
        case "refused":
            return f"The data was refused: {record.error}"
        case "not_blessed":
            return f"Nothing was pushed: {record.error}"
        case "interrupted":
            return "The run was interrupted; the next one goes on from where it stopped."
        case "running":
            return "The run is not over, or its process was killed."
        case "failed":
            return f"The run failed: {record.error}"


def _linear(record: RunRecord) -> str | None:
    linear = (record.baseline or {}).get("linear")
    if not (linear and record.metrics):
        return None
    return LinearBaselineResult(**linear).beside(record.metrics["accuracy"])


def _gain(record: RunRecord) -> str:
    before = (record.baseline or {}).get("latest_blessed")
    if not (before and record.metrics):
        return ""
    points = 100 * (record.metrics["accuracy"] - before["accuracy"])
    return f", {abs(points):.1f} points {'above' if points >= 0 else 'below'} the blessed model"
