"""The process that imports what the steps need, and is forked for each of them.

    python -m pipeline.workers.forker FD [LOCK]

FD is its end of a socket pair of whole messages: JSON, a list of modules to import while there is
nothing else to do; or an empty list with a file descriptor, over which a fork of this process takes
a `Job`. It ends when the other end does. LOCK is a descriptor that it and its forks hold open.

It starts no thread and computes nothing with TensorFlow, because neither would survive the fork;
the threads that libraries start on import, of OpenBLAS and jemalloc, are made for it.
"""

import gc
import importlib
import json
import logging
import os
import select
import signal
import socket
import sys
from multiprocessing.connection import Connection

from pipeline.console import LOG_FORMAT
from pipeline.lazy_packages import (
    KERAS,
    NOTEBOOKS,
    defer_heavy_imports,
    named_only,
    prefer_local_filesystem,
    without,
)
from pipeline.workers.job import STOPPED, run_job

MESSAGE_BYTES = 1 << 16


def serve(channel: socket.socket, lock: int | None) -> None:
    """Imports and forks until the other end is closed; returns there, never in a fork."""
    waiting: list[str] = []
    while True:
        while waiting and not select.select([channel], [], [], 0)[0]:
            _import(waiting.pop(0))
        message, descriptors, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 1)
        if not message:
            return
        waiting += json.loads(message)
        for descriptor in descriptors:
            _fork(descriptor, channel, lock)


def _fork(descriptor: int, channel: socket.socket, lock: int | None) -> None:
    sys.stdout.flush()  # else the fork would write it again
    sys.stderr.flush()
    gc.freeze()  # the fork's garbage collection then leaves our memory pages shared
    if os.fork():
        os.close(descriptor)
        return
    code = STOPPED
    try:
        channel.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        run_job(Connection(descriptor), lock)
        code = 0
    except KeyboardInterrupt:
        logging.getLogger().info("stopped")
    except BaseException:
        logging.getLogger().exception("the job's process failed")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # never back to the loop; taking TensorFlow apart would last two seconds


def import_what_all_need() -> None:
    """Imports the Launcher and TensorFlow, but not all that they would import on the way."""
    defer_heavy_imports()
    prefer_local_filesystem()
    with without(NOTEBOOKS):
        importlib.import_module("pipeline.node")
    with named_only():  # for a type in it, most executors would import TFMA
        importlib.import_module("tfx.types.standard_component_specs")
    with without(KERAS):
        importlib.import_module("tensorflow").__version__  # noqa: B018  # loads it


def _import(module: str) -> None:
    try:
        importlib.import_module(module)
    except Exception:  # the step that needs it fails of it, and then it is told
        logging.getLogger().exception("cannot import %s ahead", module)


def main() -> None:
    """Runs until it is told to end."""
    channel_number, *lock = map(int, sys.argv[1:])
    del sys.argv[1:]  # TFX hands arguments on to executors
    channel = socket.socket(fileno=channel_number)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which then stops us
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    import_what_all_need()
    serve(channel, next(iter(lock), None))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # taking TensorFlow apart would last two seconds
