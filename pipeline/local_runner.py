"""Runs the pipeline on this machine, with SQLite and Beam's DirectRunner: its start and its end."""

import contextlib
import logging
import os
from pathlib import Path

from components.errors import SentiflowError
from components.settings import VectorsSettings
from components.threads import share_cores
from pipeline.config import Config
from pipeline.console import quiet_libraries
from pipeline.excerpt import relevant_lines
from pipeline.history import keep, since_last_run
from pipeline.lazy_packages import NOTEBOOKS, without, without_deferred
from pipeline.model_card import copy_card
from pipeline.progress import show_progress
from pipeline.record import RunRecord
from pipeline.sole_use import sole_use
from pipeline.workers.pool import LOGGED, Workers

log = logging.getLogger(__name__)


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
      UsageError: there are no such word vectors, another run uses the workdir, or it cannot be
        written.
      DataRefused: the data cannot be trained on.
      NotBlessed: the model missed a bound or failed its serving check.
      StepFailed: a step failed otherwise; the text names the log.
      KeyboardInterrupt: the user stopped the run; the next one goes on from here.
    """
    share_cores()
    _find_vectors(config.vectors)
    # Else TensorFlow would take all of a GPU's memory, whoever else uses the machine.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    workdir = workdir.absolute()
    record = RunRecord.start(config)
    log_file = workdir / "logs" / f"{record.run_id.replace(':', '')}.log"
    with (
        sole_use(workdir) as lock,
        quiet_libraries(log_file, verbose) as terminal,
        show_progress(terminal, shown, live=not verbose) as progress,
    ):
        record.previous = since_last_run(record, workdir)
        record.write(workdir)  # a killed run must not leave the record of the run before it
        error: BaseException | None = None
        try:
            with contextlib.closing(Workers(lock)) as workers:
                # Imported here, while the workers' process imports other things.
                with without(NOTEBOOKS):
                    from pipeline.steps import Steps

                own_logs = None if verbose else log_file
                Steps(config, data_path, workdir, record, progress, workers, own_logs).run()
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


def _find_vectors(settings: VectorsSettings) -> None:
    """Raises UsageError for what else only the step WordVectors would find, after ingest."""
    from components.word_vectors.source import find_files
    from components.word_vectors.subwords import find_subwords

    if settings.given:
        find_files(settings)
    if settings.added_dim:
        find_subwords(settings)


def _write_pages(record: RunRecord, workdir: Path) -> None:
    """Writes the page and copies the model card; how the run ended does not hang on them."""
    try:
        from pipeline.report.page import PAGE, run_page

        page = workdir / PAGE
        page.unlink(missing_ok=True)  # the page of another run would be taken for this one's
        page.parent.mkdir(exist_ok=True)
        with without_deferred():
            page.write_text(run_page(record), encoding="utf-8")
        copy_card(record, workdir)
    except Exception as error:
        log.error("the run's page could not be written: %s", error, exc_info=True)


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether the error came up only because the user interrupted what went on."""
    while error and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _is_refusal(error: Exception) -> bool:
    """Whether the error is the user's to mend, and its one line says all."""
    return isinstance(error, SentiflowError) and error.exit_code != SentiflowError.exit_code


def _step_failed(error: Exception, record: RunRecord, log_file: Path) -> StepFailed:
    last = record.steps[-1].id if record.steps else "set-up"
    step = next((step.id for step in record.steps if step.state == "failed"), last)
    cause = " ".join(str(error).split())[:300]
    if not isinstance(error, SentiflowError):
        cause = f"{type(error).__name__}: {cause}"
        if LOGGED not in getattr(error, "__notes__", ()):
            logging.getLogger().error("%s failed", step, exc_info=error)
    message = f"{step} failed: {cause} (log: {log_file})"
    return StepFailed(message, relevant_lines(log_file, message, step))
