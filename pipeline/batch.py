"""`sentiflow batch`: predictions for many files, as a Beam pipeline with the configured runner."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path

from components.batch.blocks import write_whole
from components.batch.folder import (
    STATE,
    SUMMARY,
    Job,
    check_folder,
    clear_outdated,
    finish,
    make_jobs,
    recipe,
)
from components.batch.inputs import find_inputs
from components.batch.outputs import Format
from components.batch.summary import BatchSummary, summarise
from components.errors import SentiflowError, UsageError
from components.ingest.source import hash_files
from pipeline.config import BATCH_STEP, Config
from pipeline.console import quiet_libraries
from pipeline.pushed import model_in
from pipeline.sole_use import sole_use


def output_folder(given: str) -> Path:
    """The output folder that a user names.

    Raises:
      UsageError: it lies in a bucket.
    """
    if "://" in given:
        raise UsageError(f"{given}: expected a folder of this machine, or a mounted one")
    return Path(given)


def run_batch(
    config: Config, patterns: Sequence[str], output: Path, model_dir: Path, format_: Format
) -> BatchSummary:
    """Predicts files; goes on where an earlier call was interrupted.

    Args:
      config: how files are read, and Beam's runner.
      patterns: files, folders and globs.
      output: the output folder, see `components.batch.folder`.
      model_dir: a SavedModel's folder.
      format_: of the outputs.

    Returns:
      What became of the files; also stands in the output folder.

    Raises:
      UsageError: no input, no model, or an output folder that must not be used.
      DataRefused: an input cannot be opened.
      SentiflowError: something else failed; the text names the log.
    """
    started = time.monotonic()
    output, model_dir = output.absolute(), model_dir.absolute()  # workers may stand elsewhere
    model_in(model_dir)
    check_folder(output)
    settings = config.data.settings()
    inputs = find_inputs(patterns)
    hashed = hash_files([(file.path, None) for file in inputs])
    made = recipe(model_dir, settings, format_)
    jobs = make_jobs(output, inputs, hashed, made, format_)
    log_file = output / STATE / "batch.log"
    with sole_use(output / STATE), quiet_libraries(log_file):
        clear_outdated(output, jobs, made)
        open_jobs = [job for job in jobs if not job.done()]
        try:
            if open_jobs:
                _predict(open_jobs, config, model_dir, format_)
        except SentiflowError:
            raise
        except Exception as error:
            raise _in_one_line(error, log_file) from error
        of_files = [finish(job) for job in jobs]
        summary = summarise(of_files, model_dir, time.monotonic() - started)
        write_whole(output / SUMMARY, summary.model_dump_json(indent=2) + "\n")
    return summary


def _predict(jobs: Sequence[Job], config: Config, model_dir: Path, format_: Format) -> None:
    """Runs the Beam pipeline."""
    from components.serving.lean_tensorflow import import_tensorflow

    import_tensorflow()
    import apache_beam as beam

    from components.batch.pipeline import predict_files
    from components.serving.predict import LocalPredictor

    labels = LocalPredictor(model_dir).labels  # a model that cannot answer is known before Beam
    with beam.Pipeline(argv=config.beam.pipeline_args(BATCH_STEP)) as pipeline:
        files = [(job.path, str(job.work)) for job in jobs]
        predict_files(pipeline, files, str(model_dir), labels, config.data.settings(), format_)


def _in_one_line(error: Exception, log_file: Path) -> SentiflowError:
    logging.getLogger().error("batch failed", exc_info=error)
    cause = " ".join(str(error).split())[:300]
    return SentiflowError(
        f"batch failed: {type(error).__name__}: {cause} (log: {log_file}); the same call goes on "
        "from here"
    )
