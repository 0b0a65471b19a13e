"""The REST API: a table of requests, and their status and body, word for word."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from components.serving.model import ServedModel
from components.serving.rest import create_app
from components.serving.versions import ModelVersions

MODEL = "/v1/models/sentiment"
GOOD = {"label": "positive", "probabilities": [0.375, 0.625]}
AWFUL = {"label": "negative", "probabilities": [0.875, 0.125]}


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory, push: Any) -> ModelVersions:
    """Version 3 of the model is served; version 4 does not load."""
    root: Path = tmp_path_factory.mktemp("rest")
    push(root, 3)
    push(root, 4, "broken")
    versions = ModelVersions(root / "sentiment", "sentiment", ServedModel)
    versions.refresh()
    return versions


@pytest.fixture(scope="module")
def client(versions: ModelVersions) -> Iterator[TestClient]:
    with ThreadPoolExecutor(2) as workers:
        yield TestClient(create_app(versions, workers), raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"instances": ["good"]}, {"predictions": [GOOD]}),
        ({"instances": [{"text": "good"}, {"text": "awful"}]}, {"predictions": [GOOD, AWFUL]}),
        ({"instances": [{"b64": "Z29vZA=="}]}, {"predictions": [GOOD]}),
        ({"signature_name": "serving_default", "instances": ["awful"]}, {"predictions": [AWFUL]}),
        (
            {"inputs": ["good", "awful"]},
            {
                "outputs": {
                    "label": ["positive", "negative"],
                    "probabilities": [[0.375, 0.625], [0.875, 0.125]],
                }
            },
        ),
        (
            {"inputs": {"text": ["good"]}},
            {"outputs": {"label": ["positive"], "probabilities": [[0.375, 0.625]]}},
        ),
        ({"inputs": []}, {"outputs": {"label": [], "probabilities": []}}),
        (
            {
                "signature_name": "examples",
                # a tf.Example with the text "good"
                "instances": [{"b64": "ChIKEAoEdGV4dBIICgYKBGdvb2Q="}],
            },
            {"predictions": [GOOD]},
        ),
    ],
)
@pytest.mark.parametrize("path", [MODEL, f"{MODEL}/versions/3"])
def test_predictions(client: TestClient, path: str, body: dict, answer: dict) -> None:
    response = client.post(f"{path}:predict", json=body)
    assert (response.status_code, response.json()) == (200, answer)
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        # the body is looked at first, then the model, as in TensorFlow Serving
        ("POST", "/v1/models/other:predict", "{", 400, "JSON Parse error: "),
        (
            "POST",
            "/v1/models/other:predict",
            '{"instances": ["a"]}',
            404,
            "Servable not found for request: Latest(other)",
        ),
        (
            "POST",
            f"{MODEL}/versions/4:predict",
            '{"instances": ["a"]}',
            404,
            "Servable not found for request: Specific(sentiment, 4)",
        ),
        ("POST", f"{MODEL}:predict", "", 400, "JSON Parse error: "),
        ("POST", f"{MODEL}:predict", "[1]", 400, "JSON Value: [1] Is not object"),
        ("POST", f"{MODEL}:predict", "{}", 400, "Missing 'inputs' or 'instances' key"),
        ("POST", f"{MODEL}:predict", '{"instances": []}', 400, "Expecting 'instances' to be a "),
        (
            "POST",
            f"{MODEL}:predict",
            '{"instances": [3]}',
            400,
            "Failed to process element: 0 of 'instances' list. Error: "
            "JSON Value: 3 Type: Number is not of expected type: string",
        ),
        (
            "POST",
            f"{MODEL}:predict",
            '{"instances": [["a", "b"]]}',
            400,
            "input 'text' must be string of shape (None,), got string of shape [1, 2]",
        ),
        (
            "POST",
            f"{MODEL}:predict",
            '{"signature_name": "none", "inputs": ["a"]}',
            400,
            'Serving signature name: "none" not found in signature def',
        ),
        (
            "POST",
            f"{MODEL}:predict",
            '{"signature_name": "examples", "inputs": ["no proto"]}',
            400,
            "Could not parse example input, value: 'no proto'",
        ),
        ("GET", f"{MODEL}:predict", None, 400, f"Malformed request: GET {MODEL}:predict"),
        ("POST", MODEL, "{}", 400, f"Malformed request: POST {MODEL}"),
        ("POST", f"{MODEL}:guess", "{}", 400, f"Malformed request: POST {MODEL}:guess"),
        ("DELETE", MODEL, None, 400, f"Malformed request: DELETE {MODEL}"),
        (
            "POST",
            f"{MODEL}/versions/x:predict",
            "{}",
            400,
            f"Malformed request: POST {MODEL}/versions/x:predict",
        ),
        (
            "GET",
            f"{MODEL}/versions/9223372036854775808",
            None,
            400,
            "Failed to convert version: 9223372036854775808 to numeric.",
        ),
        ("GET", "/v1/models/other", None, 404, "Could not find any versions of model other"),
        (
            "GET",
            f"{MODEL}/versions/5",
            None,
            404,
            "Could not find version 5 of model sentiment",
        ),
        (
            "GET",
            f"{MODEL}/versions/4/metadata",
            None,
            404,
            "Servable not found for request: Specific(sentiment, 4)",
        ),
        ("GET", "/elsewhere", None, 404, "Not Found"),
        ("POST", "/healthz", None, 405, "Method Not Allowed"),
    ],
)
def test_errors(
    client: TestClient, method: str, path: str, body: str | None, status: int, error: str
) -> None:
    response = client.request(method, path, content=body)
    assert response.status_code == status
    assert list(response.json()) == ["error"]
    assert response.json()["error"].startswith(error)


def version_status(version: str, state: str, code: str = "OK", message: str = "") -> dict:
    status = {"error_code": code, "error_message": message}
    return {"version": version, "state": state, "status": status}


def test_status(client: TestClient) -> None:
    everything = client.get(MODEL).json()["model_version_status"]
    assert everything[1] == version_status("3", "AVAILABLE")
    assert everything[0]["status"].pop("error_message")
    assert everything[0] == {"version": "4", "state": "END", "status": {"error_code": "DATA_LOSS"}}
    one = client.get(f"{MODEL}/versions/3")
    assert one.json() == {"model_version_status": [version_status("3", "AVAILABLE")]}
    assert one.status_code == 200


def test_metadata(client: TestClient) -> None:
    answer = client.get(f"{MODEL}/metadata").json()
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


def test_classes(client: TestClient) -> None:
    for path in (f"{MODEL}/classes", f"{MODEL}/versions/3/classes"):
        assert client.get(path).json() == {"labels": ["negative", "positive"]}


def test_probes(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "model": "sentiment", "version": 3}


def test_before_a_version_is_loaded(tmp_path: Path) -> None:
    versions = ModelVersions(tmp_path, "sentiment", ServedModel)
    with ThreadPoolExecutor(1) as workers:
        client = TestClient(create_app(versions, workers))
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json() == {"error": "Model sentiment is not available yet"}
        assert client.get(MODEL).status_code == 404


class Failing:
    """A model with a bug."""

    labels = None

    def string_inputs(self, signature: str) -> list[str]:
        return ["text"]

    def predict(self, signature: str, inputs: dict) -> dict:
        raise RuntimeError("secret of /srv/models/3")


def test_an_unexpected_error_shows_nothing_of_the_inside(tmp_path: Path, push: Any) -> None:
    push(tmp_path, 1, "broken")
    versions = ModelVersions(tmp_path / "sentiment", "sentiment", lambda _: Failing())
    versions.refresh()
    with ThreadPoolExecutor(1) as workers:
        client = TestClient(create_app(versions, workers), raise_server_exceptions=False)
        response = client.post(f"{MODEL}:predict", json={"instances": ["a"]})
        assert (response.status_code, response.json()) == (500, {"error": "internal error"})
        assert client.get(f"{MODEL}/classes").status_code == 404
