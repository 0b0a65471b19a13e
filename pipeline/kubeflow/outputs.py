"""What a task shows in the run page of Kubeflow Pipelines: its output artifacts."""

import json
from pathlib import Path
from typing import Any

from pipeline.store import NodeExecution, StoredArtifact

SCALAR_METRICS = ("accuracy", "macro_f1", "auc", "loss", "calibration_error", "example_count")


class TaskOutputs:
    """Writes a task's outputs to where KFP's launcher collects them."""

    def __init__(self, executor_input: dict[str, Any], paths: dict[str, str]):
        """Nothing is written yet.

        Args:
          executor_input: KFP's ExecutorInput as plain values.
          paths: the local file of each output, by the output's name.
        """
        self._paths = {name: Path(path) for name, path in paths.items()}
        self._declared = executor_input["outputs"].get("artifacts", {})
        self._output_file = Path(executor_input["outputs"]["outputFile"])
        self._with_metadata: dict[str, Any] = {}

    def has(self, name: str) -> bool:
        """Whether the task declares such an output."""
        return name in self._paths

    def write(self, name: str, text: str) -> None:
        """Writes the content of an artifact, or the value of a parameter."""
        self._paths[name].parent.mkdir(parents=True, exist_ok=True)
        self._paths[name].write_text(text, encoding="utf-8")

    def set_metadata(self, name: str, metadata: dict[str, Any]) -> None:
        """Sets an artifact's metadata, in which KFP keeps metrics; written at once."""
        [artifact] = self._declared[name]["artifacts"]
        self._with_metadata[name] = {"artifacts": [{**artifact, "metadata": metadata}]}
        self._output_file.parent.mkdir(parents=True, exist_ok=True)
        self._output_file.write_text(json.dumps({"artifacts": self._with_metadata}), "utf-8")


def show_metrics(outputs: TaskOutputs, metrics: dict[str, Any], labels: list[str]) -> None:
    """Fills the outputs `metrics` and `confusion_matrix`."""
    outputs.set_metadata("metrics", scalar_metrics(metrics))
    outputs.set_metadata("confusion_matrix", confusion_matrix(metrics, labels))


def scalar_metrics(metrics: dict[str, Any]) -> dict[str, float]:
    """The numbers for KFP's Metrics artifact; what is not defined is left out."""
    return {key: metrics[key] for key in SCALAR_METRICS if metrics.get(key) is not None}


def confusion_matrix(metrics: dict[str, Any], labels: list[str]) -> dict[str, Any]:
    """The metadata of KFP's ClassificationMetrics: rows are labels, columns are predictions."""
    return {
        "confusionMatrix": {
            "annotationSpecs": [{"displayName": label} for label in labels],
            "rows": [{"row": row} for row in metrics["confusion_matrix"]],
        }
    }


def artifacts_table(node_id: str, execution: NodeExecution) -> str:
    """Markdown: what the node did, and where its inputs and outputs lie."""
    why = _cell(execution.notes.get("why", ""))
    lines = [
        f"**{node_id}**: execution {execution.id}, {execution.state} ({why})",
        "",
        "| | key | artifact | where it lies |",
        "| --- | --- | --- | --- |",
    ]
    lines += _rows("output", execution.outputs) + _rows("input", execution.inputs)
    return "\n".join(lines) + "\n"


def _rows(side: str, artifacts: dict[str, list[StoredArtifact]]) -> list[str]:
    return [
        f"| {side} | {key} | {artifact.id} | {_link(artifact.uri)} |"
        for key in sorted(artifacts)
        for artifact in artifacts[key]
    ]


def _link(uri: str) -> str:
    """Where the artifact can be looked at: a bucket has a page, a volume has none."""
    if uri.startswith("gs://"):
        page = f"https://console.cloud.google.com/storage/browser/{uri.removeprefix('gs://')}"
        return f"[{_cell(uri)}]({page})"
    return f"`{_cell(uri)}`"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
