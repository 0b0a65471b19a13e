"""Ends a task when its pod is being stopped.

Kubernetes sends SIGTERM and, 30 s later, SIGKILL. But in a pod of Kubeflow Pipelines the first
process is Argo's, which passes SIGTERM on to all others and ends when KFP's launcher does: within
about a second. So what matters is done in the signal's handler itself.
"""

import signal
from collections.abc import Callable
from typing import Any, NoReturn

EXIT_CODE = 128 + signal.SIGTERM
AGAIN_SECONDS = 5

_requested = False
_at_once: Callable[[], None] = lambda: None  # noqa: E731


class Terminated(KeyboardInterrupt):
    """The pod is being stopped. Few libraries go on after a KeyboardInterrupt."""


def raise_on_sigterm() -> None:
    """From now on SIGTERM raises Terminated in the main thread, until `stop_raising`."""
    signal.signal(signal.SIGTERM, _raise)
    signal.signal(signal.SIGALRM, _raise)


def do_at_once(action: Callable[[], None]) -> None:
    """Sets what is done when SIGTERM comes, before it raises."""
    global _at_once
    _at_once = action


def stop_raising() -> None:
    """Lets what is left to do, as noting the failure, end undisturbed."""
    signal.alarm(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def requested() -> bool:
    """Whether SIGTERM has come; what it raised may have become another error on its way."""
    return _requested


def _raise(signal_number: int, frame: Any) -> NoReturn:
    global _requested
    if not _requested:
        _requested = True
        _at_once()
    signal.alarm(AGAIN_SECONDS)  # TensorFlow may swallow the first one
    raise Terminated
