"""The request log: what is in a line, sampling, rotation, and a disk that fails."""

import fcntl
import json
import os
from pathlib import Path

import numpy as np
import pytest

from components.errors import UsageError
from components.serving.request_log import RequestLog
from components.serving.settings import RequestLogSettings

LABELS = ("negative", "positive")


def add(log: RequestLog, *sentences: bytes, classes: tuple[str, ...] | None = LABELS) -> None:
    rows = np.empty(len(sentences), dtype=object)
    rows[:] = sentences
    outputs = {
        "label": np.array([b"positive"] * len(sentences), dtype=object),
        "probabilities": np.array([[0.25, 0.75]] * len(sentences), dtype=np.float32),
    }
    log.add(3, "GRPC", 0.0123456, rows, outputs, classes)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_line(tmp_path: Path) -> None:
    path = tmp_path / "new" / "requests.jsonl"
    log = RequestLog(RequestLogSettings(path=str(path)))
    add(log, "grün\nzwei".encode(), b"\xff")
    add(log, b"a", classes=None)
    log.close()
    first, second = lines(path)
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "version": 3,
        "protocol": "GRPC",
        "ms": 12.346,
        "sentences": ["grün\nzwei", "\ufffd"],
        "labels": ["positive", "positive"],
        "probabilities": [[0.25, 0.75], [0.25, 0.75]],
        "classes": ["negative", "positive"],
    }
    assert second["classes"] is None


def test_a_sample(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = RequestLog(RequestLogSettings(path=str(path), sample=0.25))
    for _ in range(2000):
        add(log, b"a")
    log.close()
    assert 380 < len(lines(path)) < 620  # six standard deviations around 500
    none = RequestLog(RequestLogSettings(path=str(tmp_path / "none"), sample=0.0))
    add(none, b"a")
    none.close()
    assert lines(tmp_path / "none") == []


def test_rotation_by_size(tmp_path: Path) -> None:
    log = RequestLog(RequestLogSettings(path=str(tmp_path / "log"), max_bytes=2000, files=2))
    for number in range(100):
        add(log, f"sentence {number}".encode())
    log.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1", "log.2"]
    assert all(path.stat().st_size <= 2000 for path in tmp_path.iterdir())
    files = [tmp_path / name for name in ("log.2", "log.1", "log")]
    kept = [line["sentences"][0] for file in files for line in lines(file)]
    assert kept == [f"sentence {number}" for number in range(100 - len(kept), 100)]


def test_it_goes_on_where_it_ended(tmp_path: Path) -> None:
    for _ in range(2):
        log = RequestLog(RequestLogSettings(path=str(tmp_path / "log")))
        add(log, b"a")
        log.close()
    assert len(lines(tmp_path / "log")) == 2


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="file/log: cannot be written"):
        RequestLog(RequestLogSettings(path=str(tmp_path / "file" / "log")))


def test_a_full_disk_costs_lines_and_nothing_else(capsys: pytest.CaptureFixture) -> None:
    log = RequestLog(RequestLogSettings(path="/dev/full"))
    add(log, b"a secret")
    add(log, b"a secret")
    log.close()
    errors = capsys.readouterr().err
    assert "secret" not in errors and "Traceback" not in errors
    assert log.lost == 2


def test_a_slow_disk_costs_lines_that_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("components.serving.request_log._WAITING_LINES", 3)
    os.mkfifo(tmp_path / "log")
    reader = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    log = RequestLog(RequestLogSettings(path=str(tmp_path / "log"), max_bytes=10**9))
    for _ in range(10):  # the first fills the pipe, three wait
        add(log, b"a" * 5000)
    assert 6 <= log.lost <= 7
    assert [record.message for record in caplog.records] == [
        "the request log is behind: its disk is slow, lines are left out"
    ]
    os.close(reader)  # what waits is refused now
    log.close()
    assert log.lost == 10
