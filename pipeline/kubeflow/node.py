"""Runs one TFX node in a task of its own."""

import logging
import os

from ml_metadata import errors
from ml_metadata.proto import metadata_store_pb2
from tfx.proto.orchestration import pipeline_pb2

from components.errors import SentiflowError, UsageError
from components.threads import share_cores
from pipeline.changes import why
from pipeline.config import Config
from pipeline.kubeflow import node_ir, termination
from pipeline.kubeflow.database import mysql_connection, open_store
from pipeline.kubeflow.outputs import TaskOutputs, artifacts_table, show_metrics
from pipeline.kubeflow.task import Task
from pipeline.node import CacheOnly, DeferredExecutor, NotCached, launch_node
from pipeline.origin import note_origin
from pipeline.record import RunRecord
from pipeline.store import NodeExecution, RunStore


def run_node(task: Task) -> None:
    """Runs a node and writes the task's outputs.

    A retry in the same run goes on with the same execution, so its artifacts are published once.

    Raises:
      UsageError: no credentials of a MySQL database, or an override that the configuration refuses.
      DataRefused, NotBlessed: as in a run on one machine.
      SentiflowError: the database was not reached, or the execution did not finish.
      Exception: whatever the node raised.
    """
    share_cores()
    connection = mysql_connection(os.environ)
    config = task.config_of_run()
    ir = _ir_of_run(task, config)
    store = open_store(connection, config.name)
    termination.do_at_once(lambda: _note_failure(store, task, termination.Terminated("SIGTERM")))
    logging.info("%s: set up", task.node)
    execution = store.in_run(task.node, task.run_id)
    if execution is None or not execution.succeeded:
        if execution:
            _remove_outputs(ir, execution)
        try:
            execution = _launch(task, config, ir, connection, store)
        except BaseException as error:
            termination.stop_raising()
            stopped = termination.Terminated("SIGTERM") if termination.requested() else None
            _note_failure(store, task, stopped or error)
            if stopped:
                raise stopped from error
            raise
    outputs = TaskOutputs(task.executor_input, task.outputs)
    if task.cache_only:
        outputs.write("needed", "false" if execution else "true")
    if execution:
        outputs.write("artifacts", artifacts_table(task.node, execution))
        _take_outcome(task, config, execution, outputs)


def _ir_of_run(task: Task, config: Config) -> pipeline_pb2.Pipeline:
    """The node's IR: as packed, or compiled anew if the run overrides what it was compiled from."""
    # The path of the data is left open in the IR.
    fixed = config.model_copy(update={"data": task.config.data})
    if config.data.settings() == task.config.data.settings() and fixed == task.config:
        ir = node_ir.unpack(task.ir)
    else:
        whole = node_ir.compile_for_cluster(config)
        nodes = {node.pipeline_node.node_info.id for node in whole.nodes}
        if changed := sorted(nodes ^ set(task.nodes)):
            raise UsageError(
                f"overrides: {', '.join(changed)}: the package's steps are fixed; compile anew"
            )
        ir = node_ir.only_node(whole, task.node)
    node_ir.fill_in(ir, task.run_id, config.data.path or "")
    return ir


def _launch(
    task: Task,
    config: Config,
    ir: pipeline_pb2.Pipeline,
    connection: metadata_store_pb2.ConnectionConfig,
    store: RunStore,
) -> NodeExecution | None:
    """Returns the finished execution; None if only the cache was asked and has no outputs."""
    previous = store.latest_run(task.node, before_run=task.run_id)
    operator = CacheOnly if task.cache_only else DeferredExecutor
    try:
        execution = launch_node(ir, ir.nodes[0].pipeline_node, connection, store, operator)
    except NotCached:
        return None
    store.note(execution.id, why=why(execution, previous))
    note_origin(store, task.node, execution, config)
    return store.in_run(task.node, task.run_id)


def _remove_outputs(ir: pipeline_pb2.Pipeline, execution: NodeExecution) -> None:
    """Removes what a killed try left where the next one writes: half an output is none."""
    from tfx.dsl.io import fileio

    node = ir.nodes[0].pipeline_node
    root = ir.runtime_spec.pipeline_root.field_value.string_value
    for key in node.outputs.outputs:
        folder = f"{root}/{node.node_info.id}/{key}/{execution.id}"
        if fileio.exists(folder):
            fileio.rmtree(folder)


def _note_failure(store: RunStore, task: Task, error: BaseException) -> None:
    """Leaves the execution FAILED, with its cause; in some cases TFX leaves it RUNNING."""
    exit_code = getattr(error, "exit_code", SentiflowError.exit_code)
    kind = "" if isinstance(error, SentiflowError) else f"{type(error).__name__}: "
    try:
        execution = store.in_run(task.node, task.run_id)
        if execution is None or execution.succeeded:
            return
        if execution.state == "RUNNING":
            store.fail(execution.id)
        cause = kind + " ".join(str(error).split())
        store.note(execution.id, error=cause, exit_code=exit_code)
    except (errors.StatusError, RuntimeError):  # then the cause is worth more than its note
        logging.exception("the failure could not be noted in the metadata store")


def _take_outcome(
    task: Task, config: Config, execution: NodeExecution, outputs: TaskOutputs
) -> None:
    """Shows the metrics, and raises NotBlessed for a model that missed a bound or a check."""
    record = RunRecord.start(config)
    try:
        record.take_outcome(task.node, execution)
    finally:
        if record.metrics and outputs.has("metrics"):
            show_metrics(outputs, record.metrics, list(config.data.labels))
