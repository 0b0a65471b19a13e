"""The steps of a run on this machine: each node through TFX's Launcher, its executor in a worker.

The Launcher, and all that asks or tells the metadata store, runs here, one node at a time: SQLite
has one writer. Only while an executor works is it another node's turn.
"""

import functools
import logging
import re
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import compiler, constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from components.errors import NotBlessed
from components.threads import LANES
from pipeline.changes import why
from pipeline.config import Config
from pipeline.definition import Locations, create_pipeline
from pipeline.excerpt import STEP_BEGINS
from pipeline.fingerprint import source_file
from pipeline.node import DeferredExecutor, launch_node
from pipeline.origin import note_origin
from pipeline.progress import Progress
from pipeline.record import RunRecord, Step, StepState, artifact_ids, version_found
from pipeline.schedule import run_in_order
from pipeline.store import NodeExecution, RunStore
from pipeline.workers.messages import Job
from pipeline.workers.pool import Workers

LOOK_AHEAD = 3  # steps
LOOKS_EACH_TIME = "asks the store each time"
INTERRUPTED = "interrupted by the user"
STOPPED = "stopped: another step failed"
OWN_NAME = re.compile(r"components(\.\w+)+")


class Steps:
    """Runs the steps, shows them, and puts what they come to into the record.

    Args:
      config: the resolved configuration.
      data_path: file or folder of labelled sentences.
      workdir: where everything lies; nobody else uses it.
      record: of the run.
      progress: shows the steps.
      workers: run the executors.
      log: the run's; while a step runs, its own log lies beside it. None: there are none of their
        own, what is printed and logged goes where it goes in this process.
    """

    def __init__(
        self,
        config: Config,
        data_path: str,
        workdir: Path,
        record: RunRecord,
        progress: Progress,
        workers: Workers,
        log: Path | None,
    ):
        self._config, self._workdir = config, workdir
        self._record, self._progress, self._workers, self._log = record, progress, workers, log
        self._locations = Locations.below(str(workdir))
        self._connection = metadata.sqlite_metadata_connection_config(str(workdir / "metadata.db"))
        self._ir = _compiled(config, data_path, self._locations, self._connection, record.run_id)
        self._nodes = {
            wrapper.pipeline_node.node_info.id: wrapper.pipeline_node for wrapper in self._ir.nodes
        }
        self._store = RunStore(self._connection, config.name)
        self._turn = threading.Lock()  # held by the one who is not waiting for an executor
        self._stopped_by: BaseException | None = None
        self._refusals: list[NotBlessed] = []

    def run(self) -> None:
        """Runs them all.

        Raises:
          NotBlessed: names all that speaks against the model; what ran beside went on to its end,
            no other step was started.
          BaseException: what the first step to fail has raised; the others were stopped.
        """
        self._store.abandon_running()
        shutil.rmtree(self._locations.rejects, ignore_errors=True)
        self._progress.plan(list(self._nodes))
        upstream = {step: list(node.upstream_nodes) for step, node in self._nodes.items()}
        self._started = time.monotonic()
        run_in_order(upstream, self._run_step, steps_at_a_time(self._config), self._stop)
        if self._refusals:
            raise NotBlessed("; ".join(map(str, self._refusals)))

    def _stop(self, error: BaseException) -> None:
        self._stopped_by = error
        self._workers.close()

    def _run_step(self, step: str) -> None:
        with self._turn:
            if self._stopped_by or self._refusals:
                return
            self._progress.start(step)
            began = time.monotonic()
            try:
                previous = self._store.latest_run(step)
                logging.getLogger().info(STEP_BEGINS, step)
                execution = launch_node(
                    self._ir,
                    self._nodes[step],
                    self._connection,
                    self._store,
                    self._in_worker(step),
                )
                reason = LOOKS_EACH_TIME if step == "Resolver" else why(execution, previous)
                state: StepState = "cached" if execution.cached else "run"
                over = self._step(step, state, reason, began, artifact_ids(execution))
                self._take(step, execution)
            except NotBlessed as refusal:
                self._refusals.append(refusal)
            except BaseException as error:
                self._ended(self._failed(step, error, began))
                raise
            self._ended(over)
            self._record.write(self._workdir)

    def _in_worker(self, step: str) -> type[DeferredExecutor]:
        """The operator that TFX's Launcher makes to run the step's executor."""
        workers, turn = self._workers, self._turn
        told = functools.partial(self._progress.say, step)
        log = self._log.with_suffix(f".{step}.log") if self._log else None
        steps = list(self._nodes)
        after = steps.index(step) + 1
        # More would keep the next steps waiting for what they do not need.
        following = [self._nodes[name] for name in steps[after : after + LOOK_AHEAD]]
        modules = [name for node in following for name in _modules(self._ir, node)]

        class InWorker(DeferredExecutor):
            def run_executor(self, execution_info: Any) -> Any:
                invocation = execution_info.to_proto()
                job = Job(step, self._executor_spec, invocation, str(log) if log else None)
                turn.release()
                try:
                    return workers.run(job, told, modules)
                finally:
                    turn.acquire()
                    if log and log.exists():
                        _append(step, log)

        return InWorker

    def _failed(self, step: str, error: BaseException, began: float) -> Step:
        if step == "SentenceExampleGen":
            self._record.take_rows(self._locations.rejects)
        artifacts = artifact_ids(self._store.in_run(step, self._record.run_id))
        if isinstance(self._stopped_by, KeyboardInterrupt):
            return self._step(step, "failed", INTERRUPTED, began, artifacts)
        if self._stopped_by:
            return self._step(step, "skipped", STOPPED, began, artifacts)
        return self._step(step, "failed", str(error), began, artifacts)

    def _step(
        self,
        step: str,
        state: StepState,
        reason: str,
        began: float,
        artifacts: dict[str, dict[str, list[int]]],
    ) -> Step:
        """A step that is over now."""
        seconds, started = time.monotonic() - began, began - self._started
        return Step(step, state, round(seconds, 2), reason, round(started, 2), **artifacts)

    def _ended(self, step: Step) -> None:
        """Notes a step, and shows it."""
        self._record.steps.append(step)
        order = list(self._nodes)
        self._record.steps.sort(key=lambda step: order.index(step.id))
        self._progress.end(step)

    def _take(self, step: str, execution: NodeExecution) -> None:
        """Takes what a finished step leaves for the record."""
        if step == "SentenceExampleGen":
            shutil.copytree(execution.outputs["rejects"][0].uri, self._locations.rejects)
        note_origin(self._store, step, execution, self._config)
        if step == "Resolver":
            self._record.version_before = version_found(execution, self._store)
        self._record.take_outcome(step, execution)


def steps_at_a_time(config: Config) -> int:
    """How many steps may run together; there are never three that could for long.

    One step's Beam workers keep the cores busy, and two steps' would need 4 GiB for a million rows.
    """
    return min(2, LANES) if config.beam.workers == 1 else 1


def _compiled(
    config: Config,
    data_path: str,
    locations: Locations,
    connection: metadata_store_pb2.ConnectionConfig,
    run_id: str,
) -> pipeline_pb2.Pipeline:
    ir = compiler.Compiler().compile(create_pipeline(config, data_path, locations, connection))
    runtime_parameter_utils.substitute_runtime_parameter(
        ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
    )
    return ir


def _modules(ir: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode) -> list[str]:
    """The modules that a node's executor needs: its own, and ours that its parameters name."""
    deployment = runner_utils.extract_local_deployment_config(ir)
    spec = runner_utils.extract_executor_spec(deployment, node.node_info.id)
    if spec is None:  # as a Resolver, which only asks the store
        return []
    spec = getattr(spec, "python_executor_spec", spec)
    values = [given.field_value.string_value for given in node.parameters.parameters.values()]
    named = [spec.class_path, *(value for value in values if OWN_NAME.fullmatch(value))]
    return [name if source_file(name) else name.rpartition(".")[0] for name in named]


def _append(step: str, log: Path) -> None:
    """Moves a step's log to the end of the run's, which this process logs to."""
    logging.getLogger().info(STEP_BEGINS, step)
    with open(log, "rb") as own, open(1, "wb", closefd=False) as whole:
        shutil.copyfileobj(own, whole)
    log.unlink()
