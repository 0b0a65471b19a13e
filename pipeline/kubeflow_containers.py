"""What packages for Kubeflow Pipelines are made of: containers, and the pods that they run in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from kfp import compiler, dsl, kubernetes
from kfp.dsl import ContainerSpec

from components.errors import UsageError
from pipeline.config import Config
from pipeline.fingerprint import source_fingerprint
from pipeline.gpus import HIDDEN_GPU
from pipeline.kubeflow.database import CREDENTIALS
from pipeline.kubeflow_settings import PodSettings

USER = 10001  # the user and group of the images
PAUSE, PAUSE_FACTOR = 30, 2.0  # seconds before the first retry; each further pause is longer


def write_package(pipeline: Any, path: Path) -> None:
    """Writes a KFP pipeline as a package: pipeline spec and platform spec, as YAML.

    Args:
      pipeline: what `dsl.pipeline` made of a function.
      path: of the file; must end in .yaml.

    Raises:
      UsageError: the path is no .yaml file that can be written.
    """
    if path.suffix != ".yaml":
        raise UsageError(f"{path}: the package is YAML; expected a name that ends in .yaml")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        compiler.Compiler().compile(pipeline, package_path=str(path))
        _give_retries_their_time(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def task_arguments(config: Config, node_id: str, nodes: list[str]) -> list[str]:
    """What a task is told on its command line whatever the run."""
    return [
        *("--node", node_id),
        *("--nodes", ",".join(nodes)),
        *("--config", config.model_dump_json()),
        *("--code", source_fingerprint()),
    ]


def component(name: str, function: Callable[..., ContainerSpec]) -> Callable[..., Any]:
    """A component of this name that runs the container that `function` returns."""
    function.__name__ = name  # KFP names the component after the function
    return dsl.container_component(function)


def container(image: str, arguments: list[str], outputs: dict[str, Any]) -> ContainerSpec:
    """The command of a task; KFP fills in its placeholders when the task starts."""
    paths = [part for name, path in outputs.items() for part in ("--output", name, path)]
    executor_input = ["--executor-input", dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER]
    return ContainerSpec(
        image=image,
        command=["python", "-m", "pipeline.kubeflow.task"],
        args=[*arguments, *executor_input, *paths],
    )


def place(
    task: dsl.PipelineTask,
    pod: PodSettings,
    config: Config,
    *,
    hide_gpu: bool = True,
    with_metadata: bool = True,
) -> dsl.PipelineTask:
    """Sets what the task's pod asks for, mounts and may know.

    Args:
      task: a container task.
      pod: what it asks for.
      config: names the volume and the Secret.
      hide_gpu: whether no GPU is to be seen.
      with_metadata: whether it gets the credentials of the metadata database.
    """
    task.set_caching_options(False)  # TFX has its own, which knows what a step depends on
    task.set_cpu_request(pod.cpu)  # no limit: TensorFlow's threads would be throttled
    task.set_memory_request(pod.memory).set_memory_limit(pod.memory)
    if pod.retries:
        task.set_retry(pod.retries, backoff_duration=f"{PAUSE}s", backoff_factor=PAUSE_FACTOR)
    kubernetes.set_timeout(task, pod.timeout_minutes * 60)
    for label, value in pod.node_selector.items():
        kubernetes.add_node_selector(task, label, value)
    for toleration in pod.tolerations:
        kubernetes.add_toleration(task, **toleration.model_dump(exclude_none=True))
    if with_metadata:
        kubernetes.use_secret_as_env(task, config.kubeflow.metadata_secret, CREDENTIALS)
    kubernetes.set_security_context(task, run_as_user=USER, run_as_group=USER, run_as_non_root=True)
    kubernetes.empty_dir_mount(task, volume_name="tmp", mount_path="/tmp")
    if config.kubeflow.volume_claim:
        kubernetes.mount_pvc(task, config.kubeflow.volume_claim, config.kubeflow.root)
    if hide_gpu:
        for name, value in HIDDEN_GPU.items():
            task.set_env_variable(name, value)
    return task


def _give_retries_their_time(path: Path) -> None:
    """Sets how long a task may be tried again, from the start of its first try.

    That is what Argo makes of `backoffMaxDuration`; past it there is no further try. kfp cuts it to
    an hour, which one try may take alone.
    """
    text = path.read_text("utf-8")
    spec, platforms = yaml.safe_load_all(text)
    deadlines = platforms["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for part in [spec["root"], *spec["components"].values()]:
        for task in part.get("dag", {}).get("tasks", {}).values():
            if retry := task.get("retryPolicy"):
                label = spec["components"][task["componentRef"]["name"]]["executorLabel"]
                one_try = int(deadlines[label]["activeDeadlineSeconds"])
                pauses = [PAUSE * PAUSE_FACTOR**n for n in range(retry["maxRetryCount"])]
                longest = (retry["maxRetryCount"] + 1) * one_try + int(sum(pauses))
                retry["backoffMaxDuration"] = f"{longest}s"
    header = [line for line in text.splitlines(keepends=True) if line.startswith("# ")]
    path.write_text("".join(header) + yaml.safe_dump_all([spec, platforms]), "utf-8")
