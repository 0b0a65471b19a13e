"""What a card is made of: what the steps of a run left in their artifacts, as plain values."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RunFacts:
    """One model's run, read from artifacts alone, so that it is the same in a cluster."""

    model_name: str  # as it is served
    version: int
    trained: str  # when its training ended: date and time, ISO 8601, UTC
    pipeline: str
    run_id: str  # of the run that pushed it
    labels: list[str]  # in the order of the model's classes
    config: dict[str, dict[str, Any]]  # sections `text`, `model` and `train`
    packages: dict[str, str]  # versions by name
    ingest: dict[str, Any]  # components.ingest.summary.IngestSummary
    coverage: dict[str, Any] | None  # components.word_vectors.coverage.Coverage, if any
    history: list[dict[str, Any]]  # components.epochs.Epoch
    kept_epoch: int  # from 1
    calibration: dict[str, Any]  # components.calibration.Calibration
    outcome: dict[str, Any]  # components.evaluation.outcome.read
    serve_check: dict[str, Any]  # components.serve_check.result.ServeCheckResult
