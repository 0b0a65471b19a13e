"""A program on a pseudo-terminal, as a person sees and stops it."""

import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

CTRL_C = b"\x03"


def _take_the_terminal() -> None:
    """Lets Ctrl-C reach the program, also where the tests run in the background and ignore it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """Runs a command on a terminal of its own; what it writes is in `shown`."""

    def __init__(self, command: list, columns: int = 80, lines: int = 24, **environment: str):
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "TERM": "xterm-256color", **environment},
            start_new_session=True,
            preexec_fn=_take_the_terminal,
        )
        os.close(slave)
        self.shown = ""

    def read_until(self, text: str, seconds: float) -> None:
        """Reads until the text was written."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert self._read(deadline), f"it ended without '{text}': {self.shown}"

    def read_all(self, seconds: float) -> int:
        """Reads until the program ends; returns its exit code."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        os.close(self._master)
        return self.process.wait(10)

    def type(self, keys: bytes) -> None:
        """Presses keys."""
        os.write(self._master, keys)

    def _read(self, deadline: float) -> bool:
        """Reads what is there; False at the end."""
        ready, _, _ = select.select([self._master], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            self.process.kill()
            raise AssertionError(f"out of time, after: {self.shown}")
        try:
            part = os.read(self._master, 65536)
        except OSError:  # EIO: the other end is closed
            part = b""
        self.shown += part.decode(errors="replace")
        return bool(part)
