"""What the gRPC server has besides the conformance table: reload, health, reflection, deadlines."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import text_format
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)

from components.serving.endpoint import Endpoint
from components.serving.grpc_service import BearerToken, add_services
from components.serving.settings import ServingSettings
from tests.components.serving.endpoints import open_endpoint
from tests.components.serving.tiny_model import predict_request

TIMEOUT = 20  # seconds


class Loop:
    """An event loop in a thread, and gRPC servers in it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._servers: list[grpc.aio.Server] = []

    def serve(self, endpoint: Endpoint, **options: Any) -> grpc.Channel:
        async def start() -> int:
            server = grpc.aio.server(**options)
            add_services(server, endpoint)
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            self._servers.append(server)
            return port

        port = self.run(start())
        return grpc.insecure_channel(f"127.0.0.1:{port}")

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(TIMEOUT)

    def close(self) -> None:
        for server in self._servers:
            self.run(server.stop(None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory, push: Any) -> Endpoint:
    root: Path = tmp_path_factory.mktemp("grpc")
    push(root, 3)
    push(root, 4, "biased")
    return open_endpoint(
        root, ServingSettings(max_sentences=4, max_sentence_bytes=50, max_queued_sentences=4)
    )


@pytest.fixture(scope="module")
def channel(loop: Loop, endpoint: Endpoint) -> Iterator[grpc.Channel]:
    with loop.serve(endpoint) as channel:
        yield channel


@pytest.fixture(scope="module")
def prediction(channel: grpc.Channel) -> Any:
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def error_of(call: Any, *arguments: Any, **options: Any) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as failure:
        call(*arguments, TIMEOUT, **options)
    return failure.value.code().name, failure.value.details()


def test_limits(prediction: Any) -> None:
    assert error_of(prediction.Predict, predict_request(["a"] * 5)) == (
        "INVALID_ARGUMENT",
        "Expected at most 4 sentences in a request, got 5",
    )
    assert error_of(prediction.Predict, predict_request(["a" * 51])) == (
        "INVALID_ARGUMENT",
        "Expected sentences of at most 50 bytes, got 51 bytes as sentence 0",
    )


def test_a_full_queue(prediction: Any, endpoint: Endpoint) -> None:
    batcher = endpoint.versions.get("sentiment").batcher
    batcher.queued += 4
    try:
        code, details = error_of(prediction.Predict, predict_request(["a"]))
    finally:
        batcher.queued -= 4
    assert (code, details.rpartition(" ")[2]) == ("UNAVAILABLE", "full")


def test_a_deadline_that_has_passed_in_the_queue(
    prediction: Any, endpoint: Endpoint, loop: Loop
) -> None:
    batcher = endpoint.versions.get("sentiment").batcher
    free, batcher._free = batcher._free, 0  # as if all threads were busy
    try:
        with pytest.raises(grpc.RpcError) as failure:
            prediction.Predict(predict_request(["good"]), 0.2)
        assert failure.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    finally:
        batcher._free = free
    # The queue has forgotten it.
    answer = prediction.Predict(predict_request(["good"] * 4), TIMEOUT)
    assert len(answer.outputs["label"].string_val) == 4
    assert batcher.queued == 0


def reload_request(text: str) -> model_management_pb2.ReloadConfigRequest:
    return text_format.Parse(text, model_management_pb2.ReloadConfigRequest())


def config_of(name: str, versions: str, label: str) -> str:
    return f"""config {{ model_config_list {{ config {{
        name: "{name}" base_path: "/models/sentiment" model_platform: "tensorflow"
        model_version_policy {{ specific {{ {versions} }} }} {label} }} }} }}"""


def test_reload_config(channel: grpc.Channel, prediction: Any) -> None:
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    labelled = 'version_labels { key: "stable" value: %d }'
    both = reload_request(config_of("sentiment", "versions: 3 versions: 4", labelled % 3))
    assert stub.HandleReloadConfigRequest(both, TIMEOUT).status.error_code == 0
    answer = prediction.Predict(predict_request(["good"], version_label="stable"), TIMEOUT)
    assert answer.model_spec.version.value == 3
    assert prediction.Predict(predict_request(["good"]), TIMEOUT).model_spec.version.value == 4
    absent = reload_request(config_of("sentiment", "versions: 3 versions: 4", labelled % 9))
    assert error_of(stub.HandleReloadConfigRequest, absent) == (
        "FAILED_PRECONDITION",
        "Request to assign label to version 9 of model sentiment, which is not currently available "
        "for inference",
    )
    other = reload_request(config_of("other", "versions: 3", ""))
    assert error_of(stub.HandleReloadConfigRequest, other) == (
        "INVALID_ARGUMENT",
        "Expected the configuration of the one model 'sentiment'",
    )
    empty = model_management_pb2.ReloadConfigRequest()
    assert error_of(stub.HandleReloadConfigRequest, empty)[0] == "INVALID_ARGUMENT"
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "sentiment"
    states = stub.GetModelStatus(request, TIMEOUT).model_version_status
    assert [(each.version, each.state) for each in states] == [(4, 30), (3, 30)]  # AVAILABLE


def test_health(channel: grpc.Channel, loop: Loop, tmp_path: Path) -> None:
    check = health_pb2_grpc.HealthStub(channel).Check
    for service in ("", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"):
        answer = check(health_pb2.HealthCheckRequest(service=service), TIMEOUT)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    unknown = health_pb2.HealthCheckRequest(service="other")
    assert error_of(check, unknown)[0] == "NOT_FOUND"
    with loop.serve(open_endpoint(tmp_path)) as empty:
        answer = health_pb2_grpc.HealthStub(empty).Check(health_pb2.HealthCheckRequest(), TIMEOUT)
    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING


def test_reflection(channel: grpc.Channel) -> None:
    described = ProtoReflectionDescriptorDatabase(channel)
    assert {
        "tensorflow.serving.PredictionService",
        "tensorflow.serving.ModelService",
        "grpc.health.v1.Health",
    } <= set(described.get_services())
    file = described.FindFileContainingSymbol("tensorflow.serving.PredictionService")
    methods = {method.name: method.input_type for method in file.service[0].method}
    assert methods["Predict"] == ".tensorflow.serving.PredictRequest"
    message = described.FindFileContainingSymbol("tensorflow.serving.PredictRequest")
    assert message.name == "tensorflow_serving/apis/predict.proto"


def test_a_token_is_asked_for(loop: Loop, endpoint: Endpoint) -> None:
    with loop.serve(endpoint, interceptors=[BearerToken("secret")]) as channel:
        predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
        for metadata in ([], [("authorization", "Bearer wrong")]):
            assert error_of(predict, predict_request(["good"]), metadata=metadata) == (
                "UNAUTHENTICATED",
                "Missing or wrong token",
            )
        right = [("authorization", "Bearer secret")]
        answer = predict(predict_request(["good"]), TIMEOUT, metadata=right)
        assert list(answer.outputs["label"].string_val) == [b"positive"]
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), TIMEOUT)


def test_what_is_not_offered_says_so(prediction: Any) -> None:
    request = classification_pb2.ClassificationRequest()
    assert error_of(prediction.Classify, request)[0] == "UNIMPLEMENTED"
