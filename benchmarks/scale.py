"""The steps up to training on more and more sentences: rows per second, peak memory.

    python -m benchmarks.scale --data FILE [--rows 10000,100000,1000000] [--write docs/scale.md]

FILE holds labelled sentences; they are repeated with words exchanged, in files of `FILE_ROWS`.
Each measurement has processes of its own: one worker, two workers, and Beam's PortableRunner with
its job service and two workers in other processes. Peak memory is the largest sum over all of them
of the memory that is not shared (PSS), looked at every half second.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import click

MEASURED = ("SentenceExampleGen", "StatisticsGen", "WordVectors", "Transform")
STEPS = (*MEASURED, "SchemaImporter")
FILE_ROWS = 125_000
EXCHANGED = 0.2  # of the words of a sentence
MEMORY_AIM = 3.0  # GiB
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
RUNNERS = ("1 worker", "2 workers", "PortableRunner")


class Measurement(NamedTuple):
    """One run of the steps."""

    runner: str
    rows: int
    seconds: dict[str, float]  # of each of MEASURED
    peak_gib: float


def perturbed(texts: list[str], rows: int, seed: int) -> Iterator[str]:
    """Repeats sentences, each time with words exchanged for words of the others."""
    source = random.Random(seed)
    words = [word for text in texts for word in text.split()]
    for row in range(rows):
        sentence = texts[row % len(texts)].split()
        yield " ".join(
            source.choice(words) if source.random() < EXCHANGED else word for word in sentence
        )


def write_data(texts: list[str], labels: list[str], rows: int, folder: Path) -> None:
    """Writes `rows` sentences as .tsv files."""
    folder.mkdir(parents=True)
    for number, first in enumerate(range(0, rows, FILE_ROWS)):
        count = min(FILE_ROWS, rows - first)
        with open(folder / f"part-{number}.tsv", "w", encoding="utf-8") as file:
            file.write("text\tlabel\n")
            for row, text in enumerate(perturbed(texts, count, seed=number)):
                file.write(f"{text}\t{labels[row % len(labels)]}\n")


def table(measurements: list[Measurement]) -> list[str]:
    """The lines of the table, and what they say about growth and memory."""
    lines = [
        f"| runner | rows | {' | '.join(f'{step}, s' for step in MEASURED)} | rows/s | peak, GiB |",
        "|---|" + "---|" * (len(MEASURED) + 3),
    ]
    for one in measurements:
        seconds = " | ".join(f"{one.seconds[step]:.1f}" for step in MEASURED)
        rate = one.rows / sum(one.seconds.values())
        lines.append(
            f"| {one.runner} | {one.rows:,} | {seconds} | {rate:,.0f} | {one.peak_gib:.2f} |"
        )
    largest = max(measurements, key=lambda one: (one.rows, one.peak_gib))
    verdict = "met" if largest.peak_gib < MEMORY_AIM else "missed"
    lines += [
        "",
        f"Peak memory at {largest.rows:,} rows: at most {largest.peak_gib:.2f} GiB "
        f"(aim: below {MEMORY_AIM:g} GiB, {verdict}).",
    ]
    for runner in dict.fromkeys(one.runner for one in measurements):
        of_runner = sorted((one.rows, sum(one.seconds.values())) for one in measurements
                           if one.runner == runner)  # fmt: skip
        for (less, before), (more, after) in zip(of_runner, of_runner[1:], strict=False):
            lines.append(
                f"{runner}: {more / less:g} times the rows take {after / before:.1f} times as long."
            )
    return lines


def replaced(document: str, lines: list[str]) -> str:
    """The document with `lines` between its two marks."""
    before, rest = document.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{chr(10).join(lines)}\n{END}{after}"


@click.group(invoke_without_command=True)
@click.option("--data", type=click.Path(exists=True, path_type=Path))
@click.option("--rows", default="10000,100000,1000000", show_default=True)
@click.option("--runners", default=",".join(RUNNERS), show_default=True)
@click.option("--write", type=click.Path(exists=True, path_type=Path), help="A file with marks.")
@click.pass_context
def main(
    context: click.Context, data: Path | None, rows: str, runners: str, write: Path | None
) -> None:
    """Print the table, and put it into a document."""
    if context.invoked_subcommand:
        return
    if data is None:
        raise click.UsageError("--data is missing: a file of labelled sentences")
    measurements = []
    texts, labels = _sentences(data)
    for count in (int(part) for part in rows.split(",")):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_data(texts, labels, count, folder / "data")
            for runner in runners.split(","):
                measurements.append(_measure(runner, count, folder))
                print(measurements[-1], file=sys.stderr)
    lines = table(measurements)
    print("\n".join(lines))
    if write:
        write.write_text(replaced(write.read_text(), lines))


def _sentences(data: Path) -> tuple[list[str], list[str]]:
    from components.ingest.reader import read_rows
    from components.ingest.rows import Row
    from components.settings import DataSettings

    rows = [row for row in read_rows(str(data), DataSettings(), False) if isinstance(row, Row)]
    return [row.text for row in rows], [str(row.label) for row in rows]


def _measure(runner: str, rows: int, folder: Path) -> Measurement:
    workdir = folder / runner.replace(" ", "-")
    with ExitStack() as stack:
        settings, helpers = [], []
        if runner == "2 workers":
            settings = ["beam.workers=2", "beam.running_mode=multi_processing"]
        elif runner == "PortableRunner":
            options, helpers = stack.enter_context(_portable(folder))
            settings = [f"beam.options={json.dumps(options)}"]
        command = [sys.executable, "-m", "benchmarks.scale", "steps"]
        command += ["--data", str(folder / "data"), "--workdir", str(workdir), *settings]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        watch = stack.enter_context(_watched_memory([process.pid, *helpers]))
        output, _ = process.communicate()
        if process.returncode:
            raise click.ClickException(f"{runner}, {rows} rows: exit code {process.returncode}")
    return Measurement(runner, rows, json.loads(output.splitlines()[-1]), watch[0] / 2**30)


@contextmanager
def _portable(folder: Path) -> Iterator[tuple[list[str], list[int]]]:
    """Beam's job service and worker pool, as docs/scale-out.md starts them."""
    jobs, pool = _free_port(), _free_port()
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": f"{Path(__file__).parent.parent / 'k8s/overlays/flink'}:{os.getcwd()}",
    }
    modules = {
        f"portability.local_job_service_main --port={jobs}": jobs,
        f"worker.worker_pool_main --service_port={pool}": pool,
    }
    processes = []
    try:
        for arguments, port in modules.items():
            command = f"{sys.executable} -m apache_beam.runners.{arguments}".split()
            log = open(folder / f"{port}.log", "w")
            processes.append(
                subprocess.Popen(
                    command, env=environment, stdout=log, stderr=log, start_new_session=True
                )
            )
        for port in modules.values():
            _wait_for(port)
        options = [
            "--runner=PortableRunner",
            f"--job_endpoint=localhost:{jobs}",
            "--environment_type=EXTERNAL",
            f"--environment_config=localhost:{pool}",
            "--sdk_container_image=sentiflow:cpu",
        ]
        yield options, [process.pid for process in processes]
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGTERM)  # its workers too; the session is its own
            process.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("localhost", 0))
        return one.getsockname()[1]


def _wait_for(port: int, seconds: float = 300.0) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("localhost", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


@contextmanager
def _watched_memory(roots: list[int]) -> Iterator[list[int]]:
    """Gives a list whose one number becomes the peak, in bytes, of the processes and their kin."""
    peak, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.5):
            peak[0] = max(peak[0], sum(map(_pss, _with_descendants(roots))))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def _with_descendants(roots: list[int]) -> set[int]:
    found: set[int] = set()
    todo = list(roots)
    while todo:
        pid = todo.pop()
        found.add(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                todo += [int(child) for child in task.read_text().split()]
            except OSError:
                pass  # it has ended
    return found


def _pss(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # it has ended
    return 0


@main.command()
@click.option("--data", required=True)
@click.option("--workdir", type=click.Path(path_type=Path), required=True)
@click.argument("settings", nargs=-1)
def steps(data: str, workdir: Path, settings: tuple[str, ...]) -> None:
    """Run the steps up to Transform here; prints their seconds as JSON."""
    from tfx.dsl.compiler import compiler, constants
    from tfx.orchestration import metadata
    from tfx.orchestration.portable import runtime_parameter_utils

    from pipeline.config import load_config
    from pipeline.definition import Locations, create_pipeline
    from pipeline.node import launch_node
    from pipeline.store import RunStore

    workdir.mkdir(parents=True)
    config = load_config(overrides=settings)
    connection = metadata.sqlite_metadata_connection_config(str(workdir / "metadata.db"))
    pipeline = create_pipeline(config, data, Locations.below(str(workdir)), connection)
    ir = compiler.Compiler().compile(pipeline)
    runtime_parameter_utils.substitute_runtime_parameter(
        ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: "scale"}
    )
    store = RunStore(connection, config.name)
    seconds = {}
    for wrapper in ir.nodes:
        node_id = wrapper.pipeline_node.node_info.id
        if node_id in STEPS:
            start = time.perf_counter()
            launch_node(ir, wrapper.pipeline_node, connection, store)
            seconds[node_id] = round(time.perf_counter() - start, 2)
    print(json.dumps({step: seconds[step] for step in MEASURED}))


if __name__ == "__main__":
    main()
