"""Output of libraries goes to the log, progress to the terminal; afterwards all is as before."""

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
with quiet_libraries(Path(sys.argv[1]), sys.argv[2] == "show") as terminal:
    print("python library")
    os.write(1, b"native library\\n")
    os.write(2, b"native error\\n")
    logging.getLogger("tensorflow").info("library log")
    logging.getLogger("components.trainer").info("epoch 1/3")
    print("1/11 Trainer", file=terminal)
print("after")
os.write(2, b"error after\\n")
logging.getLogger("components.trainer").info("log after")
"""


@pytest.mark.parametrize(
    ("show", "seen"),
    [("show", ["        epoch 1/3", "1/11 Trainer", "after"]), ("hide", ["after"])],
)
def test_streams(tmp_path, show, seen):
    log = tmp_path / "logs/run.log"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, log, show],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.splitlines() == seen
    assert done.stderr == "error after\n"
    logged = log.read_text()
    for text in ("python library", "native library", "native error", "library log", "epoch 1/3"):
        assert text in logged
    assert "after" not in logged


def test_silent_stderr(capfd):
    with silent_stderr():
        os.write(2, b"greeting\n")
    os.write(2, b"error\n")
    assert capfd.readouterr().err == "error\n"
