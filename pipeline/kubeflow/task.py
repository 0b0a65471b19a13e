"""The entry point of the images: runs one task of a Kubeflow run and ends with its exit code.

Everything a task needs stands in its arguments, but for the credentials of the metadata database,
which come from the environment. The last line on stderr is the cause of a failure.
"""

import argparse
import json
import logging
import os
import shlex
import sys
from dataclasses import dataclass
from typing import Any, NoReturn

from components.errors import SentiflowError, UsageError
from pipeline.config import Config, override
from pipeline.fingerprint import source_fingerprint
from pipeline.kubeflow import termination
from pipeline.lazy_packages import defer_heavy_imports, prefer_local_filesystem

REPORT, BATCH, DRIFT = "report", "batch", "drift"  # in place of a node's id
AS_CONFIGURED = 0  # epochs
SERVED = 0  # version of the model: the one that is served


@dataclass(frozen=True)
class Task:
    """What a task was told in its arguments."""

    node: str  # id, or REPORT, BATCH or DRIFT
    nodes: tuple[str, ...]  # ids of all, in the pipeline's order
    ir: str  # packed, see pipeline.kubeflow.node_ir
    config_json: str  # the configuration that the package was compiled from
    code: str  # fingerprint of the sources that it was compiled with
    cache_only: bool
    executor_input: dict[str, Any]  # KFP's message of that name
    outputs: dict[str, str]  # local file of each output of the task

    @property
    def run_id(self) -> str:
        """Kubeflow's id of the run, and TFX's."""
        return self.parameters["run_id"]

    @property
    def config(self) -> Config:
        """The configuration that the package was compiled from."""
        return Config.model_validate_json(self.config_json)

    def config_of_run(self) -> Config:
        """The configuration with the run's own parameters applied.

        Raises:
          UsageError: an override that the configuration refuses, or that comes too late.
        """
        overrides = []
        if path := self.parameters.get("data_path"):
            overrides.append(f"data.path={json.dumps(path)}")
        epochs = int(self.parameters.get("epochs", AS_CONFIGURED))
        if epochs != AS_CONFIGURED:
            overrides.append(f"train.max_epochs={epochs}")
        try:
            # Quoted as on a command line. Last, because the path may be only the package's default.
            overrides += shlex.split(self.parameters["overrides"])
        except ValueError as error:
            raise UsageError(f"overrides: {error}") from None
        config = override(self.config, overrides)
        if (config.name, config.kubeflow) != (self.config.name, self.config.kubeflow):
            raise UsageError("overrides: name and kubeflow are fixed in the package; compile anew")
        return config

    @property
    def parameters(self) -> dict[str, Any]:
        """The run's own parameters, by name."""
        return self.executor_input["inputs"]["parameterValues"]


def main() -> NoReturn:
    """Runs the task; ends the process with one of sentiflow's exit codes, or 143 on SIGTERM."""
    termination.raise_on_sigterm()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname).1s %(message)s")
    logging.getLogger("apache_beam").setLevel(logging.WARNING)  # hundreds of lines on type hints
    defer_heavy_imports()
    prefer_local_filesystem()
    task = _parse(sys.argv[1:])
    code, cause = 0, ""
    try:
        _refuse_other_code(task)
        _run(task)
    except SentiflowError as error:
        code, cause = error.exit_code, str(error)
    except termination.Terminated:
        code, cause = termination.EXIT_CODE, f"{task.node} was stopped: SIGTERM"
    except Exception as error:
        logging.exception("%s failed", task.node)
        code = SentiflowError.exit_code
        cause = f"{task.node} failed: {type(error).__name__}: {' '.join(str(error).split())}"
    if cause:
        print(f"sentiflow: {cause}", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # not sys.exit: libraries still log while they are torn down, below the cause


def _refuse_other_code(task: Task) -> None:
    """The cache would take outputs of one code for those of another."""
    if task.code != (own := source_fingerprint()):
        raise SentiflowError(
            f"the package was compiled with code {task.code}, this image holds {own}: build the "
            "image and compile the package from the same sources"
        )


def _run(task: Task) -> None:
    if task.node == REPORT:
        from pipeline.kubeflow.report import run_report

        run_report(task)
    elif task.node == BATCH:
        from pipeline.kubeflow.jobs import run_batch_job

        run_batch_job(task)
    elif task.node == DRIFT:
        from pipeline.kubeflow.jobs import run_drift_job

        run_drift_job(task)
    else:
        from pipeline.kubeflow.node import run_node

        run_node(task)


def _parse(arguments: list[str]) -> Task:
    parser = argparse.ArgumentParser(prog="python -m pipeline.kubeflow.task", description=__doc__)
    parser.add_argument("--node", required=True)
    parser.add_argument("--nodes", required=True, type=lambda text: tuple(text.split(",")))
    parser.add_argument("--ir", default="")
    parser.add_argument("--config", required=True, dest="config_json")
    parser.add_argument("--code", required=True)
    parser.add_argument("--cache-only", action="store_true")
    parser.add_argument("--executor-input", required=True, type=json.loads)
    parser.add_argument(
        "--output", nargs=2, action="append", default=[], metavar=("NAME", "PATH"), dest="outputs"
    )
    given = vars(parser.parse_args(arguments))
    return Task(**{**given, "outputs": dict(given["outputs"])})


if __name__ == "__main__":
    main()
