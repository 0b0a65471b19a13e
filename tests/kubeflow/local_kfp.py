"""Runs a compiled package with kfp.local, task by task: in containers, or as processes.

kfp.local starts container tasks only in containers, and tells a task's exit code to nobody. Both is
mended by a task handler of our own; all else of kfp.local, from the order of the tasks to their
arguments and outputs, stays as it is.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from kfp import components, local
from kfp.local import docker_task_handler, status, task_handler_interface


@dataclass(frozen=True)
class TaskResult:
    """How one task ended."""

    node: str
    run_id: str
    exit_code: int
    log: str

    @property
    def last_line(self) -> str:
        return self.log.rstrip().rpartition("\n")[2]


@dataclass(frozen=True)
class Interruption:
    """Sends a signal to a node's task when its log holds a text; then SIGKILL, a second later.

    In a pod of Kubeflow Pipelines, Argo's process does about that.
    """

    node: str
    at: str
    signal: signal.Signals


@dataclass(frozen=True)
class Cluster:
    """What stands in for a cluster's nodes: a shared volume, a Secret, and maybe an engine."""

    shared: Path  # mounted by all tasks under the same path; kubeflow.root lies in it
    secret: dict[str, str]  # as environment variables
    engine: docker.DockerClient | None  # None: tasks are processes

    def run(
        self,
        package: Path,
        interruption: Interruption | None = None,
        retries: int = 0,
        **parameters: Any,
    ) -> list[TaskResult]:
        """Runs a package's tasks in order, up to the first that fails.

        Args:
          package: the compiled YAML.
          interruption: of the first try of one of the tasks.
          retries: of a failed task, with the same command, as Kubeflow Pipelines makes them;
            kfp.local itself makes none.
          **parameters: of the run.

        Returns:
          The tasks that were started, each try by itself.
        """
        results: list[TaskResult] = []
        with _recording_handler(self, interruption, retries, results), _open_to_all_users():
            local.init(
                local.DockerRunner(), pipeline_root=str(self.shared / "kfp"), raise_on_error=False
            )
            components.load_component_from_file(str(package))(**parameters)
        return results

    def start(self, image: str, command: list[str]) -> "_Container | _Process":
        """Starts a task as a pod would: unprivileged, with nothing writable but the volume."""
        if self.engine is None:
            return _Process(command, self.secret)
        return _Container(
            self.engine.containers.run(
                image,
                entrypoint=command[:1],
                command=command[1:],
                environment=self.secret,
                volumes={str(self.shared): {"bind": str(self.shared), "mode": "rw"}},
                user="10001:10001",
                read_only=True,
                tmpfs={"/tmp": "mode=1777"},
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                network_mode="host",
                detach=True,
            )
        )


class _Container:
    def __init__(self, container: Any):
        self._container = container

    def lines(self) -> Iterator[str]:
        for line in self._container.logs(stream=True, follow=True):
            yield line.decode(errors="replace")

    def send(self, number: signal.Signals) -> None:
        with suppress(docker.errors.APIError):  # it has ended
            self._container.kill(number.name)

    def end(self) -> int:
        code = self._container.wait()["StatusCode"]
        self._container.remove()
        return code


class _Process:
    def __init__(self, command: list[str], secret: dict[str, str]):
        python = [sys.executable, *command[1:]] if command[0] == "python" else command
        self._process = subprocess.Popen(
            python,
            env={**os.environ, **secret},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def lines(self) -> Iterator[str]:
        assert self._process.stdout
        yield from self._process.stdout

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> int:
        code = self._process.wait()
        return 128 - code if code < 0 else code  # as a container tells it


@contextmanager
def _recording_handler(
    cluster: Cluster, interruption: Interruption | None, retries: int, results: list[TaskResult]
) -> Iterator[None]:
    class Handler(task_handler_interface.ITaskHandler):
        def __init__(self, image: str, full_command: list[str], pipeline_root: str, runner: Any):
            self.image, self.command = image, full_command

        def get_volumes_to_mount(self) -> dict[str, Any]:
            return {}

        def run(self) -> status.Status:
            for number in range(retries + 1):
                result = self.try_once(interruption if number == 0 else None)
                results.append(result)
                if result.exit_code == 0:
                    return status.Status.SUCCESS
            return status.Status.FAILURE

        def try_once(self, waiting: Interruption | None) -> TaskResult:
            node = self.argument("--node")
            run_id = json.loads(self.argument("--executor-input"))["inputs"]["parameterValues"][
                "run_id"
            ]
            task, log = cluster.start(self.image, self.command), ""
            for line in task.lines():
                log += line
                if waiting and waiting.node == node and waiting.at in line:
                    task.send(waiting.signal)
                    time.sleep(1)
                    task.send(signal.SIGKILL)
                    waiting = None
            return TaskResult(node, run_id, task.end(), log)

        def argument(self, name: str) -> str:
            return self.command[self.command.index(name) + 1]

    original = docker_task_handler.DockerTaskHandler
    docker_task_handler.DockerTaskHandler = Handler
    try:
        yield
    finally:
        docker_task_handler.DockerTaskHandler = original


@contextmanager
def _open_to_all_users() -> Iterator[None]:
    """kfp.local makes the folders of outputs as this user; the containers run as another."""
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)
