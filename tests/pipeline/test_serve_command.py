"""`sentiflow serve` as a user starts it, with TLS, token, page and request log, and asked by
`sentiflow predict`."""

import contextlib
import datetime
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from components.errors import UsageError
from pipeline.cli import cli
from tests.certificate import self_signed
from tests.components.serving.tiny_model import save

TOKEN = "a-secret"


@dataclass(frozen=True)
class Served:
    rest: str
    grpc: str
    folder: Path
    stderr: Path


@contextlib.contextmanager
def serving(folder: Path, *options: str) -> Iterator[Served]:
    command = [sys.executable, "-m", "pipeline.cli", "serve", "--workdir", str(folder)]
    command += ["--rest-port", "0", "--grpc-port", "0", *options]
    stderr = folder / "stderr"
    with stderr.open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout
    try:
        line = process.stdout.readline()
        found = re.search(r"REST (https?://[\d.:]+)/.*, gRPC ([\d.:]+)", line)
        assert found, line + stderr.read_text()
        yield Served(found[1], found[2], folder, stderr)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("serve")
    save(folder / "serving" / "sentiment" / "1")
    self_signed(folder)
    (folder / "token").write_text(TOKEN + "\n")
    options = ["--tls-cert", str(folder / "cert.pem"), "--tls-key", str(folder / "key.pem")]
    options += ["--token-file", str(folder / "token"), "--ui"]
    options += ["--set", f"serving.request_log.path={folder}/logs/requests.jsonl"]
    with serving(folder, *options) as served:
        yield served
    # What came after the last request was written when the server ended.
    assert len((folder / "logs" / "requests.jsonl").read_text().splitlines()) >= 2


def predict(served: Served, url: str, *arguments: str) -> str:
    """Runs `sentiflow predict`."""
    options = ["--token-file", str(served.folder / "token")]
    options += ["--ca-cert", str(served.folder / "cert.pem")]
    command = ["predict", "--url", url, *options, *arguments]
    result = CliRunner().invoke(cli, command, catch_exceptions=False, standalone_mode=False)
    return result.output


def logged(log: Path, sentences: list[str]) -> list[dict]:
    """What the request log has of these sentences, which it may write after their answer."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        written = log.read_text()
        lines = written[: written.rfind("\n") + 1].splitlines()
        entries = [entry for entry in map(json.loads, lines) if entry["sentences"] == sentences]
        if entries:
            return entries
        time.sleep(0.05)
    return []


def test_nothing_but_the_one_line_is_printed(served: Served) -> None:
    assert served.stderr.read_text() == ""


@pytest.mark.parametrize("scheme", ["https", "grpcs"])
def test_tls_and_token(served: Served, scheme: str) -> None:
    url = served.rest if scheme == "https" else f"grpcs://{served.grpc}"
    output = predict(served, url, "--json", "great", "awful")
    assert [json.loads(line) for line in output.splitlines()] == [
        {
            "text": "great",
            "label": "positive",
            "probabilities": {"negative": 0.125, "positive": 0.875},
        },
        {
            "text": "awful",
            "label": "negative",
            "probabilities": {"negative": 0.875, "positive": 0.125},
        },
    ]


@pytest.mark.parametrize("scheme", ["https", "grpcs"])
def test_without_the_token(served: Served, scheme: str, tmp_path: Path) -> None:
    url = served.rest if scheme == "https" else f"grpcs://{served.grpc}"
    command = ["predict", "--url", url, "--ca-cert", str(served.folder / "cert.pem"), "great"]
    with pytest.raises(UsageError, match="(401|UNAUTHENTICATED): Missing or wrong token"):
        CliRunner().invoke(cli, command, catch_exceptions=False, standalone_mode=False)


def test_a_file_over_grpc(served: Served, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text\ngreat\nawful\ngood\n")
    options = ["--batch-size", "2", "--input", f"{tmp_path}/in.csv", "--output", f"{tmp_path}/out"]
    output = predict(served, f"grpcs://{served.grpc}", *options)
    assert output.strip() == f"3 sentences predicted: {tmp_path}/out"
    answers = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert [answer["label"] for answer in answers] == ["positive", "negative", "positive"]


def test_the_page_is_there_without_a_token_and_its_answers_are_not(served: Served) -> None:
    with httpx.Client(verify=False, trust_env=False, base_url=served.rest) as http:
        page = http.get("/")
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in page.headers["content-security-policy"]
        question = {"sentences": ["good"]}
        assert http.post("/ui/classify", json=question).status_code == 401
        token = {"Authorization": f"Bearer {TOKEN}"}
        answer = http.post("/ui/classify", json=question, headers=token).json()
    assert answer["answers"][0]["label"] == "positive"


def test_the_request_log_has_questions_and_answers(served: Served) -> None:
    predict(served, served.rest, "great film")
    (entry,) = logged(served.folder / "logs" / "requests.jsonl", ["great film"])
    assert entry.pop("ms") > 0
    when = datetime.datetime.fromisoformat(entry.pop("time"))
    assert abs(datetime.datetime.now(datetime.UTC) - when) < datetime.timedelta(minutes=5)
    assert entry == {
        "version": 1,
        "protocol": "REST",
        "sentences": ["great film"],
        "labels": ["positive"],
        "probabilities": [[0.125, 0.875]],
        "classes": ["negative", "positive"],
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tls-cert", "cert.pem"], "--tls-cert and --tls-key belong together"),
        (["--tls-cert", "token", "--tls-key", "key.pem"], "expected a PEM certificate and its"),
        (["--token-file", "empty"], "empty: expected a token on one line"),
        (["--set", "serving.max_sentences=9999"], "max_sentences .* must not be over"),
        (["--set", "serving.request_log.path=cert.pem/log"], "cert.pem/log: cannot be written"),
    ],
)
def test_wrong_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    self_signed(tmp_path)
    (tmp_path / "token").write_text("a b")
    (tmp_path / "empty").write_text("\n")
    version = tmp_path / "serving" / "sentiment" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").touch()
    monkeypatch.chdir(tmp_path)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    command = ["serve", "--workdir", ".", "--rest-port", "0", "--grpc-port", "0", *options]
    try:
        with pytest.raises(UsageError, match=message):
            CliRunner().invoke(cli, command, catch_exceptions=False, standalone_mode=False)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert (version / "saved_model.pb").is_file() and not (tmp_path / "logs").exists()
