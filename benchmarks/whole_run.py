"""`sentiflow run` beside TFX's imdb example, both from cold processes on the same rows.

    python -m benchmarks.whole_run --data FOLDER [--config F] [--set K=V ...] [--rounds N] [--quick]

FOLDER holds train.* and eval.*. The two take turns, and the median of the rounds' ratios counts:
a machine whose speed moves meanwhile moves a single ratio by a tenth or two. The example trains for
the 500 steps of 10 sentences it comes with.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import click

RATIO_AIM = 0.7  # of the example's wall time
REPEAT_AIM = 25.0  # seconds of a run in which nothing changed
IMPORTS_SHOWN = 12
QUICK_ROWS = 400
QUICK = ("train.max_epochs=1", "evaluate.min_accuracy=0", "serve_check.p99_ms=10000")

Command = list[str | Path]


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


def timed(command: Command, log: Path) -> float:
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


class Round(NamedTuple):
    """A run of ours and one of the example, right after each other."""

    seconds: float
    accuracy: float
    example_seconds: float
    example_accuracy: float

    @property
    def ratio(self) -> float:
        """Ours of the example's wall time."""
        return self.seconds / self.example_seconds


def rounds_table(rounds: list[Round]) -> list[str]:
    """The lines of a table of the rounds; the last one is the verdict on the median ratio."""
    lines = [
        "| round | sentiflow run, s | accuracy | TFX's imdb example, s | accuracy | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for number, one in enumerate(rounds, start=1):
        ours = f"{one.seconds:.1f} | {one.accuracy:.3f}"
        example = f"{one.example_seconds:.1f} | {one.example_accuracy:.3f}"
        lines.append(f"| {number} | {ours} | {example} | {one.ratio:.2f} |")
    middle = statistics.median(one.ratio for one in rounds)
    verdict = _verdict(middle, RATIO_AIM)
    return [*lines, "", f"ours / the example's, median: {middle:.2f} ({verdict})"]


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--config", default="default", show_default=True)
@click.option("--set", "overrides", multiple=True, help="As of sentiflow run.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--quick", is_flag=True, help="Few rows, one epoch, one round: to try the script.")
def main(data: Path, config: str, overrides: tuple[str, ...], rounds: int, quick: bool) -> None:
    """Print what each of the runs, and each step of ours, took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if quick:
            data, overrides, rounds = _first_rows(data, folder / "data"), (*overrides, *QUICK), 1
        overrides = ("serve_check.p99_ms=10000", *overrides)  # a busy machine is no failure here
        ours: Command = [sys.executable, "-m", "pipeline.cli", "run"]
        ours += ["--config", config, "--data", data]
        ours += [part for override in overrides for part in ("--set", override)]
        theirs: Command = [sys.executable, "-m", "benchmarks.imdb_example", "--data", data]
        done = []
        for number in range(rounds):
            workdirs = folder / f"ours-{number}", folder / f"theirs-{number}"
            done.append(_round(ours, theirs, *workdirs))
            print(f"round {number + 1}: {done[-1]}", file=sys.stderr)
        ours += ["--workdir", folder / "ours-0"]
        run_json = folder / "ours-0" / "run.json"
        first = json.loads(run_json.read_text())
        second_seconds = timed(ours, folder / "second.log")
        second = json.loads(run_json.read_text())
        ours[1:1] = ["-X", "importtime"]
        timed(ours, folder / "imports.log")
        # Once it has begun, a run's standard error goes to a log of its own.
        logs = (folder / "ours-0" / "logs").glob("*.log")
        newest = max(logs, key=lambda log: log.stat().st_mtime)
        importtime = (folder / "imports.log").read_text() + newest.read_text()
        imports = slowest_imports(importtime, IMPORTS_SHOWN)
    print(
        f"{first['rows']['accepted']} rows; cold processes, one after the other; accuracy of each "
        "on its own eval rows\n"
    )
    print("\n".join(rounds_table(done)))
    print(
        f"nothing changed since round 1: {second_seconds:.1f} s "
        f"({_verdict(second_seconds, REPEAT_AIM)})\n"
    )
    print("The steps of round 1:\n")
    print("\n".join(steps_table(first, second)))
    print("\n| imports of a run in which nothing changed | seconds of its own |\n|---|---|")
    print("\n".join(f"| {package} | {seconds:.2f} |" for seconds, package in imports))


def _round(ours: Command, theirs: Command, our_workdir: Path, their_workdir: Path) -> Round:
    seconds = timed([*ours, "--workdir", our_workdir], our_workdir.with_suffix(".log"))
    record = json.loads((our_workdir / "run.json").read_text())
    log = their_workdir.with_suffix(".log")
    their_seconds = timed([*theirs, "--workdir", their_workdir], log)
    example = json.loads(log.read_text().splitlines()[-1])
    return Round(seconds, record["metrics"]["accuracy"], their_seconds, example["accuracy"])


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
