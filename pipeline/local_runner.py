"""Runs the pipeline on this machine: node after node, with SQLite and Beam's DirectRunner."""

import logging
import shutil
import time
from pathlib import Path

from components.errors import SentiflowError
from components.threads import share_cores
from pipeline.config import Config
from pipeline.console import quiet_libraries
from pipeline.excerpt import STEP_BEGINS, relevant_lines
from pipeline.history import keep, since_last_run
from pipeline.model_card import copy_card
from pipeline.progress import Progress, show_progress
from pipeline.record import RunRecord, Step, StepState, artifact_ids, version_found
from pipeline.report.page import PAGE, run_page
from pipeline.sole_use import sole_use

log = logging.getLogger(__name__)

LOOKS_EACH_TIME = "asks the store each time"
INTERRUPTED = "interrupted by the user"


class StepFailed(SentiflowError):
    """A step, or the setting up, failed for a reason that is not the user's.

    Attributes:
      log_lines: of the log, the part that tells why.
    """

    def __init__(self, message: str, log_lines: list[str]):
        super().__init__(message)
        self.log_lines = log_lines


def run_pipeline(
    config: Config,
    data_path: str,
    workdir: Path,
    shown: bool = True,
    verbose: bool = False,
) -> RunRecord:
    """Runs all steps and writes `run.json` and the run's page, however the run ends.

    Args:
      config: the resolved configuration.
      data_path: file or folder of labelled sentences.
      workdir: made if need be; holds everything that the run leaves.
      shown: whether to show the steps on the standard output.
      verbose: whether what the libraries print and log goes to the standard error too.

    Returns:
      The record of a run that ended with its model served.

    Raises:
      UsageError: another run uses the workdir, or it cannot be written.
      DataRefused: the data cannot be trained on.
      NotBlessed: the model missed a bound or failed its serving check.
      StepFailed: a step failed otherwise; the text names the log.
      KeyboardInterrupt: the user stopped the run; the next one goes on from here.
    """
    share_cores()
    workdir = workdir.absolute()
    record = RunRecord.start(config)
    log_file = workdir / "logs" / f"{record.run_id.replace(':', '')}.log"
    with (
        sole_use(workdir),
        quiet_libraries(log_file, verbose) as terminal,
        show_progress(terminal, shown, live=not verbose) as progress,
    ):
        record.previous = since_last_run(record, workdir)
        record.write(workdir)  # a killed run must not leave the record of the run before it
        error: BaseException | None = None
        try:
            _run_nodes(config, data_path, workdir, record, progress)
        except KeyboardInterrupt as interrupt:
            error = interrupt
        except Exception as cause:
            if _is_interrupt(cause):
                error = KeyboardInterrupt()
            else:
                error = cause if _is_refusal(cause) else _step_failed(cause, record, log_file)
        record.finish(error)
        record.write(workdir)
        keep(record, workdir)
        _write_pages(record, workdir)
    if error:
        raise error
    return record


def _run_nodes(
    config: Config, data_path: str, workdir: Path, record: RunRecord, progress: Progress
) -> None:
    run_started = time.monotonic()
    # Imported here, with the libraries' output already redirected: together they take seconds.
    from tfx.dsl.compiler import compiler, constants
    from tfx.orchestration import metadata
    from tfx.orchestration.portable import runtime_parameter_utils

    from pipeline.changes import why
    from pipeline.definition import Locations, create_pipeline
    from pipeline.node import launch_node
    from pipeline.origin import note_origin
    from pipeline.store import RunStore

    locations = Locations.below(str(workdir))
    connection = metadata.sqlite_metadata_connection_config(str(workdir / "metadata.db"))
    ir = compiler.Compiler().compile(create_pipeline(config, data_path, locations, connection))
    runtime_parameter_utils.substitute_runtime_parameter(
        ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: record.run_id}
    )
    store = RunStore(connection, config.name)
    store.abandon_running()
    shutil.rmtree(locations.rejects, ignore_errors=True)

    progress.plan([wrapper.pipeline_node.node_info.id for wrapper in ir.nodes])
    for wrapper in ir.nodes:
        node = wrapper.pipeline_node
        node_id = node.node_info.id
        previous = store.latest_run(node_id)
        logging.getLogger().info(STEP_BEGINS, node_id)
        progress.start(node_id)
        started, begin = time.monotonic(), _since(run_started)
        try:
            execution = launch_node(ir, node, connection, store)
        except BaseException as error:
            if node_id == "SentenceExampleGen":
                record.take_rows(locations.rejects)
            cause = INTERRUPTED if isinstance(error, KeyboardInterrupt) else str(error)
            failed = artifact_ids(store.in_run(node_id, record.run_id))
            record.steps.append(Step(node_id, "failed", _since(started), cause, begin, **failed))
            progress.end(record.steps[-1])
            raise
        reason = LOOKS_EACH_TIME if node_id == "Resolver" else why(execution, previous)
        state: StepState = "cached" if execution.cached else "run"
        artifacts = artifact_ids(execution)
        step = Step(node_id, state, _since(started), reason, begin, **artifacts)
        record.steps.append(step)
        progress.end(step)
        if node_id == "SentenceExampleGen":
            shutil.copytree(execution.outputs["rejects"][0].uri, locations.rejects)
        note_origin(store, node_id, execution, config)
        if node_id == "Resolver":
            record.version_before = version_found(execution, store)
        record.take_outcome(node_id, execution)
        record.write(workdir)


def _write_pages(record: RunRecord, workdir: Path) -> None:
    """Writes the page and copies the model card; how the run ended does not hang on them."""
    page = workdir / PAGE
    try:
        page.unlink(missing_ok=True)  # the page of another run would be taken for this one's
        page.parent.mkdir(exist_ok=True)
        page.write_text(run_page(record), encoding="utf-8")
        copy_card(record, workdir)
    except Exception as error:
        log.error("the run's page could not be written: %s", error, exc_info=True)


def _since(started: float) -> float:
    return round(time.monotonic() - started, 2)


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether the error came up only because the user interrupted what went on."""
    while error and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _is_refusal(error: Exception) -> bool:
    """Whether the error is the user's to mend, and its one line says all."""
    return isinstance(error, SentiflowError) and error.exit_code != SentiflowError.exit_code


def _step_failed(error: Exception, record: RunRecord, log_file: Path) -> StepFailed:
    step = record.steps[-1].id if record.steps else "set-up"
    cause = " ".join(str(error).split())[:300]
    if not isinstance(error, SentiflowError):
        cause = f"{type(error).__name__}: {cause}"
        logging.getLogger().error("%s failed", step, exc_info=error)
    message = f"{step} failed: {cause} (log: {log_file})"
    return StepFailed(message, relevant_lines(log_file, message))
