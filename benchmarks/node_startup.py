"""How long a node's process takes to start: ours beside TFX's own for Kubeflow, in one run.

Each is started cold, one after the other, several times. Ours runs a real node (SchemaImporter)
against a MariaDB server of its own, once in earnest and then from the cache. TFX's entry point is
only started, up to the point where it has read its arguments: it does less.

    python -m benchmarks.node_startup [ROUNDS]
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.config import load_config
from pipeline.kubeflow_runner import compile_package
from tests.kubeflow.database import mariadb
from tests.pipeline.kubeflow_rules import read_package

TFX_START = ["-m", "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor", "--help"]
SET_UP = "SchemaImporter: set up"  # logged when the node's own work begins


def node_command(root: Path, run_id: str) -> list[str]:
    """The arguments of a node's task, as they stand in the package."""
    package = root / "pipeline.yaml"
    compile_package(load_config(None, (f"kubeflow.root={root}",)), package)
    container = read_package(package)[0]["deploymentSpec"]["executors"]["exec-schema-importer"]
    arguments = container["container"]["args"]
    parameters = {"run_id": run_id, "data_path": "", "epochs": 0, "overrides": ""}
    executor_input = {
        "inputs": {"parameterValues": parameters},
        "outputs": {"outputFile": str(root / "output.json")},
    }
    fixed = arguments[: arguments.index("--executor-input")]
    return [
        *("-m", "pipeline.kubeflow.task"),
        *fixed,
        *("--executor-input", json.dumps(executor_input)),
        *("--output", "artifacts", str(root / "artifacts.md")),
    ]


def seconds(
    arguments: list[str], environment: dict[str, str], until: str = ""
) -> tuple[float, float]:
    """Runs Python; returns the seconds to the line that holds `until`, and to the end."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout
    reached, lines = 0.0, []
    for line in process.stdout:
        lines.append(line)
        if until and until in line and not reached:
            reached = time.monotonic() - started
    if process.wait() or (until and not reached):
        raise RuntimeError("".join(lines[-20:]))
    return reached, time.monotonic() - started


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    ours, whole, theirs = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "database").mkdir()
        with mariadb(root / "database") as secret:
            environment = {**os.environ, **secret}
            seconds(node_command(root, "first"), environment)
            for number in range(rounds):
                to_work, to_end = seconds(
                    node_command(root, f"cached-{number}"), environment, SET_UP
                )
                ours.append(to_work)
                whole.append(to_end)
                theirs.append(seconds(TFX_START, environment)[1])
    print(f"{'seconds, median of ' + str(rounds):42}{'median':>8}{'least':>8}{'most':>8}")
    for name, values in (
        ("sentiflow node: start to its first work", ours),
        ("sentiflow node, cached: start to end", whole),
        ("TFX kubeflow_v2_run_executor: start only", theirs),
    ):
        print(f"{name:42}{statistics.median(values):8.1f}{min(values):8.1f}{max(values):8.1f}")
    ratio = statistics.median(theirs) / statistics.median(ours)
    print(f"TFX's start takes {ratio:.1f} times as long as ours")


if __name__ == "__main__":
    main()
