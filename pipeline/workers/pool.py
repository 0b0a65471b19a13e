"""The processes of a run, as the run sees them."""

import contextlib
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from components.errors import SentiflowError
from pipeline.workers.job import STOP_SECONDS
from pipeline.workers.messages import Done, Failed, Job, Said, Started

LOGGED = "the step's log has the traceback"  # a note on errors from a worker
POLL_SECONDS = 0.02
Told = Callable[[int, str], None]  # takes level and text of what a step has to tell


class WorkerDied(SentiflowError):
    """The process of a step ended before the step did."""


class Workers:
    """Runs executors, each in a process of its own; see the package."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._forker = subprocess.Popen(
                [sys.executable, "-m", "pipeline.workers.forker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._lock = threading.Lock()
        self._stopped = False
        self._running: dict[str, int] = {}  # the steps' processes

    def prepare(self, modules: Iterable[str]) -> None:
        """Has modules imported while there is nothing else to do."""
        with contextlib.suppress(ConnectionError):  # then the next job says that it is gone
            self._channel.send(json.dumps(list(dict.fromkeys(modules))).encode())

    def run(self, job: Job, told: Told) -> Any:
        """Runs an executor to its end; several threads may do so at a time.

        Args:
          job: the executor.
          told: is called with what it says meanwhile.

        Returns:
          The executor's output, a protobuf message.

        Raises:
          WorkerDied: its process ended.
          Exception: what the executor raised, with the note `LOGGED`.
        """
        ours, theirs = multiprocessing.Pipe()
        with ours:
            try:
                with theirs:
                    socket.send_fds(self._channel, [b"[]"], [theirs.fileno()])
                ours.send(job)
                while True:
                    match ours.recv():
                        case Started(pid):
                            self._note_started(job.step, pid)
                        case Said(level, message):
                            told(level, message)
                        case Done(output):
                            return output
                        case Failed(error):
                            error.add_note(LOGGED)
                            raise error
            except (EOFError, ConnectionError) as error:
                raise WorkerDied(
                    "its process was killed or crashed: is there too little memory?"
                ) from error
            finally:
                with self._lock:
                    self._running.pop(job.step, None)

    def _note_started(self, step: str, pid: int) -> None:
        with self._lock:
            self._running[step] = pid
            if self._stopped:
                os.kill(pid, signal.SIGTERM)

    def stop(self) -> None:
        """Ends all processes; steps in them get the time to remove their temporary files."""
        with self._lock:
            self._stopped = True
        self._forker.kill()
        self._forker.wait()
        self._channel.close()
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self._running and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            for pid in self._running.values():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
