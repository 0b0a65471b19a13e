"""Versions come, break and go under load: no request fails, none is answered wrongly, and the
memory comes back. A few seconds here; `make test-swaps` does the same for half a minute.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tensorflow_serving.apis import predict_pb2

from components.serving.process import ServerAddress, start_server_process
from components.serving.promotion import promote, roll_back
from components.serving.settings import ServingSettings
from tests.components.serving.tiny_model import save

SECONDS = float(os.environ.get("SENTIFLOW_SWAP_SECONDS", "10"))
START_SECONDS = 180
VERSIONS, BROKEN, ROLLED_BACK = 10, 6, (8, 10)
BALLAST = 20 * 2**20  # bytes: a version that stayed in memory would show
ALLOWED_GROWTH = 10.0  # MiB
CLIENTS = 4  # by each protocol


def bias_of(version: int) -> float:
    return version / 16  # so that every probability is exact in binary


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of good models, a version each."""
    root = tmp_path_factory.mktemp("models")
    for version in range(1, VERSIONS + 1):
        save(root / str(version) / "model", bias_of(version), BALLAST)
    return root


def push(root: Path, models: Path, version: int) -> None:
    partial = root / "sentiment" / f".{version}.partial"
    shutil.copytree(models / str(version) / "model", partial)
    if version == BROKEN:
        (partial / "variables" / "variables.index").unlink()
    partial.rename(root / "sentiment" / str(version))


def ask_for(seconds: float, target: str, sentences: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "benchmarks.load", target, "--sentences", str(sentences)]
    command += ["--clients", str(CLIENTS), "--seconds", str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def state_of(server: ServerAddress, version: int) -> str:
    answer = httpx.get(f"{server.rest_url}/versions/{version}")
    return answer.json()["model_version_status"][0]["state"] if answer.is_success else "UNKNOWN"


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def stable(server: ServerAddress) -> float:
    """What the version behind the label `stable` answers."""
    answer = httpx.post(f"{server.rest_url}/labels/stable:predict", json={"instances": ["good"]})
    return answer.json()["predictions"][0]["probabilities"][1]


def positive(version: int) -> float:
    return (5 + bias_of(version)) / 8


def push_and_promote(server: ServerAddress, root: Path, models: Path) -> list[float]:
    """Ten versions, one of them broken, two rolled back; returns the memory after each."""
    memory = []
    for version in range(2, VERSIONS + 1):
        started = time.monotonic()
        push(root, models, version)
        promote(root, "sentiment", version)
        if version == BROKEN:
            wait_until(lambda: state_of(server, BROKEN) == "END")
            assert stable(server) == positive(BROKEN - 1)
            assert roll_back(root, "sentiment") == BROKEN - 1
        else:
            wait_until(lambda v=version: stable(server) == positive(v))  # type: ignore[misc]
        if version in ROLLED_BACK:
            before = roll_back(root, "sentiment")
            assert before
            wait_until(lambda v=before: stable(server) == positive(v))  # type: ignore[misc]
        memory.append(resident_mib(server.pid))
        time.sleep(max(0.0, SECONDS / VERSIONS - (time.monotonic() - started)))
    return memory


def rest_answers(result: dict[str, Any]) -> set[float]:
    bodies = [json.loads(bytes.fromhex(body)) for body in result["bodies"]]
    return {body["predictions"][0]["probabilities"][1] for body in bodies}


def grpc_answers(result: dict[str, Any]) -> set[tuple[int, float]]:
    bodies = [predict_pb2.PredictResponse.FromString(bytes.fromhex(b)) for b in result["bodies"]]
    return {
        (body.model_spec.version.value, body.outputs["probabilities"].float_val[1])
        for body in bodies
    }


def test_versions_come_and_go_under_load(tmp_path: Path, models: Path) -> None:
    root = tmp_path / "root"
    (root / "sentiment").mkdir(parents=True)
    push(root, models, 1)
    promote(root, "sentiment")
    sentences = tmp_path / "sentences"
    sentences.write_text("good\n")
    settings = ServingSettings(poll_seconds=0.1)
    with start_server_process(root, "sentiment", START_SECONDS, settings) as server:
        loads = [
            ask_for(SECONDS + 2, target, sentences)
            for target in (server.rest_url, f"grpc://{server.grpc_address}")
        ]
        for load in loads:
            assert load.stdout and load.stdout.readline() == "asking\n"
        memory = push_and_promote(server, root, models)
        rest, grpc = (json.loads(load.communicate()[0]) for load in loads)
        wait_until(lambda: state_of(server, VERSIONS) == "END")
        time.sleep(0.5)
        memory.append(resident_mib(server.pid))

    assert rest["failures"] == {} and grpc["failures"] == {}
    assert rest["answers"] > 100 and grpc["answers"] > 100
    good = {version for version in range(1, VERSIONS + 1) if version != BROKEN}
    assert rest_answers(rest) <= {positive(version) for version in good}
    assert grpc_answers(grpc) <= {(version, positive(version)) for version in good}
    assert len(grpc_answers(grpc)) >= 4  # the load did see the versions change
    # From the second promotion on, as many versions are loaded as at the end, or one more.
    print(f"{rest['answers']} answers over REST, {grpc['answers']} over gRPC;", end=" ")
    print("MiB after each version:", *(round(each) for each in memory))
    assert memory[-1] - memory[1] < ALLOWED_GROWTH, memory
