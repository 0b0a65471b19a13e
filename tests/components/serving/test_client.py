"""The REST client: what it asks, what it makes of the answers, and of wrong ones."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from components.errors import UsageError
from components.serving.client import (
    ClientOptions,
    Prediction,
    RestPredictor,
    ServerFailed,
    model_url,
)

LABELS = {"labels": ["negative", "positive"]}


class Server:
    """Answers each request with what `answers` has for its method, and remembers what was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.method, str(request.url), body))
        answer = self.answers[request.method]
        if callable(answer):
            answer = answer(body)
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, json=answer)


def echo(body: dict) -> dict:
    """The longer the sentence, the more positive."""
    scores = [min(len(text) / 8, 1.0) for text in body["instances"]]
    return {
        "predictions": [
            {"label": "positive" if p > 0.5 else "negative", "probabilities": [1 - p, p]}
            for p in scores
        ]
    }


def client(server: Callable, labels: list[str] | None = None, **options: Any) -> RestPredictor:
    transport = httpx.MockTransport(server)
    return RestPredictor("http://host:8501", labels, transport=transport, **options)


def test_the_server_is_asked_for_sentences_and_once_for_the_classes() -> None:
    server = Server(GET=LABELS, POST=echo)
    with client(server) as predict:
        assert predict(["abcdef", "ab"]) == [
            Prediction("abcdef", "positive", {"negative": 0.25, "positive": 0.75}),
            Prediction("ab", "negative", {"negative": 0.75, "positive": 0.25}),
        ]
        predict(["ab"])
    model = "http://host:8501/v1/models/sentiment"
    assert server.asked == [
        ("POST", f"{model}:predict", {"instances": ["abcdef", "ab"]}),
        ("GET", f"{model}/classes", None),
        ("POST", f"{model}:predict", {"instances": ["ab"]}),
    ]


def test_given_labels_need_no_question() -> None:
    server = Server(POST=echo)
    (answer,) = client(server, ["schlecht", "positive"])(["abcdef"])
    assert answer.probabilities == {"schlecht": 0.25, "positive": 0.75}
    assert len(server.asked) == 1


def test_sentences_go_in_batches() -> None:
    server = Server(POST=echo)
    answers = client(server, LABELS["labels"], options=ClientOptions(batch_size=2))(
        ["a", "b", "c", "d", "e"]
    )
    assert [answer.text for answer in answers] == ["a", "b", "c", "d", "e"]
    assert [len(body["instances"]) for _, _, body in server.asked] == [2, 2, 1]


def test_no_sentences_no_request() -> None:
    server = Server()
    assert client(server)([]) == []
    assert server.asked == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://host:8501", "http://host:8501/v1/models/m"),
        ("http://host:8501/", "http://host:8501/v1/models/m"),
        ("https://gate/sentiflow", "https://gate/sentiflow/v1/models/m"),
        ("http://host/v1/models/other", "http://host/v1/models/other"),
        ("http://host/v1/models/other/versions/3/", "http://host/v1/models/other/versions/3"),
        ("http://host/v1/models/other:predict", "http://host/v1/models/other"),
    ],
)
def test_urls(url: str, expected: str) -> None:
    assert model_url(url, "m") == expected


@pytest.mark.parametrize(
    "url", ["host:8501", "localhost", "ftp://host", "http://", "http://h:x", ""]
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(UsageError, match="URL"):
        model_url(url, "m")


def refused(message: str, status: int) -> httpx.Response:
    return httpx.Response(status, json={"error": message})


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (refused("Servable not found", 404), UsageError, "HTTP 404: Servable not found"),
        (refused("bad\nbody", 400), UsageError, "HTTP 400: bad body"),
        (refused("broken", 500), ServerFailed, "HTTP 500: broken"),
        (httpx.Response(404, text="<html>"), UsageError, "HTTP 404: Not Found"),
        (httpx.Response(200, text="<html>"), UsageError, "no list 'predictions'"),
        ({"predictions": 3}, UsageError, "no list 'predictions'"),
        ({"predictions": []}, UsageError, "expected 1 predictions"),
        ({"predictions": [[0.1, 0.9]]}, UsageError, "expected 1 predictions"),
        ({"predictions": [{"label": "a"}]}, UsageError, "expected 1 predictions"),
    ],
)
def test_answers_that_are_none(answer: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as failure:
        client(Server(POST=answer), LABELS["labels"])(["a"])
    assert message in str(failure.value)
    assert str(failure.value).startswith("http://host:8501/v1/models/sentiment: ")
    assert "\n" not in str(failure.value)


def test_a_server_that_cannot_tell_the_classes() -> None:
    server = Server(POST=echo, GET=refused("Malformed request", 400))
    with pytest.raises(UsageError, match="does not say which classes .* data.labels"):
        client(server)(["abcdef"])


@pytest.mark.parametrize(
    "labels", [["positive", "negative"], ["negative", "neutral", "positive"], ["good", "bad"]]
)
def test_labels_that_are_not_the_models(labels: list[str]) -> None:
    with pytest.raises(UsageError, match="the model's classes are not"):
        client(Server(POST=echo), labels)(["abcdef"])


def test_nobody_answers() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ServerFailed, match="cannot be reached"):
        RestPredictor(f"http://127.0.0.1:{port}")(["a"])


def test_no_answer_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ServerFailed, match="no answer in time"):
            RestPredictor(url, options=ClientOptions(timeout_seconds=0.2))(["a"])


class BusyFor:
    """Is busy for some requests, then answers."""

    def __init__(self, times: int, status: int = 503) -> None:
        self.asked = 0
        self._times = times
        self._status = status

    def __call__(self, body: dict) -> Any:
        self.asked += 1
        return refused("full", self._status) if self.asked <= self._times else echo(body)


QUICK = ClientOptions(attempts=3, first_pause_seconds=0.001)


def test_a_busy_server_is_asked_again() -> None:
    answer = BusyFor(2)
    predict = client(Server(POST=answer), LABELS["labels"], options=QUICK)
    assert predict(["abcdef"])[0].label == "positive"
    assert answer.asked == 3


def test_not_for_ever() -> None:
    answer = BusyFor(3)
    with pytest.raises(ServerFailed, match="HTTP 503: full"):
        client(Server(POST=answer), LABELS["labels"], options=QUICK)(["abcdef"])
    assert answer.asked == 3


@pytest.mark.parametrize("status", [400, 404, 429, 500, 504])
def test_no_other_failure_is_asked_again(status: int) -> None:
    answer = BusyFor(1, status)
    with pytest.raises((UsageError, ServerFailed), match=f"HTTP {status}: full"):
        client(Server(POST=answer), LABELS["labels"], options=QUICK)(["abcdef"])
    assert answer.asked == 1


def test_the_token_is_sent() -> None:
    def server(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer secret"
        return httpx.Response(200, json=echo(json.loads(request.content)))

    assert client(server, LABELS["labels"], options=ClientOptions(token="secret"))(["abcdef"])


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("no certificate")
    with pytest.raises(UsageError, match="ca.pem: expected a PEM certificate"):
        RestPredictor("https://host", options=ClientOptions(ca_certificate=path))
