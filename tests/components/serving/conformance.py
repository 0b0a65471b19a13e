"""Requests, and what TensorFlow Serving answers to them, for the tiny model in version 3.

Drawn from TensorFlow Serving's "RESTful API", from json_tensor.cc, http_rest_api_util.cc,
predict_util.cc, get_model_status_impl.cc, get_model_metadata_impl.cc and server_core.cc. Where its
text depends on its own libraries (JSON parse errors, tensors of a wrong shape), only the status is
compared. Version 3 of the model `sentiment` is loaded, under the labels `stable` and `canary`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2

from tests.components.serving.tiny_model import example, predict_request, save

VERSION = 3
MODEL = "/v1/models/sentiment"
PREDICT = f"{MODEL}:predict"
GOOD = {"label": "positive", "probabilities": [0.375, 0.625]}
AWFUL = {"label": "negative", "probabilities": [0.875, 0.125]}
GOOD_EXAMPLE = "ChIKEAoEdGV4dBIICgYKBGdvb2Q="  # a tf.Example with the text "good"

MODELS_CONFIG = """model_config_list {{
  config {{
    name: "sentiment"
    base_path: "{base_path}"
    model_platform: "tensorflow"
    model_version_policy {{ specific {{ versions: 3 }} }}
    version_labels {{ key: "stable" value: 3 }}
    version_labels {{ key: "canary" value: 3 }}
  }}
}}
"""


@dataclass(frozen=True)
class Rest:
    """A REST request; `answer` None: only the status is compared."""

    method: str
    path: str
    body: Any  # str: as it is; None: no body; else JSON
    status: int
    answer: Any = None  # the whole document; str: the error


def _predicted(body: dict, *rows: dict) -> list[Rest]:
    """A good request, by every way to name the version."""
    paths = [MODEL, f"{MODEL}/versions/3", f"{MODEL}/labels/stable", f"{MODEL}/labels/canary"]
    return [Rest("POST", f"{path}:predict", body, 200, {"predictions": [*rows]}) for path in paths]


def _wrong(body: Any, error: str | None) -> Rest:
    return Rest("POST", PREDICT, body, 400, error)


def _wrong_element(instance: Any, error: str, key: str | None = None) -> Rest:
    where = "0" if key is None else f"0 key: {key}"
    prefix = f"Failed to process element: {where} of 'instances' list. Error: INVALID_ARGUMENT: "
    return _wrong({"instances": [instance]}, prefix + error)


COLUMNS = {
    "outputs": {
        "label": ["positive", "negative"],
        "probabilities": [[0.375, 0.625], [0.875, 0.125]],
    }
}
AVAILABLE = {
    "model_version_status": [
        {
            "version": "3",
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
    ]
}

REST = [
    *_predicted({"instances": ["good"]}, GOOD),
    *_predicted({"instances": ["good", "awful"]}, GOOD, AWFUL),
    *_predicted({"instances": [{"text": "good"}, {"text": "awful"}]}, GOOD, AWFUL),
    *_predicted({"instances": [{"b64": "Z29vZA=="}]}, GOOD),
    *_predicted({"instances": [{"text": {"b64": "Z29vZA=="}}]}, GOOD),
    *_predicted({"signature_name": "serving_default", "instances": ["awful"]}, AWFUL),
    *_predicted({"signature_name": "", "instances": ["awful"]}, AWFUL),
    *_predicted({"signature_name": "examples", "instances": [{"b64": GOOD_EXAMPLE}]}, GOOD),
    *_predicted({"instances": ["good"], "unheard-of": 1}, GOOD),
    Rest("POST", PREDICT, {"inputs": ["good", "awful"]}, 200, COLUMNS),
    Rest("POST", PREDICT, {"inputs": {"text": ["good", "awful"]}}, 200, COLUMNS),
    Rest("POST", PREDICT, {"inputs": {"text": ["good", "awful"], "x": 1}}, 200, COLUMNS),
    Rest("POST", PREDICT, {"inputs": [{"b64": "Z29vZA=="}, "awful"]}, 200, COLUMNS),
    Rest("POST", "/V1/Models/sentiment:PREDICT", {"inputs": ["good", "awful"]}, 200, COLUMNS),
    # What the body lacks.
    _wrong("", "JSON Parse error: The document is empty"),
    _wrong("{", None),
    _wrong('{"instances": ["a"]', None),
    _wrong("[1]", "JSON Value: [ 1 ] Is not object"),
    _wrong("{}", "Missing 'inputs' or 'instances' key"),
    _wrong({"instances": []}, "JSON Value: { \"instances\": [] } No values in 'instances' array"),
    _wrong(
        {"instances": "a"},
        'JSON Value: { "instances": "a" } Excepting \'instances\' to be an list/array',
    ),
    _wrong(
        {"instances": ["a"], "inputs": ["a"]},
        'JSON Value: { "instances": [ "a" ], "inputs": [ "a" ] } Not formatted correctly '
        "expecting only one of 'inputs' or 'instances' keys to exist",
    ),
    _wrong(
        {"signature_name": 1, "inputs": ["a"]},
        'JSON Value: { "signature_name": 1, "inputs": [ "a" ] } not formatted correctly. '
        "'signature_name' key must be a string value.",
    ),
    _wrong(
        {"signature_name": "none", "inputs": ["a"]},
        'Serving signature name: "none" not found in signature def',
    ),
    # What the values lack.
    _wrong_element(3, "JSON Value: 3 Type: Number is not of expected type: string"),
    _wrong_element(None, "JSON Value: null Type: Null is not of expected type: string"),
    _wrong_element(True, "JSON Value: true Type: True is not of expected type: string"),
    _wrong_element({"b64": "?"}, "Unable to base64 decode"),
    _wrong_element({"txt": "a"}, "JSON object: does not have named input: txt", key="txt"),
    _wrong_element(
        {"text": 1}, "JSON Value: 1 Type: Number is not of expected type: string", key="text"
    ),
    _wrong(
        {"instances": [{}]},
        "Failed to process element: 0 of 'instances' list. JSON object: {} keys must be equal to: "
        "text",
    ),
    _wrong(
        {"instances": ["a", {"text": "b"}]},
        "Expecting value/list but got object at item 1 of input list",
    ),
    _wrong(
        {"instances": [{"text": "b"}, "a"]},
        "Expecting object but got list at item 1 of input list",
    ),
    _wrong(
        {"instances": [["a"], ["b", "c"]]},
        "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: "
        "Expecting tensor size: 1 but got: 2",
    ),
    _wrong({"instances": [["a", "b"]]}, None),
    _wrong({"inputs": "a"}, None),
    _wrong({"inputs": {"txt": ["a"]}}, "Missing named input: text in 'inputs' object."),
    _wrong(
        {"inputs": ["a", ["b"]]},
        "Encountered list at unexpected level: 1 expected < 1",
    ),
    _wrong(
        {"inputs": [["a"], "b"]},
        'JSON Value: "b" found at incorrect level: 2 in the JSON DOM. Expected at level: 2',
    ),
    _wrong(
        {"inputs": [["a"], ["b", "c"]]},
        "Encountered list at unexpected size: 2 at level: 1 expected size: 1",
    ),
    _wrong({"signature_name": "examples", "inputs": ["no proto"]}, None),
    # Which model is asked; its name is looked up before the values are looked at.
    Rest(
        "POST", "/v1/models/other:predict", {}, 404, "Servable not found for request: Latest(other)"
    ),
    Rest("POST", "/v1/models/other:predict", "{", 400),
    Rest(
        "POST",
        f"{MODEL}/versions/4:predict",
        {"instances": ["a"]},
        404,
        "Servable not found for request: Specific(sentiment, 4)",
    ),
    Rest(
        "POST",
        f"{MODEL}/labels/nightly:predict",
        {"instances": ["a"]},
        400,
        "Unrecognized servable version label: nightly",
    ),
    # Paths and methods.
    Rest("GET", PREDICT, None, 400, f"Malformed request: GET {PREDICT}"),
    Rest("POST", MODEL, "{}", 400, f"Malformed request: POST {MODEL}"),
    Rest("POST", f"{MODEL}:guess", "{}", 400, f"Malformed request: POST {MODEL}:guess"),
    Rest("DELETE", MODEL, None, 400, f"Malformed request: DELETE {MODEL}"),
    Rest("GET", "/v1/elsewhere", None, 400, "Malformed request: GET /v1/elsewhere"),
    Rest(
        "POST",
        f"{MODEL}/versions/x:predict",
        "{}",
        400,
        f"Malformed request: POST {MODEL}/versions/x:predict",
    ),
    Rest(
        "GET",
        f"{MODEL}/versions/9223372036854775808",
        None,
        400,
        "Failed to convert version: 9223372036854775808 to numeric.",
    ),
    # Status and metadata.
    Rest("GET", MODEL, None, 200, AVAILABLE),
    Rest("GET", f"{MODEL}/versions/3", None, 200, AVAILABLE),
    Rest("GET", f"{MODEL}/labels/stable", None, 200, AVAILABLE),
    Rest("GET", "/v1/models/other", None, 404, "Could not find any versions of model other"),
    Rest("GET", f"{MODEL}/versions/5", None, 404, "Could not find version 5 of model sentiment"),
    Rest("GET", f"{MODEL}/metadata", None, 200),
    Rest("GET", f"{MODEL}/labels/canary/metadata", None, 200),
    Rest(
        "GET",
        f"{MODEL}/versions/4/metadata",
        None,
        404,
        "Servable not found for request: Specific(sentiment, 4)",
    ),
]


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


def write_model_root(root: Path) -> None:
    """Writes what the table is about: version 3 of the tiny model, and models.config."""
    save(root / "sentiment" / str(VERSION))
    (root / "sentiment" / "vocabulary").unlink()  # the source of the asset
    config = MODELS_CONFIG.format(base_path=(root / "sentiment").resolve())
    (root / "models.config").write_text(config)


if __name__ == "__main__":
    import sys

    write_model_root(Path(sys.argv[1]))
