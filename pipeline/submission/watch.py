"""Watches a run until it ends."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from components.errors import SentiflowError
from pipeline.submission.api import Api, Unavailable
from pipeline.submission.failure import explain

POLL_SECONDS = 5.0
# A server that restarts is no reason to give up a run of hours.
PATIENCE_SECONDS = 300.0
# CANCELED and SKIPPED, which kfp.Client.wait_for_run_completion would wait past, end a run too.
ENDED = ("SUCCEEDED", "FAILED", "CANCELED", "SKIPPED")


def wait_for_run(
    api: Api,
    run_id: str,
    node_names: dict[str, str],
    timeout_minutes: float | None,
    show: Callable[[str], None],
) -> None:
    """Shows each change of a node's state as `12:03:11 Transform running`, until the run succeeds.

    Args:
      api: the server.
      run_id: of the run.
      node_names: the package's, as `package.node_names` returns them.
      timeout_minutes: after which waiting ends, and the run goes on; None: no limit.
      show: takes a line.

    Raises:
      DataRefused, NotBlessed: a node failed with this exit code.
      SentiflowError: the run failed otherwise, was cancelled, or goes on after the time-out.
      UsageError: the server does not take the token any more.
    """
    url = api.url(f"runs/details/{run_id}")
    started = heard = time.monotonic()
    seen: dict[str, str] = {}
    cancelled = False
    while True:
        try:
            run = api.call(api.runs.run_service_get_run, run_id)
        except Unavailable:
            if time.monotonic() - heard > PATIENCE_SECONDS:
                raise
        else:
            heard = time.monotonic()
            for name, state in _node_states(run, node_names):
                if seen.get(name) != state:
                    seen[name] = state
                    show(f"{datetime.now():%H:%M:%S} {name} {state.lower()}")
            # A terminated run ends as FAILED, since Argo knows no other end
            # (backend/src/apiserver/resource/resource_manager.go, ReportWorkflowResource).
            history = [status.state for status in run.state_history or []]
            cancelled |= "CANCELING" in (run.state, *history)
            if run.state in ENDED:
                break
        if timeout_minutes is not None and time.monotonic() - started > timeout_minutes * 60:
            raise SentiflowError(
                f"time-out: the run has not ended after {timeout_minutes:g} minutes, it goes on:"
                f" {url}"
            )
        time.sleep(POLL_SECONDS)
    show(f"{datetime.now():%H:%M:%S} run {run.state.lower()}")
    if run.state == "SUCCEEDED":
        return
    if cancelled or run.state != "FAILED":
        raise SentiflowError(f"the run was cancelled: {url}")
    failed = [name for name, state in _node_states(run, node_names) if state == "FAILED"]
    raise explain(api, run, node_names, failed, url)


def _node_states(run: Any, node_names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The states of the nodes that have started, in the order in which they did.

    `task_details` has Argo's nodes by display name (backend/src/apiserver/server/api_converter.go,
    toModelTask): the task itself, its driver as `<task>-driver`, its pod as `executor`. A driver
    counts only when it fails, because then its task never starts.
    """
    details = run.run_details.task_details if run.run_details else None
    for task in sorted(details or [], key=lambda task: str(task.start_time)):
        shown = task.display_name or ""
        name = node_names.get(shown)
        if name and task.state and task.state != "RUNTIME_STATE_UNSPECIFIED":
            yield name, task.state
        elif task.state == "FAILED" and shown.removesuffix("-driver") in node_names:
            yield node_names[shown.removesuffix("-driver")], task.state
