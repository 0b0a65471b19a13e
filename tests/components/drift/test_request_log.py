"""The request log, read back."""

import json
import os

import numpy as np
import pytest

from components.drift.request_log import Answer, read_log
from components.errors import UsageError
from components.serving.request_log import RequestLog
from components.serving.settings import RequestLogSettings
from schema import features


def line(*texts, version=3, probability=0.75):
    return json.dumps(
        {
            "version": version,
            "sentences": texts,
            "labels": ["good"] * len(texts),
            "probabilities": [[1 - probability, probability]] * len(texts),
        }
    )


def texts(found):
    return [answer.text for answer in found.answers]


def test_what_the_server_writes_is_read(tmp_path):
    log = RequestLog(RequestLogSettings(path=str(tmp_path / "requests.jsonl")))
    outputs = {
        features.LABEL: np.array([b"bad", b"good"], object),
        features.PROBABILITIES: np.array([[0.75, 0.25], [0.0, 1.0]], np.float32),
    }
    log.add(3, "REST", 0.1, np.array(["Schlecht …".encode(), b"\xff"], object), outputs, None)
    log.close()
    found = read_log(tmp_path, 3, most=10)
    assert found.answers == [Answer("Schlecht …", "bad", 0.75), Answer("\ufffd", "good", 1.0)]
    assert (found.other_versions, found.unreadable) == (0, 0)


def test_the_newest_sentences_are_taken_across_rotated_files(tmp_path):
    (tmp_path / "requests.jsonl").write_text(line("f", "g") + "\n")
    (tmp_path / "requests.jsonl.1").write_text(f"{line('d')}\n{line('e')}\n")
    (tmp_path / "requests.jsonl.2").write_text(line("a", "b", "c") + "\n")
    (tmp_path / "requests.jsonl.10").write_text(line("oldest") + "\n")
    for path in (tmp_path, tmp_path / "requests.jsonl"):
        assert texts(read_log(path, 3, most=6)) == ["b", "c", "d", "e", "f", "g"]
        assert texts(read_log(path, 3, most=1)) == ["g"]
        assert len(read_log(path, 3, most=100).answers) == 8


def test_of_several_logs_the_newest_files_are_taken(tmp_path):
    for name, changed in (
        ("a-dead-pod.jsonl", 1_000),
        ("pod.jsonl", 3_000),
        ("pod.jsonl.1", 2_000),
    ):
        (tmp_path / name).write_text(line(name) + "\n")
        os.utime(tmp_path / name, (changed, changed))
    assert texts(read_log(tmp_path, 3, most=2)) == ["pod.jsonl.1", "pod.jsonl"]


def test_logs_beside_it_are_others(tmp_path):
    (tmp_path / "requests.jsonl").write_text(line("own") + "\n")
    (tmp_path / "other-requests.jsonl").write_text(line("other") + "\n")
    (tmp_path / "notes.txt").write_text("")
    assert texts(read_log(tmp_path / "requests.jsonl", 3, most=9)) == ["own"]
    assert sorted(texts(read_log(tmp_path, 3, most=9))) == ["other", "own"]


def test_other_versions_and_unreadable_lines_are_counted(tmp_path):
    lines = [
        line("x", "y", version=2), line("mine"), line("torn")[:20], "[]", "3", "null", "",
        '{"version": 3, "sentences": ["x"], "labels": [], "probabilities": []}',
        '{"version": 3, "sentences": ["x"], "labels": ["a"], "probabilities": [[]]}',
    ]  # fmt: skip
    (tmp_path / "requests.jsonl").write_text("\n".join(lines) + "\n")
    found = read_log(tmp_path, 3, most=10)
    assert texts(found) == ["mine"]
    assert (found.other_versions, found.unreadable) == (2, 7)


@pytest.mark.parametrize("name", ["", "requests.jsonl", "no/such/requests.jsonl"])
def test_no_log(tmp_path, name):
    with pytest.raises(UsageError, match="no request log"):
        read_log(tmp_path / name, 3, most=10)
