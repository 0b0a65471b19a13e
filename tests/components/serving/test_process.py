"""The serving process as a whole: starting, switching versions under load, ending."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from components.errors import SentiflowError, UsageError
from components.serving import __main__
from components.serving.client import Prediction, RestPredictor, predict_rest
from components.serving.process import ServerAddress, ServerDidNotStart, start_server_process
from components.serving.server import ServerOptions, _listen, serve
from components.serving.settings import ServingSettings
from tests.components.serving.tiny_model import predict_request

START_SECONDS = 180  # the machine may be busy; usually it takes about 10


@pytest.fixture(scope="module")
def served_root(tmp_path_factory: pytest.TempPathFactory, push: Any) -> Path:
    root = tmp_path_factory.mktemp("served")
    push(root, 1)
    return root


@pytest.fixture(scope="module")
def server(served_root: Path) -> Iterator[ServerAddress]:
    settings = ServingSettings(poll_seconds=0.2)
    with start_server_process(served_root, "sentiment", START_SECONDS, settings) as address:
        yield address


@pytest.fixture
def keep_signals() -> Iterator[None]:
    """`serve` takes the process's signals over; here the process is pytest."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def served_versions(server: ServerAddress) -> dict[str, str]:
    answer = httpx.get(server.rest_url).json()["model_version_status"]
    return {each["version"]: each["state"] for each in answer}


def test_both_protocols_answer(server: ServerAddress) -> None:
    assert predict_rest(server.rest_url, ["great"]) == [
        Prediction("great", "positive", {"negative": 0.125, "positive": 0.875})
    ]
    with grpc.insecure_channel(server.grpc_address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        answer = stub.Predict(predict_request(["great"]), 20)
    assert list(answer.outputs["probabilities"].float_val) == [0.125, 0.875]


def test_versions_come_and_break_under_load(
    server: ServerAddress, served_root: Path, push: Any
) -> None:
    answers: list[float] = []
    done = threading.Event()

    def ask() -> None:
        with RestPredictor(server.rest_url) as predict:
            while not done.is_set():
                answers.append(predict(["good"])[0].probabilities["positive"])

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        wait_until(lambda: 0.625 in answers)
        (served_root / "sentiment" / ".9.tmp").mkdir()
        push(served_root, 2, "biased")
        wait_until(lambda: served_versions(server) == {"2": "AVAILABLE", "1": "END"})
        push(served_root, 3, "broken")
        wait_until(lambda: served_versions(server).get("3") == "END")
        wait_until(lambda: 0.75 in answers)
    finally:
        done.set()
        asking.join()
    assert served_versions(server) == {"3": "END", "2": "AVAILABLE", "1": "END"}
    # No request failed, and each was answered by one version or the other, in their order.
    assert answers == sorted(answers)
    assert set(answers) == {0.625, 0.75}
    message = httpx.get(f"{server.rest_url}/versions/3").json()["model_version_status"][0]["status"]
    assert message["error_code"] == "DATA_LOSS"
    assert str(served_root) not in message["error_message"]


def test_the_process_from_start_to_end(
    model_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a process inherits it that ServeCheck starts, after Transform.
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")
    port_file, log = tmp_path / "ports.json", tmp_path / "stderr"
    command = [sys.executable, "-X", "importtime", "-m", "components.serving"]
    command += ["--model-root", str(model_root)]
    command += ["--rest-port", "0", "--grpc-port", "0", "--port-file", str(port_file)]
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [*command, "--exit-with-parent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    assert process.stdout and process.stdin
    try:
        line = process.stdout.readline().strip()
        ports = json.loads(port_file.read_text())
        assert line == (
            "serving 'sentiment' version 1: "
            f"REST http://127.0.0.1:{ports['rest_port']}/v1/models/sentiment, "
            f"gRPC 127.0.0.1:{ports['grpc_port']}"
        )
        ready = httpx.get(f"http://127.0.0.1:{ports['rest_port']}/readyz")
        assert ready.status_code == 200
        process.stdin.close()  # what the death of the parent does
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    imported = {line.rsplit("|")[-1].strip() for line in log.read_text().splitlines()}
    assert "tensorflow.python.saved_model.load" in imported
    # Each costs seconds at every start, and nothing that serves needs it.
    assert not imported & {"keras", "tfx", "apache_beam", "sklearn", "pandas", "IPython"}


def test_no_version_to_serve(tmp_path: Path) -> None:
    (tmp_path / "sentiment" / ".1.partial").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"sentiment: expected <version>/saved_model.pb"):
        serve(ServerOptions(tmp_path))


def test_a_taken_port(model_root: Path, keep_signals: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            UsageError, match=f"cannot listen on 127.0.0.1:{port} for REST: Address"
        ):
            serve(ServerOptions(model_root, rest_port=port, grpc_port=0))
        with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{port} for gRPC"):
            serve(ServerOptions(model_root, rest_port=0, grpc_port=port))


def test_a_port_and_a_host_that_do_not_exist(model_root: Path) -> None:
    with pytest.raises(UsageError, match="cannot listen on 127.0.0.1:70000 for REST"):
        serve(ServerOptions(model_root, rest_port=70_000))
    with pytest.raises(UsageError, match="cannot listen on 192.0.2.1:0 for REST"):
        serve(ServerOptions(model_root, host="192.0.2.1", rest_port=0))


def test_no_version_that_loads(tmp_path: Path, push: Any, keep_signals: None) -> None:
    push(tmp_path, 1, "broken")
    with pytest.raises(
        SentiflowError, match="no version of 'sentiment' loads: version 1: "
    ) as error:
        serve(ServerOptions(tmp_path, rest_port=0, grpc_port=0))
    assert error.value.exit_code == 1


def test_the_command_line_says_in_one_line_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    command = ["serving", "--model-root", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", command)
    assert __main__.main() == 2
    assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setattr(sys, "argv", command[:1])
    with pytest.raises(SystemExit) as failure:
        __main__.main()
    assert failure.value.code == 2


def test_a_process_that_does_not_start(tmp_path: Path, model_root: Path) -> None:
    with pytest.raises(ServerDidNotStart, match="ended with exit code 2: .*found no version"):
        with start_server_process(tmp_path / "none", "sentiment", START_SECONDS):
            pass
    with pytest.raises(ServerDidNotStart, match="not available after 0.2 s"):
        with start_server_process(model_root, "sentiment", 0.2):
            pass


def test_answers_do_not_wait_for_nagles_algorithm() -> None:
    with _listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP  # else asyncio leaves it on
