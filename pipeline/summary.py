"""The last lines of a run, for a person."""

from pathlib import Path

from components.linear_baseline.result import LinearBaselineResult
from components.serving.promotion import served_version
from components.word_vectors.coverage import Coverage
from pipeline.console import printable
from pipeline.record import FILE, RunRecord
from pipeline.report.page import PAGE


def summary(record: RunRecord, workdir: Path) -> str:
    """Says what a successful run read, measured and pushed.

    Args:
      record: of a run that ended with its model served.
      workdir: as the user named it.
    """
    rows, metrics, check = record.rows, record.metrics, record.serve_check
    assert rows and metrics and record.baseline and check, (
        "a run that succeeded has gone through all steps"
    )
    rejected = sum(rows["rejected"].values())
    name = record.config["serving"]["model_name"]
    linear = LinearBaselineResult(**record.baseline["linear"])
    majority = metrics["accuracy"] - metrics["accuracy_over_majority"]
    lines = [
        f"rows      {rows['read']:,} read, {rows['accepted']:,} accepted, {rejected:,} rejected, "
        f"{rows['duplicates']:,} dropped as duplicates",
        *[f"repeats   {told}" for told in record.repeats_in_words()],
        *_vectors(record),
        f"accuracy  {metrics['accuracy']:.3f} on {metrics['example_count']:,} sentences of eval "
        f"(always the largest class: {majority:.3f}{_against(record)})",
        f"macro F1  {metrics['macro_f1']:.3f}",
        f"baseline  {linear.beside(metrics['accuracy'])}",
        f"latency   p50 {check['p50_ms']:.1f} ms, p99 {check['p99_ms']:.1f} ms over REST",
        _pushed(record.pushed_version, workdir / "serving", name),
        f"record    {workdir / FILE}",
    ]
    if (workdir / PAGE).exists():  # else the log says why
        lines.append(f"page      {workdir / PAGE}")
    return "\n".join(map(printable, lines))


def _against(record: RunRecord) -> str:
    blessed = (record.baseline or {}).get("latest_blessed")
    return f"; blessed model before: {blessed['accuracy']:.3f}" if blessed else ""


def _pushed(version: int | None, root: Path, name: str) -> str:
    served = served_version(root, name)
    folder = root / name / str(version)
    if served in (version, None):  # None: it was taken away since
        return f"serving   version {version} in {folder}"
    return (
        f"pushed    version {version} in {folder}; version {served} stays the served one until "
        f"`sentiflow promote {version}`"
    )


def _vectors(record: RunRecord) -> list[str]:
    if record.vectors is None:
        return []
    return [f"vectors   {Coverage.model_validate(record.vectors).in_words()}"]
