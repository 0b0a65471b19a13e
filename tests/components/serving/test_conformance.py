"""The conformance tables, against this project's server, or against a real TensorFlow Serving.

For the latter, write the model root, start TensorFlow Serving on it, and name its host:

    python -m tests.components.serving.conformance /tmp/conformance
    tensorflow_model_server --port=8500 --rest_api_port=8501 \\
        --model_config_file=/tmp/conformance/models.config \\
        --allow_version_labels_for_unavailable_models=true
    SENTIFLOW_TF_SERVING=localhost pytest tests/components/serving/test_conformance.py
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from components.serving.process import start_server_process
from tests.components.serving.conformance import write_model_root
from tests.components.serving.conformance_grpc import GRPC, Grpc
from tests.components.serving.conformance_rest import REST, Rest

START_SECONDS = 180
TIMEOUT = 20
REAL_HOST = os.environ.get("SENTIFLOW_TF_SERVING")


@dataclass(frozen=True)
class Server:
    http: httpx.Client
    stubs: tuple[Any, ...]


def _connect(rest_url: str, grpc_address: str) -> Iterator[Server]:
    with (
        httpx.Client(base_url=rest_url, timeout=TIMEOUT, trust_env=False) as http,
        grpc.insecure_channel(grpc_address) as channel,
    ):
        prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        yield Server(http, (prediction, model_service_pb2_grpc.ModelServiceStub(channel)))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root: Path = tmp_path_factory.mktemp("conformance")
    write_model_root(root)
    with start_server_process(root, "sentiment", START_SECONDS) as address:
        yield from _connect(address.rest_url.partition("/v1/")[0], address.grpc_address)


@pytest.fixture(scope="module")
def real() -> Iterator[Server]:
    if not REAL_HOST:
        pytest.skip("SENTIFLOW_TF_SERVING names no host with a real TensorFlow Serving")
    yield from _connect(f"http://{REAL_HOST}:8501", f"{REAL_HOST}:8500")


@pytest.fixture(params=["ours", "real"], scope="module")
def server(request: pytest.FixtureRequest) -> Server:
    return request.getfixturevalue(request.param)


def name(case: Rest | Grpc) -> str:
    if isinstance(case, Grpc):
        return f"{case.method}-{case.code}"
    return f"{case.method}-{case.path}-{case.status}"


@pytest.mark.parametrize("case", REST, ids=name)
def test_rest(server: Server, case: Rest) -> None:
    body: dict[str, Any] = {}
    if case.body is not None:
        body = {"content": case.body} if isinstance(case.body, str) else {"json": case.body}
    response = server.http.request(case.method, case.path, **body)
    assert response.status_code == case.status, response.text
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    if case.status != 200:
        assert list(document) == ["error"]
        if case.answer is not None:
            assert " ".join(document["error"].split()) == case.answer
    elif case.answer is not None:
        assert document == case.answer


@pytest.mark.parametrize("case", GRPC, ids=name)
def test_grpc(server: Server, case: Grpc) -> None:
    (call,) = [getattr(stub, case.method) for stub in server.stubs if hasattr(stub, case.method)]
    if case.code == "OK":
        assert case.check is not None and case.check(call(case.request, TIMEOUT))
        return
    with pytest.raises(grpc.RpcError) as failure:
        call(case.request, TIMEOUT)
    assert failure.value.code().name == case.code
    if case.details is not None:
        assert failure.value.details() == case.details


def test_metadata_over_rest(server: Server) -> None:
    answer = server.http.get("/v1/models/sentiment/metadata").json()
    assert answer["model_spec"] == {"name": "sentiment", "signature_name": "", "version": "3"}
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    assert {"serving_default", "examples"} <= set(signatures)
    serving = signatures["serving_default"]
    assert serving["method_name"] == "tensorflow/serving/predict"
    assert serving["inputs"]["text"]["dtype"] == "DT_STRING"
    assert serving["outputs"]["probabilities"]["tensor_shape"] == {
        "dim": [{"size": "-1", "name": ""}, {"size": "2", "name": ""}],
        "unknown_rank": False,
    }
