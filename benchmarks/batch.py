"""`make bench-batch`: `sentiflow batch` beside a plain loop that calls the SavedModel.

Prints sentences per second, the ratios, and the peak memory of all processes together. Each way is
run in processes of its own, on one sentence and on all: the difference is what the sentences take,
without starting Python, TensorFlow and Beam. The loop does less: it keeps nothing of the answers.
"""

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BATCH_SIZE = 256  # sentences in a call of the plain loop
SAMPLE_SECONDS = 0.05  # between two looks at the memory
WORDS = (
    "the a film movie plot story cast acting script hero ending and but with of in for as its it "
    "good great bad awful dull funny slow warm clever tired never always almost quite too not is "
    "was feels seems makes gives leaves little much more than every nothing"
).split()


class Run(NamedTuple):
    """What a process took."""

    seconds: float
    peak_bytes: int  # resident, of the process and all below it


def write_sentences(path: Path, rows: int) -> None:
    """A TSV file of made-up sentences, as long as film reviews: 19 words on average, 1 to 60."""
    rng = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        file.write("text\n")
        for _ in range(rows):
            words = min(60, max(1, round(rng.gammavariate(4, 19 / 4))))
            file.write(" ".join(rng.choices(WORDS, k=words)) + "\n")


def loop(model_dir: Path, sentences: Path) -> None:
    """The SavedModel as TensorFlow's documentation loads and calls it, in the file's order."""
    import tensorflow as tf

    function = tf.saved_model.load(str(model_dir)).signatures["serving_default"]
    texts = sentences.read_text(encoding="utf-8").splitlines()[1:]
    for start in range(0, len(texts), BATCH_SIZE):
        function(text=tf.constant(texts[start : start + BATCH_SIZE]))["probabilities"].numpy()


def measure(command: list[str]) -> Run:
    """Runs a command and watches it.

    Raises:
      CalledProcessError: it failed.
    """
    started = time.perf_counter()
    peak = 0
    with tempfile.TemporaryFile() as errors:
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        while running.poll() is None:
            peak = max(peak, sum(map(resident_bytes, tree(running.pid))))
            time.sleep(SAMPLE_SECONDS)
        seconds = time.perf_counter() - started
        if running.returncode:
            errors.seek(0)
            sys.stderr.write(errors.read().decode())
            raise subprocess.CalledProcessError(running.returncode, command)
    return Run(seconds, peak)


def tree(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from tree(int(child))


def resident_bytes(pid: int) -> int:
    """The memory of a process; 0 where it has ended."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    return 0


def batch_command(model_dir: Path, sentences: Path, output: Path, workers: int) -> list[str]:
    """The call of `sentiflow batch`; workers are threads of one process."""
    command = [sys.executable, "-m", "pipeline.cli", "batch", "--input", str(sentences)]
    command += ["--output", str(output), "--model", str(model_dir)]
    command += ["--set", f"beam.workers={workers}"]
    return [*command, "--set", "beam.running_mode=multi_threading"]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of a SavedModel")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--loop", type=Path, help=argparse.SUPPRESS)  # the process of the loop
    options = parser.parse_args()
    if options.loop:
        loop(options.model, options.loop)
        return
    with tempfile.TemporaryDirectory() as scratch:
        files = {rows: Path(scratch, f"{rows}.tsv") for rows in (1, options.rows)}
        for rows, path in files.items():
            write_sentences(path, rows)

        def report(name: str, commands: dict[int, list[str]]) -> float:
            start, whole = (measure(commands[rows]) for rows in files)
            per_second = (options.rows - 1) / (whole.seconds - start.seconds)
            print(
                f"{name:24}{per_second:10,.0f} sentences/s{whole.seconds:10.1f} s in all, "
                f"{start.seconds:.1f} s to start{whole.peak_bytes / 2**20:10,.0f} MiB at most",
                flush=True,
            )
            return per_second

        itself = [sys.executable, "-m", "benchmarks.batch", "--model", str(options.model)]
        plain = report(
            f"loop, {BATCH_SIZE} in a call",
            {rows: [*itself, "--loop", str(path)] for rows, path in files.items()},
        )
        for workers in options.workers:
            outputs = {rows: Path(scratch, f"out-{rows}-{workers}") for rows in files}
            commands = {
                rows: batch_command(options.model, path, outputs[rows], workers)
                for rows, path in files.items()
            }
            ratio = report(f"batch, {workers} worker(s)", commands) / plain
            summary = json.loads((outputs[options.rows] / "summary.json").read_text())
            assert summary["predicted"] == options.rows, summary
            print(f"  {ratio:.2f} times the loop")


if __name__ == "__main__":
    main()
