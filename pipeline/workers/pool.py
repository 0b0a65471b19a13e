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
from multiprocessing.connection import Connection
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

    def __init__(self, lock: int | None = None) -> None:
        """Starts the first process.

        Args:
          lock: descriptor that all processes hold open: its lock outlives a killed run until they
            have ended, too.
        """
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            descriptors = [theirs.fileno(), *([] if lock is None else [lock])]
            # It finds the modules that this process finds; `-m` alone would add the current folder.
            paths = [path or os.getcwd() for path in sys.path]
            self._forker = subprocess.Popen(
                [sys.executable, "-P", "-m", "pipeline.workers.forker", *map(str, descriptors)],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
                stdin=subprocess.DEVNULL,
                pass_fds=descriptors,
            )
        self._lock = threading.Lock()
        self._stopped = False
        self._running: dict[str, int] = {}  # the steps' processes

    def prepare(self, modules: Iterable[str]) -> None:
        """Has modules imported while there is nothing else to do."""
        with contextlib.suppress(OSError):  # then the next job says that it is gone
            self._channel.send(json.dumps(list(dict.fromkeys(modules))).encode())

    def run(self, job: Job, told: Told, modules: Iterable[str] = ()) -> Any:
        """Runs an executor to its end; several threads may do so at a time.

        Args:
          job: the executor.
          told: is called with what it says meanwhile.
          modules: to be imported meanwhile; see `prepare`.

        Returns:
          The executor's output, a protobuf message.

        Raises:
          WorkerDied: its process ended.
          Exception: what the executor raised, with the note `LOGGED`.
        """
        ours, theirs = multiprocessing.Pipe()
        with ours:
            try:
                self._hand_over(job, ours, theirs)
                self.prepare(modules)
                while True:
                    match self._next(ours):
                        case Started(pid):
                            self._note_started(job.step, pid)
                        case Said(level, message):
                            told(level, message)
                        case Done(output):
                            return output
                        case Failed(error):
                            error.add_note(LOGGED)
                            raise error
            finally:
                with self._lock:
                    self._running.pop(job.step, None)

    def _hand_over(self, job: Job, ours: Connection, theirs: Connection) -> None:
        try:
            with theirs:
                socket.send_fds(self._channel, [b"[]"], [theirs.fileno()])
            ours.send(job)
        except OSError as error:
            raise WorkerDied(self._how_it_died()) from error

    def _next(self, ours: Connection) -> Any:
        try:
            return ours.recv()
        except (EOFError, OSError) as error:
            raise WorkerDied(self._how_it_died()) from error

    def _how_it_died(self) -> str:
        if (code := self._forker.poll()) is not None:
            return f"the process that starts the steps ended with exit code {code}"
        return "its process was killed or crashed: is there too little memory?"

    def _note_started(self, step: str, pid: int) -> None:
        with self._lock:
            self._running[step] = pid
            if self._stopped:
                os.kill(pid, signal.SIGTERM)

    def close(self) -> None:
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
