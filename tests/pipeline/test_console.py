"""Output of libraries goes to the log; afterwards all is as before."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.console import silent_stderr

# In a process of its own: the file descriptors 1 and 2 are what is tested.
SCRIPT = """
import logging, os, sys
from pathlib import Path
from pipeline.console import quiet_libraries
with quiet_libraries(Path(sys.argv[1]), verbose=sys.argv[2] == "verbose") as terminal:
    print("python library")
    os.write(1, b"native library\\n")
    os.write(2, b"native error\\n")
    logging.getLogger("tensorflow").info("library log")
    print("1/11 Trainer \\u2713", file=terminal)
    os.write(1, b"x" * 200_000 + b"\\n")  # more than a pipe holds
print("after")
os.write(2, b"error after\\n")
logging.getLogger("components.trainer").warning("log after")
"""
CHATTER = ("python library", "native library", "native error", "I tensorflow: library log")


def run_script(log: Path, mode: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, log, mode],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, **environment},
        timeout=60,
    )


@pytest.mark.parametrize("mode", ["quiet", "verbose"])
def test_streams(tmp_path, mode):
    log = tmp_path / "logs/run.log"
    done = run_script(log, mode)
    assert done.stdout.splitlines() == ["1/11 Trainer ✓", "after"]
    chatter, after = done.stderr.split("error after\n")
    logged = log.read_text()
    for text in CHATTER:
        assert text in logged
    assert "after" not in logged
    assert chatter == (logged if mode == "verbose" else "")
    assert after == "log after\n"


def test_a_terminal_that_cannot_show_all_characters(tmp_path):
    done = run_script(tmp_path / "run.log", "quiet", PYTHONIOENCODING="ascii")
    assert done.stdout.splitlines() == ["1/11 Trainer ?", "after"]


def test_silent_stderr(capfd):
    with silent_stderr():
        os.write(2, b"greeting\n")
    os.write(2, b"error\n")
    assert capfd.readouterr().err == "error\n"
