"""Starts the server as a process of its own and stops it again; for ServeCheck and the demo."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.errors import SentiflowError
from components.serving.settings import ServingSettings

POLL_SECONDS = 0.05
STOP_SECONDS = 15.0  # before a server that was asked to stop is killed
LAST_LINES = 5


class ServerDidNotStart(SentiflowError):
    """The serving process ended, or was not available in time."""


@dataclass(frozen=True)
class ServerAddress:
    """Where a server answers."""

    rest_url: str  # http://127.0.0.1:PORT/v1/models/NAME
    grpc_address: str  # 127.0.0.1:PORT
    pid: int


@contextmanager
def start_server_process(
    model_root: str | Path,
    model_name: str,
    timeout_seconds: float,
    settings: ServingSettings | None = None,
    ui: bool = False,
) -> Iterator[ServerAddress]:
    """Serves the newest version in `<model_root>/<model_name>/` on free ports of the loopback.

    The process ends with the `with` block, and with this process, however that ends.

    Args:
      model_root: folder that holds a folder per model.
      model_name: the model.
      timeout_seconds: how long the model may take to become available, imports included.
      settings: other than the default ones; the model's name is taken from `model_name`.
      ui: whether there is the page to try the model.

    Yields:
      The addresses, when the model is available.

    Raises:
      ServerDidNotStart: with the last lines that the process wrote to stderr.
    """
    with tempfile.TemporaryDirectory(prefix="sentiflow-serving-") as scratch:
        port_file, log = Path(scratch, "ports.json"), Path(scratch, "stderr")
        command = [sys.executable, "-m", "components.serving"]
        chosen = (settings or ServingSettings()).model_copy(update={"model_name": model_name})
        command += ["--model-root", str(model_root), "--settings", chosen.model_dump_json()]
        command += ["--ui"] if ui else []
        command += ["--rest-port", "0", "--grpc-port", "0", "--port-file", str(port_file)]
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [*command, "--exit-with-parent"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        try:
            yield _wait_until_available(process, port_file, log, model_name, timeout_seconds)
        finally:
            _stop(process)


def _wait_until_available(
    process: subprocess.Popen, port_file: Path, log: Path, model_name: str, timeout_seconds: float
) -> ServerAddress:
    deadline = time.monotonic() + timeout_seconds
    while not port_file.exists():
        if process.poll() is not None:
            raise ServerDidNotStart(
                f"the server of model '{model_name}' ended with exit code {process.returncode}: "
                + _last_lines(log)
            )
        if time.monotonic() > deadline:
            raise ServerDidNotStart(
                f"the model '{model_name}' was not available after {timeout_seconds:g} s: "
                + _last_lines(log)
            )
        time.sleep(POLL_SECONDS)
    ports = json.loads(port_file.read_text())
    return ServerAddress(
        rest_url=f"http://127.0.0.1:{ports['rest_port']}/v1/models/{model_name}",
        grpc_address=f"127.0.0.1:{ports['grpc_port']}",
        pid=process.pid,
    )


def _last_lines(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n")
    return " | ".join([line.strip() for line in lines if line.strip()][-LAST_LINES:]) or "no output"


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()
