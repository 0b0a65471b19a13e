"""REST requests, and what TensorFlow Serving answers to them, for the model of `conformance`.

Drawn from TensorFlow Serving's "RESTful API", from json_tensor.cc, http_rest_api_util.cc and
server_core.cc. Where its text depends on its own libraries (JSON parse errors, tensors of a wrong
shape), only the status is compared.
"""

from dataclasses import dataclass
from typing import Any

MODEL = "/v1/models/sentiment"
PREDICT = f"{MODEL}:predict"
GOOD = {"label": "positive", "probabilities": [0.375, 0.625]}
AWFUL = {"label": "negative", "probabilities": [0.875, 0.125]}
GOOD_EXAMPLE = "ChIKEAoEdGV4dBIICgYKBGdvb2Q="  # a tf.Example with the text "good"


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
