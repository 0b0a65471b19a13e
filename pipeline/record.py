"""The record of a run, `run.json`: what was read, run, measured, blessed and pushed."""

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from components.errors import DataRefused, NotBlessed
from components.ingest.repeats import Repeats
from pipeline.config import Config
from pipeline.fingerprint import code_fingerprint, package_versions
from pipeline.store import NodeExecution, RunStore, StoredArtifact
from schema import features

FILE = "run.json"
Status = Literal["running", "succeeded", "refused", "not_blessed", "interrupted", "failed"]
StepState = Literal["run", "cached", "failed", "skipped"]


@dataclass(frozen=True)
class Step:
    """One node of the run."""

    id: str
    state: StepState
    seconds: float
    why: str
    started: float | None = None  # seconds since the run's start
    inputs: dict[str, list[int]] = field(default_factory=dict)  # ids of artifacts by key
    outputs: dict[str, list[int]] = field(default_factory=dict)


@dataclass
class RunRecord:
    """Grows as the steps finish; other programs rely on the keys."""

    run_id: str
    config: dict[str, Any]
    status: Status = "running"
    error: str | None = None
    rows: dict[str, Any] | None = None
    data: dict[str, Any] | None = None  # see `take_rows`
    history: list[dict[str, Any]] | None = None  # of the epochs
    kept_epoch: int | None = None  # from 1
    calibration: dict[str, Any] | None = None
    vectors: dict[str, Any] | None = None
    tuning: dict[str, Any] | None = None  # see `components.tuning.results`
    metrics: dict[str, Any] | None = None
    mistakes: list[dict[str, Any]] | None = None
    baseline: dict[str, Any] | None = None
    version_before: int | None = None  # of the latest blessed model before, if it was pushed
    blessed: bool | None = None
    serve_check: dict[str, Any] | None = None
    pushed_version: int | None = None
    previous: dict[str, Any] | None = None  # the run before in this workdir, and what changed since
    steps: list[Step] = field(default_factory=list)
    packages: dict[str, str] = field(default_factory=package_versions)
    code: str = field(default_factory=lambda: code_fingerprint("pipeline.definition"))

    @classmethod
    def start(cls, config: Config) -> "RunRecord":
        """A record of a run that starts now."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return cls(run_id=now, config=config.model_dump(mode="json"))

    def finish(self, error: BaseException | None) -> None:
        """Sets status and error by how the run ended."""
        self.error = str(error) if error else None
        match error:
            case None:
                self.status = "succeeded"
            case DataRefused():
                self.status = "refused"
            case NotBlessed():
                self.status, self.blessed = "not_blessed", False
            case KeyboardInterrupt():
                self.status, self.error = "interrupted", "interrupted by the user"
            case _:
                self.status = "failed"

    def write(self, workdir: Path) -> None:
        """Writes `run.json`, whole or not at all."""
        self.write_to(workdir / FILE)

    def write_to(self, path: Path) -> None:
        """Writes the record to a file, whole or not at all."""
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(self.to_json(), "utf-8")
        os.replace(partial, path)

    def to_json(self) -> str:
        """The record as JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    def take_rows(self, rejects_dir: str) -> None:
        """Takes what is known of the data from the summary that ingest left beside the rejects.

        `rows` gets the counts; `data` gets for each split `rows`, `labels` and `lengths`, then
        `repeats` (`components.ingest.repeats.Repeats`) and some `rejects`, see `RejectExample` in
        `components.ingest.summary`.
        """
        from tfx.dsl.io import fileio

        path = os.path.join(rejects_dir, features.INGEST_SUMMARY)
        if not fileio.exists(path):
            return
        summary = _read_json(path)
        self.rows = {k: summary[k] for k in ("read", "accepted", "rejected", "duplicates")}
        splits = {
            split: {
                "rows": sum(labels.values()),
                "labels": labels,
                "lengths": summary["lengths"][split],
            }
            for split, labels in summary["splits"].items()
        }
        self.data = {
            "splits": splits,
            "repeats": summary["repeats"],
            "rejects": summary["reject_examples"],
            "vocabulary": None,
        }

    def repeats_in_words(self) -> list[str]:
        """What is notable of repeated and contradictory sentences, a line each."""
        found = (self.data or {}).get("repeats")
        return Repeats.model_validate(found).in_words() if found else []

    def take_outcome(self, node: str, execution: NodeExecution) -> None:
        """Takes from a finished node what the record tells of it.

        Raises:
          NotBlessed: the node was the Evaluator or the ServeCheck, and the model failed there.
        """
        match node:
            case "SentenceExampleGen":
                self.take_rows(execution.outputs["rejects"][0].uri)
            case "Transform":
                self._take_vocabulary(execution)
            case "Trainer":
                self._take_training(execution)
            case "Tuner":
                self._take_tuning(execution)
            case "WordVectors":
                self._take_coverage(execution)
            case "Evaluator":
                self._take_evaluation(execution)
            case "ServeCheck":
                self._take_serve_check(execution)
            case "Pusher":
                self.pushed_version = int(
                    execution.outputs["pushed_model"][0].properties["pushed_version"]
                )

    def _take_vocabulary(self, execution: NodeExecution) -> None:
        from tfx.dsl.io import fileio

        graph = execution.outputs["transform_graph"][0].uri
        with fileio.open(f"{graph}/transform_fn/assets/{features.VOCABULARY}", "rb") as file:
            words = sum(1 for _ in file)
        if self.data is None:  # where a node is looked at by itself
            self.data = {"splits": {}, "repeats": None, "rejects": []}
        self.data["vocabulary"] = words

    def _take_training(self, execution: NodeExecution) -> None:
        from components.epochs import Epoch, best_epoch

        model_run = execution.outputs["model_run"][0].uri
        self.calibration = _read_json(os.path.join(model_run, features.CALIBRATION))
        self.history = _read_json(os.path.join(model_run, features.HISTORY))
        self.kept_epoch = best_epoch([Epoch(**epoch) for epoch in self.history])

    def _take_coverage(self, execution: NodeExecution) -> None:
        from components.word_vectors import artifact

        coverage = artifact.read_coverage(execution.outputs[features.WORD_VECTORS][0].uri)
        self.vectors = coverage.model_dump(mode="json")

    def _take_tuning(self, execution: NodeExecution) -> None:
        from components.tuning.results import read_results

        self.tuning = read_results(execution.outputs["tuner_results"][0].uri)

    def _take_evaluation(self, execution: NodeExecution) -> None:
        from components.evaluation import outcome

        found = outcome.read(execution.outputs["evaluation"][0].uri)
        self.metrics = found["metrics"]
        self.mistakes = found["mistakes"]
        self.baseline = {
            "latest_blessed": found["blessed_before"],
            "linear": found["linear_baseline"],
        }
        missed = found["missed_bounds"]
        self.blessed = not missed and self.blessed is not False  # the serving check may have failed
        if missed:
            raise NotBlessed(f"model not blessed: {'; '.join(missed)}")

    def _take_serve_check(self, execution: NodeExecution) -> None:
        from components.serve_check.result import read_result

        blessing = execution.outputs["blessing"][0]
        self.serve_check = read_result(blessing.uri)
        failures = self.serve_check["failures"]
        if failures:
            self.blessed = False  # only the Evaluator says that a model is
            raise NotBlessed(f"model failed its serving check: {'; '.join(failures)}")


def version_found(resolver: NodeExecution, store: RunStore) -> int | None:
    """The `version_before`: that of the model which the Resolver found, if it was pushed."""
    found = resolver.outputs.get("model", [])
    return store.pushed_version(found[0].id) if found else None


def artifact_ids(execution: NodeExecution | None) -> dict[str, dict[str, list[int]]]:
    """The `inputs` and `outputs` of a step; without an execution there are none."""
    if execution is None:
        return {}

    def ids(artifacts: dict[str, list[StoredArtifact]]) -> dict[str, list[int]]:
        return {key: [artifact.id for artifact in found] for key, found in artifacts.items()}

    return {"inputs": ids(execution.inputs), "outputs": ids(execution.outputs)}


def _read_json(path: str) -> Any:
    from tfx.dsl.io import fileio

    with fileio.open(path) as file:
        return json.loads(file.read())
