"""The last task of a run: says how the run went, however it ended, from the metadata store."""

import os

from components.errors import DataRefused, NotBlessed, SentiflowError, UsageError
from pipeline.config import Config
from pipeline.kubeflow.database import mysql_connection, open_store
from pipeline.kubeflow.outputs import TaskOutputs, show_metrics
from pipeline.kubeflow.task import Task
from pipeline.record import RunRecord, Step, StepState, artifact_ids, version_found
from pipeline.report.page import run_page
from pipeline.store import NodeExecution, RunStore

NOT_REACHED = "a step before it failed"
BY_EXIT_CODE = {error.exit_code: error for error in (DataRefused, NotBlessed)}


def run_report(task: Task) -> None:
    """Writes the run's record and page, and its metrics if the model was evaluated."""
    config, refusal = task.config, None
    try:
        config = task.config_of_run()
    except UsageError as error:  # the nodes have ended with it
        refusal = error
    store = open_store(mysql_connection(os.environ), config.name)
    record = collect_record(config, task.run_id, task.nodes, store)
    if refusal:
        record.finish(refusal)
    outputs = TaskOutputs(task.executor_input, task.outputs)
    outputs.write("record", record.to_json())
    outputs.write("page", run_page(record))
    if record.metrics:
        show_metrics(outputs, record.metrics, list(config.data.labels))


def collect_record(
    config: Config, run_id: str, nodes: tuple[str, ...], store: RunStore
) -> RunRecord:
    """Builds the record of a run from what its nodes left in the metadata store.

    Args:
      config: of the run.
      run_id: Kubeflow's id of the run.
      nodes: ids of all nodes, in the pipeline's order.
      store: of the pipeline's executions.
    """
    record = RunRecord.start(config)
    record.run_id = run_id
    failed: BaseException | None = None
    refusals: list[NotBlessed] = []
    skipped: BaseException | None = None
    executions = {node: store.in_run(node, run_id) for node in nodes}
    run_started = min((e.started for e in executions.values() if e), default=0.0)
    for node, execution in executions.items():
        record.steps.append(_step(node, execution, run_started))
        if execution is None:
            skipped = skipped or SentiflowError(f"{node} was not run")
        elif not execution.succeeded:
            failure = _failure(node, execution)
            failed = failed or failure  # the first; others may fail beside it
            if node == "SentenceExampleGen" and isinstance(failure, DataRefused):
                _take_refused_rows(record, execution)
        else:
            if node == "Resolver":
                record.version_before = version_found(execution, store)
            try:
                record.take_outcome(node, execution)
            except NotBlessed as refusal:
                refusals.append(refusal)
    refused = NotBlessed("; ".join(map(str, refusals))) if refusals else None
    record.finish(failed or refused or skipped)
    return record


def _take_refused_rows(record: RunRecord, execution: NodeExecution) -> None:
    """Takes what ingest knew of data that it refused; its artifacts are gone, a copy is left."""
    from components.ingest.component import REFUSAL, REJECTS_DIR

    if REFUSAL not in execution.properties:  # else nothing was read, and the copy is an older run's
        record.take_rows(execution.properties[REJECTS_DIR])


def _step(node: str, execution: NodeExecution | None, run_started: float) -> Step:
    if execution is None:
        return Step(node, "skipped", 0.0, NOT_REACHED)
    state: StepState = "cached" if execution.cached else "run"
    why = execution.notes.get("why", "")
    if not execution.succeeded:
        state, why = "failed", _cause(execution)
    started = round(execution.started - run_started, 2)
    return Step(node, state, execution.seconds, why, started, **artifact_ids(execution))


def _failure(node: str, execution: NodeExecution) -> SentiflowError:
    error = BY_EXIT_CODE.get(execution.notes.get("exit_code", 1), SentiflowError)
    return error(f"{node}: {_cause(execution)}")


def _cause(execution: NodeExecution) -> str:
    """What the node's task noted; a killed one had no time to."""
    return execution.notes.get("error", f"left {execution.state}; its task was killed")
