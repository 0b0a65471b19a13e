"""`make bench-serving`: the server under load, beside the SavedModel called directly in a loop.

Prints sentences per second and latencies for 1, 8 and 64 clients over REST and gRPC, each with one
sentence in a request, and the two ratios that matter: what batching gains over single calls, and
what the server adds to one. The load generator is a process of its own on the same machine.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.load import percentile
from components.errors import UsageError
from components.serving.model_root import find_versions
from components.serving.process import ServerAddress, start_server_process
from components.serving.settings import ServingSettings

CLIENTS = (1, 8, 64)
START_SECONDS = 180
MOST_SENTENCES = 2000
DIRECT = {"direct, eager": "eager", "direct, in a session": "session"}


def read_sentences(path: Path) -> list[str]:
    """The sentences of a TSV file with a column `text`, or of a file with one a line."""
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix != ".tsv":
            return file.read().splitlines()[:MOST_SENTENCES]
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row["text"] for row, _ in zip(rows, range(MOST_SENTENCES), strict=False)]


def call_directly(kind: str, model_dir: Path, sentences: Path, seconds: float) -> list[float]:
    """The seconds of each call without a server, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.direct", kind, str(model_dir), str(sentences)]
    command += [str(seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return json.loads(done.stdout)


def ask(target: str, sentences: Path, clients: int, seconds: float, name: str) -> dict[str, Any]:
    """Runs the load generator."""
    command = [sys.executable, "-m", "benchmarks.load", target, "--sentences", str(sentences)]
    command += ["--clients", str(clients), "--seconds", str(seconds), "--model-name", name]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(
    server: ServerAddress, sentences: Path, seconds: float, name: str
) -> dict[tuple[str, int], dict[str, Any]]:
    """{(protocol, clients): what the load generator measured}."""
    targets = {"REST": server.rest_url, "gRPC": f"grpc://{server.grpc_address}"}
    for target in targets.values():
        ask(target, sentences, 8, 1, name)  # the first connections
    return {
        (protocol, clients): ask(target, sentences, clients, seconds, name)
        for clients in CLIENTS
        for protocol, target in targets.items()
    }


def row(name: str, per_second: float, p50: float, p95: float, p99: float, failed: int) -> str:
    """A line of the table; latencies in milliseconds."""
    return f"{name:22}{per_second:10,.0f}{p50:9.2f}{p95:9.2f}{p99:9.2f}{failed:8}"


def report(direct: dict[str, list[float]], served: dict[tuple[str, int], dict[str, Any]]) -> str:
    """The table and the ratios."""
    lines = [f"{'':22}{'sent./s':>10}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'failed':>8}"]
    for name, seconds in direct.items():
        ordered = sorted(seconds)
        latencies = [percentile(ordered, each) * 1000 for each in (50, 95, 99)]
        lines.append(row(name, len(seconds) / sum(seconds), *latencies, failed=0))
    for (protocol, clients), result in served.items():
        name = f"{protocol}, {clients} client{'s' if clients > 1 else ''}"
        latencies = [result[f"p{each}_ms"] for each in (50, 95, 99)]
        failed = sum(result["failures"].values())
        lines.append(row(name, result["per_second"], *latencies, failed=failed))
    for protocol in ("REST", "gRPC"):
        most, one = served[protocol, CLIENTS[-1]], served[protocol, 1]
        for name, seconds in direct.items():
            gain = most["per_second"] / (len(seconds) / sum(seconds))
            added = one["p50_ms"] - percentile(sorted(seconds), 50) * 1000
            lines.append(
                f"{protocol} against {name}: {CLIENTS[-1]} clients get {gain:.1f} times the "
                f"sentences per second; one client waits {added:+.2f} ms (p50)"
            )
        lines.append(
            f"{protocol}: {CLIENTS[-1]} clients get {most['per_second'] / one['per_second']:.1f} "
            "times the sentences of one client"
        )
    return "\n".join(lines)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--model-root", type=Path, required=True)
    parser.add_argument("--sentences", type=Path, required=True, help=".tsv with text, or lines")
    parser.add_argument("--model-name", default="sentiment")
    parser.add_argument("--seconds", type=float, default=8.0, help="for each measurement")
    parser.add_argument(
        "--settings", type=ServingSettings.model_validate_json, default=ServingSettings()
    )
    options = parser.parse_args()
    versions = find_versions(options.model_root / options.model_name)
    if not versions:
        raise UsageError(f"{options.model_root}: expected {options.model_name}/<version>/")
    sentences = read_sentences(options.sentences)
    with tempfile.TemporaryDirectory() as scratch:
        lines = Path(scratch, "sentences")
        lines.write_text("\n".join(sentences) + "\n", encoding="utf-8")
        folder = versions[max(versions)]
        direct: dict[str, list[float]] = {name: [] for name in DIRECT}

        def call_all() -> None:
            for name, kind in DIRECT.items():
                direct[name] += call_directly(kind, folder, lines, options.seconds / 2)

        # Before and after, so that what else the machine does weighs on both alike.
        call_all()
        with start_server_process(
            options.model_root, options.model_name, START_SECONDS, options.settings
        ) as server:
            served = measure(server, lines, options.seconds, options.model_name)
        call_all()
    lengths = np.array([len(sentence.split()) for sentence in sentences])
    print(f"{len(sentences)} sentences of {lengths.mean():.0f} words, one in each request")
    print(report(direct, served))


if __name__ == "__main__":
    main()
