"""gRPC calls, and what TensorFlow Serving answers to them, for the model of `conformance`.

Drawn from predict_util.cc, get_model_status_impl.cc, get_model_metadata_impl.cc and server_core.cc.
Where its text depends on its own libraries, only the code is compared.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2

from tests.components.serving.conformance import VERSION
from tests.components.serving.tiny_model import example, predict_request


@dataclass(frozen=True)
class Grpc:
    """A gRPC call; `details` None: only the code is compared."""

    method: str
    request: Any
    code: str = "OK"
    details: str | None = None
    check: Callable[[Any], bool] | None = None  # of a good answer


def predict(sentences=("good",), *, version: int | None = None, outputs=(), **spec) -> Any:
    """A PredictRequest."""
    request = predict_request(sentences, **spec)
    if version is not None:
        request.model_spec.version.value = version
    request.output_filter.extend(outputs)
    return request


def predict_tensor(name: str, *values: Any, model: str = "sentiment", **spec: str) -> Any:
    """A PredictRequest with any tensor."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    for field, value in spec.items():
        setattr(request.model_spec, field, value)
    for value in values:
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def _metadata(*fields: str, model: str = "sentiment") -> Any:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = model
    return request


def _status(model: str = "sentiment", version: int | None = None) -> Any:
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = model
    if version is not None:
        request.model_spec.version.value = version
    return request


def _is_good(answer: Any) -> bool:
    return (
        list(answer.outputs["label"].string_val) == [b"positive"]
        and list(answer.outputs["probabilities"].float_val) == [0.375, 0.625]
        and tf.make_ndarray(answer.outputs["probabilities"]).shape == (1, 2)
        and answer.model_spec.name == "sentiment"
        and answer.model_spec.version.value == VERSION
    )


def _is_available(answer: Any) -> bool:
    (status,) = answer.model_version_status
    return (status.version, status.state, status.status.error_code) == (3, status.AVAILABLE, 0)


def _has_both_signatures(answer: Any) -> bool:
    signatures = get_model_metadata_pb2.SignatureDefMap()
    answer.metadata["signature_def"].Unpack(signatures)
    return (
        answer.model_spec.version.value == VERSION
        and list(signatures.signature_def["serving_default"].inputs) == ["text"]
        and list(signatures.signature_def["examples"].inputs) == ["examples"]
    )


GRPC = [
    Grpc("Predict", predict(), check=_is_good),
    Grpc("Predict", predict(version=3), check=_is_good),
    Grpc("Predict", predict(version_label="stable"), check=_is_good),
    Grpc("Predict", predict(signature_name="serving_default"), check=_is_good),
    Grpc("Predict", predict(outputs=["label", "probabilities"]), check=_is_good),
    Grpc("Predict", predict(outputs=["label"]), check=lambda a: list(a.outputs) == ["label"]),
    Grpc(
        "Predict",
        predict_tensor("examples", [example("good")], signature_name="examples"),
        check=_is_good,
    ),
    Grpc(
        "Predict",
        predict(["good", "awful"]),
        check=lambda a: len(a.outputs["label"].string_val) == 2,
    ),
    Grpc("Predict", predict_pb2.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
    Grpc("Predict", predict(model=""), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
    Grpc(
        "Predict",
        predict(model="other"),
        "NOT_FOUND",
        "Servable not found for request: Latest(other)",
    ),
    Grpc(
        "Predict",
        predict(version=4),
        "NOT_FOUND",
        "Servable not found for request: Specific(sentiment, 4)",
    ),
    Grpc(
        "Predict",
        predict(version_label="nightly"),
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: nightly",
    ),
    Grpc(
        "Predict",
        predict(signature_name="none"),
        "FAILED_PRECONDITION",
        'Serving signature key "none" not found.',
    ),
    Grpc(
        "Predict",
        predict_tensor("text"),
        "INVALID_ARGUMENT",
        "input size does not match signature: 0!=1 len({}) != len({text}). Sent extra: {}. "
        "Missing but required: {text}.",
    ),
    Grpc(
        "Predict",
        predict(signature_name="examples"),
        "INVALID_ARGUMENT",
        "input tensor alias not found in signature: text. Inputs expected to be in the set "
        "{examples}.",
    ),
    Grpc(
        "Predict",
        predict(outputs=["score"]),
        "INVALID_ARGUMENT",
        "output tensor alias not found in signature: score Outputs expected to be in the set "
        "{label,probabilities}.",
    ),
    Grpc(
        "Predict",
        predict(outputs=["label", "label"]),
        "INVALID_ARGUMENT",
        "duplicate output tensor alias: label",
    ),
    Grpc("Predict", predict_tensor("text", 1), "INVALID_ARGUMENT"),
    Grpc(
        "Predict",
        predict_tensor("examples", [b"no proto"], signature_name="examples"),
        "INVALID_ARGUMENT",
    ),
    Grpc("GetModelMetadata", _metadata("signature_def"), check=_has_both_signatures),
    Grpc(
        "GetModelMetadata",
        _metadata(),
        "INVALID_ARGUMENT",
        "GetModelMetadataRequest must specify at least one metadata_field",
    ),
    Grpc(
        "GetModelMetadata",
        _metadata("weights"),
        "INVALID_ARGUMENT",
        "Metadata field weights is not supported",
    ),
    Grpc("GetModelMetadata", _metadata("signature_def", model="other"), "NOT_FOUND"),
    Grpc("GetModelStatus", _status(), check=_is_available),
    Grpc("GetModelStatus", _status(version=3), check=_is_available),
    Grpc(
        "GetModelStatus",
        _status(version=9),
        "NOT_FOUND",
        "Could not find version 9 of model sentiment",
    ),
    Grpc(
        "GetModelStatus",
        _status("other"),
        "NOT_FOUND",
        "Could not find any versions of model other",
    ),
    Grpc(
        "GetModelStatus",
        get_model_status_pb2.GetModelStatusRequest(),
        "INVALID_ARGUMENT",
        "Missing ModelSpec",
    ),
]
