"""The part of a log that is shown when a step fails."""

import pytest

from pipeline.excerpt import MOST_LINES, relevant_lines

BEFORE = """\
2026-01-01 10:00:00,000 I root: ===== step Transform
2026-01-01 10:00:01,000 E beam: an error of the step before
2026-01-01 10:00:02,000 I root: ===== step Trainer
2026-01-01 10:00:03,000 I absl: Running the executor
"""
FAILED = """\
2026-01-01 10:00:09,000 E root: Trainer failed
Traceback (most recent call last):
  File "first.py", line 1, in outer
    inner()
ValueError: the first one

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "second.py", line 2, in last
    raise OSError("disk full")
OSError: disk full
"""
CAUSE = "Trainer failed: OSError: disk full (log: run.log)"


@pytest.fixture
def lines_of(tmp_path):
    def lines_of(text, cause=CAUSE):
        (tmp_path / "run.log").write_text(text)
        return relevant_lines(tmp_path / "run.log", cause, "Trainer")

    return lines_of


def test_errors_of_the_step_and_its_last_traceback_without_what_the_cause_says(lines_of):
    native = "2026-01-01 10:00:05.123456: E tensorflow/core/x.cc:1] no space left\n"
    absl = "E0000 00:00:1795547923.802145   123 y.cc:2] checkpoint not written\n"
    assert lines_of(BEFORE + native + absl + native + FAILED) == [
        native.rstrip(),
        absl.rstrip(),
        '  File "second.py", line 2, in last',
        '    raise OSError("disk full")',
    ]


def test_a_traceback_ends_where_the_log_goes_on(lines_of):
    after = "2026-01-01 10:00:10,000 I absl: cleaning up\n"
    assert lines_of(BEFORE + FAILED + after)[-1] == '    raise OSError("disk full")'


def test_without_error_and_traceback_the_last_lines_of_the_step(lines_of):
    epochs = "".join(f"2026-01-01 10:00:04,000 I c: epoch {i}\n" for i in range(40))
    lines = lines_of(BEFORE + epochs, "Trainer failed: training diverged")
    assert len(lines) == MOST_LINES
    assert lines[-1].endswith("epoch 39")
    assert lines_of(BEFORE) == ["2026-01-01 10:00:03,000 I absl: Running the executor"]


def test_never_more_than_the_most_lines(lines_of):
    frames = "".join(f'  File "x.py", line {i}, in f\n' for i in range(50))
    errors = "".join(f"2026-01-01 10:00:04,000 E c: error {i}\n" for i in range(50))
    lines = lines_of(BEFORE + errors + "Traceback (most recent call last):\n" + frames)
    assert len(lines) == MOST_LINES
    assert [line[-8:] for line in lines[:5]] == [f"error {i}" for i in range(45, 50)]
    assert lines[-1] == '  File "x.py", line 49, in f'


def test_a_log_that_begins_with_no_step_and_is_no_utf8(tmp_path):
    log = tmp_path / "run.log"
    log.write_bytes(b"first line\n\xff\xfe broken\n")
    assert relevant_lines(log, "set-up failed: x", "set-up") == ["\ufffd\ufffd broken"]


def test_a_step_that_was_stopped_afterwards_is_not_shown(lines_of):
    launcher = "2026-01-01 10:00:10,000 E absl: Execution 10 failed.\n"
    other = "2026-01-01 10:00:11,000 I root: ===== step ServeCheck\n"
    other += "2026-01-01 10:00:12,000 E absl: an error of the other step\n"
    assert lines_of(BEFORE + FAILED + launcher + other) == [
        '  File "second.py", line 2, in last',
        '    raise OSError("disk full")',
    ]
    again = "2026-01-01 10:00:13,000 I root: ===== step Trainer\n"
    assert lines_of(BEFORE + FAILED + other + again + launcher)[-1].endswith('OSError("disk full")')
