"""The gRPC services, asked through the official stubs."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from components.serving.grpc_service import add_services
from components.serving.model import ServedModel
from components.serving.versions import ModelVersions
from tests.components.serving.tiny_model import example, predict_request

TIMEOUT = 20  # seconds


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory, push: Any) -> Iterator[grpc.Channel]:
    """A server of version 3 of the model, its event loop in a thread."""
    root: Path = tmp_path_factory.mktemp("grpc")
    push(root, 3)
    versions = ModelVersions(root / "sentiment", "sentiment", ServedModel)
    versions.refresh()
    loop, workers = asyncio.new_event_loop(), ThreadPoolExecutor(2)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> tuple[grpc.aio.Server, int]:
        server = grpc.aio.server()
        add_services(server, versions, workers)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return server, port

    server, port = asyncio.run_coroutine_threadsafe(start(), loop).result(TIMEOUT)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    asyncio.run_coroutine_threadsafe(server.stop(None), loop).result(TIMEOUT)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    workers.shutdown()


@pytest.fixture(scope="module")
def prediction(channel: grpc.Channel) -> Any:
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def test_predict(prediction: Any) -> None:
    answer = prediction.Predict(predict_request(["good", "awful"]), TIMEOUT)
    assert list(answer.outputs["label"].string_val) == [b"positive", b"negative"]
    assert list(answer.outputs["probabilities"].float_val) == [0.375, 0.625, 0.875, 0.125]
    assert tf.make_ndarray(answer.outputs["probabilities"]).shape == (2, 2)
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("sentiment", 3)
    assert answer.model_spec.signature_name == "serving_default"


def test_predict_with_version_signature_and_filter(prediction: Any) -> None:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "sentiment"
    request.model_spec.version.value = 3
    request.model_spec.signature_name = "examples"
    request.inputs["examples"].CopyFrom(tf.make_tensor_proto([example("great")]))
    request.output_filter.append("label")
    answer = prediction.Predict(request, TIMEOUT)
    assert list(answer.outputs) == ["label"]
    assert list(answer.outputs["label"].string_val) == [b"positive"]


def unknown_version() -> predict_pb2.PredictRequest:
    request = predict_request(["good"])
    request.model_spec.version.value = 4
    return request


def filtered(*names: str) -> predict_pb2.PredictRequest:
    request = predict_request(["good"])
    request.output_filter.extend(names)
    return request


def one_sentence_without_a_batch() -> predict_pb2.PredictRequest:
    request = predict_request([])
    request.inputs["text"].CopyFrom(tf.make_tensor_proto("good"))
    return request


@pytest.mark.parametrize(
    ("request_", "code", "details"),
    [
        (predict_pb2.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
        (predict_request(["a"], ""), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        (
            predict_request(["a"], "other"),
            "NOT_FOUND",
            "Servable not found for request: Latest(other)",
        ),
        (
            unknown_version(),
            "NOT_FOUND",
            "Servable not found for request: Specific(sentiment, 4)",
        ),
        (
            predict_request(["a"], version_label="stable"),
            "INVALID_ARGUMENT",
            "Unrecognized servable version label: stable",
        ),
        (
            predict_request(["a"], signature_name="none"),
            "FAILED_PRECONDITION",
            'Serving signature key "none" not found.',
        ),
        (
            predict_request(["a"], signature_name="examples"),
            "INVALID_ARGUMENT",
            "input size does not match signature: 1!=1 len({text}) != len({examples}). "
            "Sent extra: {text}. Missing but required: {examples}.",
        ),
        (
            one_sentence_without_a_batch(),
            "INVALID_ARGUMENT",
            "input 'text' must be string of shape (None,), got string of shape []",
        ),
        (
            filtered("score"),
            "INVALID_ARGUMENT",
            "output_filter must name different ones of {label,probabilities}, got {score}",
        ),
        (
            filtered("label", "label"),
            "INVALID_ARGUMENT",
            "output_filter must name different ones of {label,probabilities}, got {label,label}",
        ),
    ],
)
def test_refused_requests(
    prediction: Any, request_: predict_pb2.PredictRequest, code: str, details: str
) -> None:
    with pytest.raises(grpc.RpcError) as failure:
        prediction.Predict(request_, TIMEOUT)
    assert (failure.value.code().name, failure.value.details()) == (code, details)


def test_metadata(prediction: Any) -> None:
    request = get_model_metadata_pb2.GetModelMetadataRequest()
    request.model_spec.name = "sentiment"
    request.metadata_field.append("signature_def")
    answer = prediction.GetModelMetadata(request, TIMEOUT)
    assert answer.model_spec.version.value == 3
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    assert list(signatures.signature_def["serving_default"].inputs) == ["text"]
    request.metadata_field[:] = ["weights"]
    with pytest.raises(grpc.RpcError) as failure:
        prediction.GetModelMetadata(request, TIMEOUT)
    assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_status(channel: grpc.Channel) -> None:
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "sentiment"
    (status,) = stub.GetModelStatus(request, TIMEOUT).model_version_status
    assert (status.version, status.state, status.status.error_code) == (3, status.AVAILABLE, 0)
    request.model_spec.version.value = 9
    with pytest.raises(grpc.RpcError) as failure:
        stub.GetModelStatus(request, TIMEOUT)
    assert failure.value.code() is grpc.StatusCode.NOT_FOUND
    assert failure.value.details() == "Could not find version 9 of model sentiment"


def test_what_is_not_offered_says_so(prediction: Any) -> None:
    with pytest.raises(grpc.RpcError) as failure:
        prediction.Classify(classification_pb2.ClassificationRequest(), TIMEOUT)
    assert failure.value.code() is grpc.StatusCode.UNIMPLEMENTED
