"""What the REST server has besides TensorFlow Serving's API: limits, gzip, probes, metrics."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from components.serving.app import create_app
from components.serving.endpoint import Endpoint
from components.serving.request_log import RequestLog
from components.serving.settings import RequestLogSettings, ServingSettings
from tests.components.serving.endpoints import open_endpoint

MODEL = "/v1/models/sentiment"
LIMITS = {"max_body_bytes": 2000, "max_sentences": 8, "max_sentence_bytes": 50}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory, push: Any) -> Endpoint:
    """Version 3 of the model is served; version 4 does not load."""
    root: Path = tmp_path_factory.mktemp("rest")
    push(root, 3)
    push(root, 4, "broken")
    return open_endpoint(root, ServingSettings(max_batch_size=4, max_queued_sentences=8, **LIMITS))


@pytest.fixture(scope="module")
def client(endpoint: Endpoint) -> Iterator[TestClient]:
    yield TestClient(create_app(endpoint), raise_server_exceptions=False)


def ask(client: TestClient, **content: Any) -> tuple[int, str]:
    response = client.post(f"{MODEL}:predict", **content)
    assert list(response.json()) == ["error"]
    return response.status_code, response.json()["error"]


@pytest.mark.parametrize(
    ("content", "status", "error"),
    [
        (
            {"json": {"instances": ["a"] * 9}},
            400,
            "Expected at most 8 sentences in a request, got 9",
        ),
        ({"json": {"inputs": ["a"] * 9}}, 400, "Expected at most 8 sentences in a request, got 9"),
        (
            {"json": {"instances": ["a", "é" * 26]}},
            400,
            "Expected sentences of at most 50 bytes, got 52 bytes as sentence 1",
        ),
        ({"content": b" " * 2001}, 413, "Expected a body of at most 2000 bytes"),
        (
            {"content": gzip.compress(b" " * 2001), "headers": {"Content-Encoding": "gzip"}},
            413,
            "Expected a body of at most 2000 bytes, unpacked",
        ),
        (
            {"content": b"no gzip", "headers": {"Content-Encoding": "gzip"}},
            400,
            "The body is not in gzip's format",
        ),
        (
            {"content": gzip.compress(b"{}")[:-9], "headers": {"Content-Encoding": "gzip"}},
            400,
            "The gzip body ends early",
        ),
        (
            {"content": b"{}", "headers": {"Content-Encoding": "br"}},
            415,
            "Expected the Content-Encoding gzip or none, got br",
        ),
    ],
)
def test_limits(client: TestClient, content: dict, status: int, error: str) -> None:
    assert ask(client, **content) == (status, error)


def test_a_full_queue_is_said_to_be_full(client: TestClient, endpoint: Endpoint) -> None:
    batcher = endpoint.versions.get("sentiment").batcher
    batcher.queued += 8
    try:
        assert ask(client, json={"instances": ["a"]}) == (
            503,
            "The batch scheduling queue to which this task was submitted is full",
        )
    finally:
        batcher.queued -= 8


def test_gzip_in_and_out(client: TestClient) -> None:
    body = {"instances": ["good"] * 8}
    answer = client.post(
        f"{MODEL}:predict",
        content=gzip.compress(json.dumps(body).encode()),
        headers={"Content-Encoding": "gzip", "Accept-Encoding": "identity"},
    )
    assert answer.json()["predictions"][7] == {
        "label": "positive",
        "probabilities": [0.375, 0.625],
    }
    metadata = client.get(f"{MODEL}/metadata", headers={"Accept-Encoding": "gzip"})
    assert metadata.headers["content-encoding"] == "gzip"
    assert metadata.json()["model_spec"]["version"] == "3"


def test_a_broken_version_is_reported(client: TestClient) -> None:
    broken, served = client.get(MODEL).json()["model_version_status"]
    assert served["state"] == "AVAILABLE"
    assert broken["status"].pop("error_message")
    assert broken == {"version": "4", "state": "END", "status": {"error_code": "DATA_LOSS"}}
    answer = client.post(f"{MODEL}/versions/4:predict", json={"instances": ["a"]})
    assert answer.status_code == 404


def test_classes(client: TestClient) -> None:
    for path in (f"{MODEL}/classes", f"{MODEL}/versions/3/classes"):
        assert client.get(path).json() == {"labels": ["negative", "positive"]}


def test_probes(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "model": "sentiment", "version": 3}


def test_paths_outside_the_api(client: TestClient) -> None:
    for method, path, status in (("GET", "/elsewhere", 404), ("POST", "/healthz", 405)):
        response = client.request(method, path)
        assert response.status_code == status
        assert list(response.json()) == ["error"]
    assert client.get("/").status_code == 404  # no page unless it is asked for


def test_metrics(tmp_path: Path, push: Any) -> None:
    push(tmp_path, 1)
    client = TestClient(create_app(open_endpoint(tmp_path)))
    for body in ({"instances": ["a", "b"]}, {"instances": ["c"]}, {}):
        client.post(f"{MODEL}:predict", json=body)
    page = client.get("/monitoring/prometheus/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = page.text.splitlines()
    ok, bad = '{model_name="sentiment",status="OK"}', '{model_name="sentiment",status="INVALID'
    rest = '{API="predict",entrypoint="REST",model_name="sentiment"}'
    assert f":tensorflow:serving:request_count{ok} 2.0" in lines
    assert f':tensorflow:serving:request_count{bad}_ARGUMENT"}} 1.0' in lines
    assert f":tensorflow:serving:request_latency_count{rest} 2.0" in lines
    assert "sentiflow_sentences_total 3.0" in lines
    assert "sentiflow_batch_size_sum 3.0" in lines
    assert (
        'sentiflow_version_state{model_name="sentiment",state="AVAILABLE",version="1"} 1.0' in lines
    )
    assert "sentiflow_queued_sentences 0.0" in lines
    names = [line for line in client.get("/metrics").text.splitlines() if line[0] == "#"]
    assert names == [line for line in lines if line[0] == "#"]


def test_lines_that_the_request_log_lost_are_counted(tmp_path: Path, push: Any) -> None:
    push(tmp_path, 1)
    log = RequestLog(RequestLogSettings(path="/dev/full"))
    client = TestClient(create_app(open_endpoint(tmp_path, request_log=log)))
    assert "sentiflow_request_log_lost_lines_total 0.0" in client.get("/metrics").text.splitlines()
    for _ in range(2):
        client.post(f"{MODEL}:predict", json={"instances": ["a", "b"]})
    log.close()
    assert "sentiflow_request_log_lost_lines_total 2.0" in client.get("/metrics").text.splitlines()


def test_before_a_version_is_loaded(tmp_path: Path) -> None:
    client = TestClient(create_app(open_endpoint(tmp_path)))
    assert client.get("/healthz").status_code == 200
    unavailable = (503, "Model sentiment is not available yet")
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["error"]) == unavailable
    assert ask(client, json={"instances": ["a"]}) == unavailable
    assert client.get(MODEL).status_code == 404


def test_a_token_is_asked_for(endpoint: Endpoint) -> None:
    client = TestClient(create_app(endpoint, token="secret"))
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "secret"}):
        refused = client.get(MODEL, headers=headers)
        assert (refused.status_code, refused.json()) == (401, {"error": "Missing or wrong token"})
        assert refused.headers["www-authenticate"] == "Bearer"
        assert client.get("/metrics", headers=headers).status_code == 401
    assert client.get(MODEL, headers={"Authorization": "Bearer secret"}).status_code == 200
    assert client.get("/healthz").status_code == 200


class Failing:
    """A model with a bug."""

    labels = None

    def __init__(self, _: Path) -> None:
        pass

    def string_input(self, signature: str) -> str:
        return "text"

    def rows(self, signature: str, inputs: dict) -> np.ndarray:
        return inputs["text"]

    def run(self, signature: str, rows: np.ndarray) -> dict:
        raise RuntimeError("secret of /srv/models/3")


def test_an_unexpected_error_shows_nothing_of_the_inside(
    tmp_path: Path, push: Any, caplog: pytest.LogCaptureFixture
) -> None:
    push(tmp_path, 1, "broken")
    client = TestClient(create_app(open_endpoint(tmp_path, load=Failing)))
    assert ask(client, json={"instances": ["a"]}) == (500, "internal error")
    assert "secret of /srv/models/3" in caplog.text  # the operator reads it
    assert client.get(f"{MODEL}/classes").status_code == 404
