"""The page of a run: one static HTML file that says what happened and why."""

from dataclasses import dataclass, field
from typing import Any

import jinja2
import yaml

from components.word_vectors.coverage import Coverage
from pipeline.record import RunRecord
from pipeline.report import data_charts, model_charts, run_charts, words
from pipeline.report.figures import Chart
from pipeline.report.headline import before_name, blessed_before, headline, tiles

PAGE = "report/index.html"  # in the workdir

ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("pipeline", "templates"),
    autoescape=True,  # sentences and errors are data, whatever they hold
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters |= {
    "percent": words.percent,
    "interval": words.interval,
    "metric": words.metric,
    "difference": words.difference,
    "duration": words.duration,
    "slice_in_words": words.slice_in_words,
}


@dataclass(frozen=True)
class Section:
    """A part of the page; templates/sections/ID.html writes it."""

    id: str
    title: str
    charts: list[Chart] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)


def run_page(record: RunRecord) -> str:
    """The page as HTML; needs no other file and no network."""
    made = (_rows, _data, _training, _metrics, _mistakes, _serving, _steps, _lineage, _made_from)
    sections = [section for make in made if (section := make(record))]
    return ENVIRONMENT.get_template("run.html").render(
        record=record, headline=headline(record), tiles=tiles(record), sections=sections
    )


def _rows(record: RunRecord) -> Section | None:
    if not record.rows:
        return None
    title = "What was refused" if record.status == "refused" else "Rows"
    rejects = (record.data or {}).get("rejects") or []
    values = {"rejects": rejects, "repeats": record.repeats_in_words()}
    return Section("rows", title, [data_charts.rows_chart(record.rows)], values)


def _data(record: RunRecord) -> Section | None:
    data, vectors = record.data or {}, record.vectors
    splits = {name: split for name, split in (data.get("splits") or {}).items() if split["rows"]}
    charts = []
    if splits:
        charts.append(data_charts.labels_chart(splits))
    measured = {name: split for name, split in splits.items() if split.get("lengths")}
    if measured:
        max_length = record.config["text"]["max_length"]
        charts.append(data_charts.lengths_chart(measured, max_length))
    coverage = None
    if vectors:
        charts.append(data_charts.coverage_chart(vectors))
        coverage = Coverage.model_validate(vectors).in_words()
    vocabulary = data.get("vocabulary")
    if not (charts or vocabulary):
        return None
    values = {
        "splits": splits,
        "vocabulary": vocabulary,
        "coverage": coverage,
        "missing": (vectors or {}).get("missing", []),
    }
    return Section("data", "Labels, lengths and words", charts, values)


def _training(record: RunRecord) -> Section | None:
    if not record.history:
        return None
    charts = model_charts.curves_charts(record.history, record.kept_epoch)
    values = {"history": record.history, "kept": record.kept_epoch, "tuning": record.tuning}
    return Section("training", "Training", charts, values)


def _metrics(record: RunRecord) -> Section | None:
    metrics = record.metrics
    if not metrics:
        return None
    labels = record.config["data"]["labels"]
    linear = (record.baseline or {}).get("linear")
    charts = model_charts.compared_charts(metrics, record.baseline, before_name(record))
    charts.append(model_charts.confusion_chart(metrics["confusion_matrix"], labels))
    if metrics.get("slices"):
        charts.append(model_charts.slices_chart(metrics))
    if metrics.get("reliability"):
        note = "Numbers: how many answers there are."
        charts.append(model_charts.reliability_chart(metrics["reliability"], note))
    values = {
        "metrics": metrics,
        "names": words.METRICS,
        "models": {
            "this model": metrics,
            before_name(record): blessed_before(record),
            "linear baseline": linear,
        },
        "linear": _beside_linear(metrics["accuracy"], linear) if linear else None,
        "calibration": record.calibration,
        "bounds": record.config["evaluate"]["bounds"],
    }
    return Section("metrics", "Metrics on eval", charts, values)


def _beside_linear(accuracy: float, linear: dict[str, Any]) -> str:
    stands = words.stands(accuracy, linear["accuracy"], "a linear model on n-grams")
    found = f"The model is {stands}, which reaches {words.percent(linear['accuracy'])}"
    if linear["trained_on"] < linear["train_rows"]:
        found += f", trained on {linear['trained_on']:,} of {linear['train_rows']:,} rows"
    return f"{found}."


def _mistakes(record: RunRecord) -> Section | None:
    if not record.mistakes:
        return None
    mistakes = [
        {**mistake, "pieces": words.mark_words(mistake["text"], mistake.get("unknown") or [])}
        for mistake in record.mistakes
    ]
    return Section("mistakes", "The most confident mistakes", [], {"mistakes": mistakes})


def _serving(record: RunRecord) -> Section | None:
    check = record.serve_check
    if not check:
        return None
    chart = run_charts.latency_chart(check, record.config["serve_check"]["p99_ms"])
    return Section("serving", "Serving check", [chart] if chart else [], {"check": check})


def _steps(record: RunRecord) -> Section | None:
    if not record.steps:
        return None
    chart = run_charts.steps_chart(record.steps)
    return Section("steps", "Steps", [chart] if chart else [], {"steps": record.steps})


def _lineage(record: RunRecord) -> Section | None:
    chart = run_charts.lineage_chart(record.steps)
    return Section("lineage", "Lineage", [chart]) if chart else None


def _made_from(record: RunRecord) -> Section:
    configuration = yaml.safe_dump(record.config, sort_keys=False, allow_unicode=True, width=100)
    values = {"record": record, "configuration": configuration}
    return Section("made-from", "Made from", [], values)
