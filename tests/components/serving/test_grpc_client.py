"""The gRPC client, against a server that answers as it is told."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from components.errors import UsageError
from components.serving.client import ClientOptions, Prediction, ServerFailed
from components.serving.grpc_client import GrpcPredictor

QUICK = ClientOptions(attempts=3, first_pause_seconds=0.01, timeout_seconds=10, batch_size=2)
LABELS = ["negative", "positive"]


class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    """The longer the sentence, the more positive; fails first with `failures`, one a request."""

    def __init__(self) -> None:
        self.failures: list[grpc.StatusCode] = []
        self.asked: list[list[bytes]] = []
        self.label = "positive"

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        texts = list(request.inputs["text"].string_val)
        self.asked.append(texts)
        if self.failures:
            context.abort(self.failures.pop(0), "as told")
        response = predict_pb2.PredictResponse()
        for text in texts:
            response.outputs["label"].string_val.append(self.label.encode())
            response.outputs["probabilities"].float_val.extend([1 - len(text) / 8, len(text) / 8])
        return response


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def predict(service: Service) -> Iterator[Callable]:
    server = grpc.server(ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with GrpcPredictor(f"grpc://127.0.0.1:{port}", LABELS, options=QUICK) as predictor:
        yield predictor
    server.stop(None)


def test_sentences_go_in_batches(service: Service, predict: Callable) -> None:
    assert predict(["abcdef", "abcde", "abcdefgh"]) == [
        Prediction("abcdef", "positive", {"negative": 0.25, "positive": 0.75}),
        Prediction("abcde", "positive", {"negative": 0.375, "positive": 0.625}),
        Prediction("abcdefgh", "positive", {"negative": 0.0, "positive": 1.0}),
    ]
    assert [len(texts) for texts in service.asked] == [2, 1]
    assert predict([]) == []


def test_a_busy_server_is_asked_again(service: Service, predict: Callable) -> None:
    service.failures = [grpc.StatusCode.UNAVAILABLE] * 2
    assert predict(["abcdef"])[0].label == "positive"
    assert len(service.asked) == 3
    service.failures = [grpc.StatusCode.UNAVAILABLE] * 3
    with pytest.raises(ServerFailed, match="UNAVAILABLE: as told"):
        predict(["abcdef"])
    assert len(service.asked) == 6


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("INVALID_ARGUMENT", UsageError),
        ("NOT_FOUND", UsageError),
        ("UNAUTHENTICATED", UsageError),
        ("RESOURCE_EXHAUSTED", ServerFailed),
        ("INTERNAL", ServerFailed),
    ],
)
def test_no_other_failure_is_asked_again(
    service: Service, predict: Callable, code: str, error: type[Exception]
) -> None:
    service.failures = [grpc.StatusCode[code]]
    with pytest.raises(error, match=f"{code}: as told"):
        predict(["abcdef"])
    assert len(service.asked) == 1


def test_labels_that_are_not_the_models(service: Service, predict: Callable) -> None:
    service.label = "good"
    with pytest.raises(UsageError, match="the model's classes are not negative, positive"):
        predict(["abcdef"])


def test_a_server_that_cannot_tell_the_classes(predict: Callable) -> None:
    predict._labels = None  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="does not say which classes .* data.labels"):
        predict(["abcdef"])


def test_nobody_answers() -> None:
    options = ClientOptions(attempts=1, timeout_seconds=5)
    with GrpcPredictor("grpc://127.0.0.1:9", LABELS, options=options) as predictor:
        with pytest.raises(ServerFailed, match="grpc://127.0.0.1:9: UNAVAILABLE: "):
            predictor(["a"])


@pytest.mark.parametrize("url", ["grpc://", "grpc:host", "grpcx://host:1", "grpc://h:1/a/b"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(UsageError, match="expected a URL like grpc://localhost:8500"):
        GrpcPredictor(url)


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("no certificate")
    with pytest.raises(UsageError, match="ca.pem: expected a PEM certificate"):
        GrpcPredictor("grpcs://host:1", options=ClientOptions(ca_certificate=path))
