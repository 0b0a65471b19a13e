"""Contestants of a benchmark that have a process of their own."""

import os
import sys

import click
import pytest

from benchmarks import turns

ANSWERS = """
import sys
for number, _ in enumerate(sys.stdin, 1):
    if number == 3:
        sys.exit(7)
    print('{"sentences": %d, "seconds": 0.5, "cpu_seconds": 1.0}' % number, flush=True)
"""


def test_a_process_answers_each_turn_and_its_end_is_told():
    with turns.process([sys.executable, "-c", ANSWERS], dict(os.environ)) as contestant:
        assert [contestant(), contestant()] == [turns.Turn(1, 0.5, 1.0), turns.Turn(2, 0.5, 1.0)]
        with pytest.raises(click.ClickException, match="ended with exit code 7"):
            contestant()


def test_a_process_ends_with_the_benchmark(tmp_path):
    child = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
    child += 'print(\'{"sentences": 1, "seconds": 1, "cpu_seconds": 1}\', flush=True)\n'
    with turns.process([sys.executable, "-c", child + "time.sleep(600)"], {}) as contestant:
        contestant()
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
