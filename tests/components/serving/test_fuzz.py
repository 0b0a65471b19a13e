"""Requests that nobody would send: no crash, no 5xx but 503, no second's thought over a bad one.

Some of them here; `make fuzz-serving` sends many more.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from components.serving.process import ServerAddress, start_server_process
from components.serving.settings import ServingSettings
from tests.components.serving.conformance import write_model_root
from tests.components.serving.tiny_model import predict_request

EXAMPLES = int(os.environ.get("SENTIFLOW_FUZZ_EXAMPLES", "30"))
START_SECONDS = 180
LONGEST_SECONDS = 1.0
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerAddress]:
    root: Path = tmp_path_factory.mktemp("fuzz")
    write_model_root(root)
    limits = ServingSettings(max_body_bytes=100_000, max_sentences=64, max_sentence_bytes=200)
    with start_server_process(root, "sentiment", START_SECONDS, limits) as address:
        yield address
        answer = httpx.post(f"{address.rest_url}:predict", json={"instances": ["good"]})
        assert answer.status_code == 200  # it is still there, and well


def test_rest_by_its_description(server: ServerAddress) -> None:
    base_url = server.rest_url.partition("/v1/")[0]
    description = schemathesis.openapi.from_url(f"{base_url}/openapi.json")
    description.config.update(base_url=base_url)
    operations = [found.ok() for found in description.get_all_operations()]
    statuses = {operation.label: check_operation(operation) for operation in operations}
    assert {200, 400} <= statuses["POST /v1/models/{model}:predict"]
    assert 404 in statuses["GET /v1/models/{model}/versions/{version}"]
    assert 200 in statuses["GET /v1/models/{model}"]
    assert statuses["GET /readyz"] == {200}


def check_operation(operation: Any) -> set[int]:
    """Sends requests, good and bad ones, and compares the answers with the description."""
    statuses = set()

    @given(operation.as_strategy() | operation.as_strategy(GenerationMode.NEGATIVE))
    @FUZZ
    def check(case: schemathesis.Case) -> None:
        response = case.call()
        statuses.add(response.status_code)
        checks = [content_type_conformance, response_schema_conformance, status_code_conformance]
        case.validate_response(response, checks=checks)
        assert response.status_code < 500 or response.status_code == 503, response.text
        assert response.status_code < 400 or response.elapsed < LONGEST_SECONDS

    check()
    return statuses


@given(
    body=st.binary(max_size=200),
    path=st.text(st.characters(codec="ascii", categories=("L", "N", "P")), max_size=30),
    headers=st.dictionaries(
        st.sampled_from(["content-encoding", "content-type", "accept-encoding", "authorization"]),
        st.sampled_from(["gzip", "identity", "br", "application/json", "\x01", "x" * 5000]),
    ),
)
@FUZZ
def test_rest_with_anything(
    server: ServerAddress, body: bytes, path: str, headers: dict[str, str]
) -> None:
    for url in (f"{server.rest_url}:predict", f"{server.rest_url}/{path}"):
        started = time.monotonic()
        try:
            response = httpx.post(url, content=body, headers=headers)
        except (httpx.LocalProtocolError, httpx.InvalidURL):
            continue  # the client does not send such a thing
        assert response.status_code < 500, response.text
        assert time.monotonic() - started < LONGEST_SECONDS


CODES = {
    "OK",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "FAILED_PRECONDITION",
    "UNIMPLEMENTED",
    "RESOURCE_EXHAUSTED",
    "UNAVAILABLE",
}
METHODS = {
    "/tensorflow.serving.PredictionService/Predict": predict_pb2.PredictRequest,
    "/tensorflow.serving.PredictionService/GetModelMetadata": (
        get_model_metadata_pb2.GetModelMetadataRequest
    ),
    "/tensorflow.serving.PredictionService/Classify": predict_pb2.PredictRequest,
    "/tensorflow.serving.ModelService/GetModelStatus": get_model_status_pb2.GetModelStatusRequest,
    "/tensorflow.serving.ModelService/HandleReloadConfigRequest": (
        model_management_pb2.ReloadConfigRequest
    ),
    "/grpc.health.v1.Health/Check": get_model_status_pb2.GetModelStatusRequest,
}


@pytest.fixture(scope="module")
def channel(server: ServerAddress) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.grpc_address) as channel:
        yield channel


def call(channel: grpc.Channel, method: str, message: bytes) -> None:
    """Calls a method with the bytes of a message, whatever they are."""
    started = time.monotonic()
    try:
        channel.unary_unary(method)(message, 20)
    except grpc.RpcError as error:
        assert error.code().name in CODES, error
        assert time.monotonic() - started < LONGEST_SECONDS


@given(st.sampled_from(sorted(METHODS)), st.binary(max_size=100))
@FUZZ
def test_grpc_with_random_bytes(channel: grpc.Channel, method: str, message: bytes) -> None:
    call(channel, method, message)


@given(st.sampled_from(sorted(METHODS)), st.data())
@FUZZ
def test_grpc_with_damaged_messages(
    channel: grpc.Channel, method: str, data: st.DataObject
) -> None:
    message = bytearray(predict_request(["good", "awful"]).SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        where = data.draw(st.integers(0, len(message) - 1))
        message[where] = data.draw(st.integers(0, 255))
    call(channel, method, bytes(message))


NAMES = st.sampled_from(["sentiment", "", "other", "text", "examples", "serving_default", "label"])
SIZES = st.integers(-3, 5) | st.sampled_from([2**31, 2**62, -(2**62), 10**6])


@given(
    name=NAMES,
    signature=NAMES,
    label=NAMES | st.none(),
    version=st.integers(-(2**63), 2**63 - 1) | st.none(),
    outputs=st.lists(NAMES, max_size=3),
    inputs=st.dictionaries(
        NAMES,
        st.tuples(
            st.integers(0, 30),
            st.lists(SIZES, max_size=4),
            st.lists(st.binary(max_size=300), max_size=70),
            st.binary(max_size=20),
        ),
        max_size=3,
    ),
)
@FUZZ
def test_grpc_with_odd_messages(
    channel: grpc.Channel,
    name: str,
    signature: str,
    label: str | None,
    version: int | None,
    outputs: list[str],
    inputs: dict[str, tuple],
) -> None:
    request = predict_pb2.PredictRequest(output_filter=outputs)
    request.model_spec.name = name
    request.model_spec.signature_name = signature
    if label is not None:
        request.model_spec.version_label = label
    if version is not None:
        request.model_spec.version.value = version
    for key, (dtype, sizes, strings, content) in inputs.items():
        tensor = request.inputs[key]
        tensor.dtype = dtype
        tensor.string_val.extend(strings)
        tensor.tensor_content = content
        for size in sizes:
            tensor.tensor_shape.dim.add().size = size
    call(channel, "/tensorflow.serving.PredictionService/Predict", request.SerializeToString())


def test_many_bad_requests_at_a_time(channel: grpc.Channel) -> None:
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    bad = [stub.Predict.future(predict_request(["x" * 201]), 20) for _ in range(200)]
    assert {each.exception().code().name for each in bad} == {"INVALID_ARGUMENT"}
