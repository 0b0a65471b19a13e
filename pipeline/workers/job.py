"""Runs one job in this process, which is then over."""

import logging
import os
import pickle
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection

from pipeline.gpus import GPU_STEPS, HIDDEN_GPU
from pipeline.progress import OWN_LOGGERS
from pipeline.workers.messages import Done, Failed, Job, Said, Started

STOP_SECONDS = 10.0  # that a step which was asked to stop gets, to remove its temporary files
STOPPED = 130  # exit code


def run_job(connection: Connection, lock: int | None) -> None:
    """Receives a job, runs it and sends what it says and what comes of it.

    Args:
      connection: to who has the job.
      lock: descriptor of a lock that is held while the job may write.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    to_parent = _ToParent(connection)
    for logger in OWN_LOGGERS:
        logging.getLogger(logger).addHandler(to_parent)
    to_parent.tell(Started(os.getpid()))
    job = connection.recv()
    threading.Thread(target=_end_with_parent, args=[connection], daemon=True).start()
    if job.log:
        _send_output_to(job.log)
    if job.step not in GPU_STEPS:
        os.environ.update(HIDDEN_GPU)  # nothing here has asked for the GPUs yet
    outcome = _outcome(job)
    # Whoever has the outcome may take the log, close the connection and start another run.
    _flush()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if lock is not None:
        os.close(lock)
    to_parent.tell(outcome)


def _outcome(job: Job) -> Done | Failed:
    try:
        from tfx.orchestration.portable.data_types import ExecutionInfo

        from pipeline.node import DeferredExecutor

        operator = DeferredExecutor(job.executor_spec)
        return Done(operator.run_executor(ExecutionInfo.from_proto(job.invocation)))
    except Exception as error:
        logging.getLogger().error("%s failed", job.step, exc_info=error)
        return Failed(_sendable(error))


def _sendable(error: Exception) -> Exception:
    """The error, or where it cannot be sent, one that says as much."""
    try:
        if str(pickle.loads(pickle.dumps(error))) == str(error):
            return error
    except Exception:
        logging.getLogger().warning("%s cannot be pickled", type(error).__name__)
    return RuntimeError(f"{type(error).__name__}: {error}")


class _ToParent(logging.Handler):
    def __init__(self, connection: Connection):
        super().__init__(logging.INFO)
        self._connection, self._sending = connection, threading.Lock()

    def tell(self, message: object) -> None:
        with self._sending:
            self._connection.send(message)

    def emit(self, record: logging.LogRecord) -> None:
        self.tell(Said(record.levelno, record.getMessage()))


def _send_output_to(log: str) -> None:
    """Sends what is printed and logged, from native code too, to the end of a file."""
    with open(log, "ab") as file:
        for target in (1, 2):
            os.dup2(file.fileno(), target)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def _end_with_parent(connection: Connection) -> None:
    """Waits until the other end is closed: nothing more is sent from there."""
    connection.poll(None)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os._exit(STOPPED)
