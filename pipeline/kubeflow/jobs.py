"""The tasks that run no TFX node: predictions for files, and the watch for drift."""

import shlex
from pathlib import Path

from components.batch.summary import refuse_unfit
from components.errors import UsageError
from pipeline.batch import output_folder, run_batch
from pipeline.config import Config
from pipeline.drift import DriftReport, compare_data, compare_log
from pipeline.kubeflow.outputs import TaskOutputs
from pipeline.kubeflow.task import SERVED, Task
from pipeline.pushed import Model, find_model
from pipeline.report.drift_page import drift_page


def run_batch_job(task: Task) -> None:
    """Predicts the files that the run names.

    Raises:
      UsageError: no files, or no model.
      DataRefused: too many records cannot be read.
    """
    given = task.parameters
    config = task.config_of_run()
    patterns = shlex.split(given["input"])
    if not patterns:
        raise UsageError("input: expected files, folders or globs, as the pods see them")
    model = Path(given["model"]) if given["model"] else _model(config, SERVED).folder
    output = output_folder(given["output"])
    summary = run_batch(config, patterns, output, model, "jsonl")
    outputs = TaskOutputs(task.executor_input, task.outputs)
    outputs.write("summary", summary.model_dump_json(indent=2) + "\n")
    refuse_unfit(summary, output, config.data.max_reject_fraction)


def run_drift_job(task: Task) -> None:
    """Compares new text with the reference. Drift is a result, no failure: nothing tries it again.

    Raises:
      UsageError: neither a log nor data, both, or no model.
      DataRefused: data cannot be read.
    """
    given = task.parameters
    report = _compare(task.config_of_run(), given["log"], given["data"], int(given["version"]))
    drifted = bool(report.verdict.drifted)
    outputs = TaskOutputs(task.executor_input, task.outputs)
    outputs.write("page", drift_page(report))
    outputs.write("report", report.to_json() + "\n")
    outputs.write("drifted", _flag(drifted))
    outputs.write("train", _flag(drifted and given["retrain"]))
    outputs.set_metadata("measures", {of.name: of.value for of in report.verdict.measures})
    print(report)


def _compare(config: Config, log: str, data: str, version: int) -> DriftReport:
    if bool(log) == bool(data):
        raise UsageError("expected either log or data, as the pods see them")
    model = _model(config, version)
    if log:
        return compare_log(model, Path(log), config.drift)
    return compare_data(model, shlex.split(data), config)


def _model(config: Config, version: int) -> Model:
    root = Path(config.kubeflow.root) / "serving"
    return find_model(root, config.serving.model_name, None if version == SERVED else version)


def _flag(value: bool) -> str:
    return "true" if value else "false"
