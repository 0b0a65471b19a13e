"""`sentiflow run` beside TFX's imdb example, both from cold processes on the same rows.

    python -m benchmarks.whole_run --data FOLDER [--config F] [--set K=V ...] [--quick]

FOLDER holds train.* and eval.*. The example trains for the 500 steps of 10 sentences it comes with.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

RATIO_AIM = 0.7  # of the example's wall time
REPEAT_AIM = 25.0  # seconds of a run in which nothing changed
IMPORTS_SHOWN = 12
QUICK_ROWS = 400
QUICK = ("train.max_epochs=1", "evaluate.min_accuracy=0", "serve_check.p99_ms=10000")


def steps_table(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """The lines of a table of the steps' seconds, from the `run.json` of two runs."""
    again = {step["id"]: step for step in second["steps"]}
    lines = ["| step | seconds | again | |", "|---|---|---|---|"]
    for step in first["steps"]:
        repeated = again[step["id"]]
        seconds = f"{step['seconds']:.1f} | {repeated['seconds']:.1f}"
        lines.append(f"| {step['id']} | {seconds} | {repeated['state']} |")
    return lines


def slowest_imports(importtime: str, count: int) -> list[tuple[float, str]]:
    """What `python -X importtime` printed: the packages that took longest.

    Returns:
      Seconds of a package's own modules together, without what they import elsewhere; and its name.
    """
    own: dict[str, float] = {}
    for line in importtime.splitlines():
        parts = line.removeprefix("import time:").split("|")
        if line.startswith("import time:") and len(parts) == 3 and parts[0].strip().isdigit():
            package = parts[2].strip().split(".")[0]
            own[package] = own.get(package, 0.0) + int(parts[0]) / 1e6
    return sorted(((seconds, name) for name, seconds in own.items()), reverse=True)[:count]


def timed(command: list[str], log: Path) -> float:
    """Runs a command to its end; returns the seconds.

    Raises:
      ClickException: it failed; its output is shown.
    """
    start = time.perf_counter()
    with open(log, "w") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT)
    if done.returncode:
        raise click.ClickException(f"{command}:\n{log.read_text()[-3000:]}")
    return time.perf_counter() - start


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--config", default="default", show_default=True)
@click.option("--set", "overrides", multiple=True, help="As of sentiflow run.")
@click.option("--quick", is_flag=True, help="Few rows, one epoch: to try the script.")
def main(data: Path, config: str, overrides: tuple[str, ...], quick: bool) -> None:
    """Print what each of the runs, and each step of ours, took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if quick:
            data, overrides = _first_rows(data, folder / "data"), (*overrides, *QUICK)
        ours = [sys.executable, "-m", "pipeline.cli", "run", "--config", config]
        ours += ["--data", str(data), "--workdir", str(folder / "ours")]
        overrides = ("serve_check.p99_ms=10000", *overrides)  # a busy machine is no failure here
        ours += [part for override in overrides for part in ("--set", override)]
        run_json = folder / "ours" / "run.json"
        first_seconds = timed(ours, folder / "first.log")
        first = json.loads(run_json.read_text())
        theirs = [sys.executable, "-m", "benchmarks.imdb_example"]
        theirs += ["--data", str(data), "--workdir", str(folder / "theirs")]
        their_seconds = timed(theirs, folder / "theirs.log")
        example = json.loads((folder / "theirs.log").read_text().splitlines()[-1])
        second_seconds = timed(ours, folder / "second.log")
        second = json.loads(run_json.read_text())
        ours[1:1] = ["-X", "importtime"]
        timed(ours, folder / "imports.log")
        # Once it has begun, a run's standard error goes to a log of its own.
        newest = max((folder / "ours" / "logs").glob("*.log"), key=lambda log: log.stat().st_mtime)
        importtime = (folder / "imports.log").read_text() + newest.read_text()
        imports = slowest_imports(importtime, IMPORTS_SHOWN)
    print(
        f"{first['rows']['accepted']} rows; cold processes, one after the other\n\n"
        "| run | seconds | accuracy, each on its own eval rows |\n|---|---|---|\n"
        f"| sentiflow run | {first_seconds:.1f} | {first['metrics']['accuracy']:.3f} |\n"
        f"| TFX's imdb example | {their_seconds:.1f} | {example['accuracy']:.3f} |\n"
        f"| sentiflow run again, nothing changed | {second_seconds:.1f} | |\n\n"
        f"ours / the example's: {first_seconds / their_seconds:.2f} "
        f"({_verdict(first_seconds / their_seconds, RATIO_AIM)})\n"
        f"nothing changed: {second_seconds:.1f} s ({_verdict(second_seconds, REPEAT_AIM)})\n"
    )
    print("\n".join(steps_table(first, second)))
    print("\n| imports of a run in which nothing changed | seconds of its own |\n|---|---|")
    print("\n".join(f"| {package} | {seconds:.2f} |" for seconds, package in imports))


def _verdict(value: float, aim: float) -> str:
    return f"aim: below {aim:g}, {'met' if value < aim else 'missed'}"


def _first_rows(data: Path, folder: Path) -> Path:
    folder.mkdir()
    for file in (*data.glob("train.tsv"), *data.glob("eval.tsv")):
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / file.name).write_text("".join(lines[: 1 + QUICK_ROWS]), encoding="utf-8")
    return folder


if __name__ == "__main__":
    main()
