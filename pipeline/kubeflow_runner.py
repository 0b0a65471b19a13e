"""Turns the pipeline into a package for Kubeflow Pipelines: a container task for each TFX node.

TFX's own KubeflowV2DagRunner emits what open-source Kubeflow Pipelines rejects; docs/kubeflow.md
says what. Here every task runs TFX's Launcher on its node (`pipeline.kubeflow.task`), so metadata
and cache are TFX's own, as on one machine.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from kfp import compiler, dsl, kubernetes
from kfp.dsl import HTML, Artifact, ClassificationMetrics, ContainerSpec, Markdown, Metrics, Output

from components.errors import UsageError
from pipeline.config import Config
from pipeline.fingerprint import source_fingerprint
from pipeline.kubeflow import node_ir
from pipeline.kubeflow.database import CREDENTIALS
from pipeline.kubeflow.task import AS_CONFIGURED, REPORT
from pipeline.kubeflow_settings import PodSettings

GPU_NODES = ("Trainer", "Tuner")
USER = 10001  # the user and group of the images
PAUSE, PAUSE_FACTOR = 30, 2.0  # seconds before the first retry; each further pause is longer
# Some container runtimes show a machine's GPUs to every container, asked for or not.
HIDDEN_GPU = {"NVIDIA_VISIBLE_DEVICES": "void", "CUDA_VISIBLE_DEVICES": "-1"}


def compile_package(config: Config, path: Path) -> None:
    """Writes the package: pipeline spec and platform spec, as YAML.

    The same configuration and code give the same bytes.

    Args:
      config: the resolved configuration.
      path: of the file; must end in .yaml.

    Raises:
      UsageError: `kubeflow.nodes` names a node that the pipeline does not have, or the path is no
        .yaml file that can be written.
    """
    if path.suffix != ".yaml":
        raise UsageError(f"{path}: the package is YAML; expected a name that ends in .yaml")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        compiler.Compiler().compile(_kfp_pipeline(config), package_path=str(path))
        _give_retries_their_time(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def _give_retries_their_time(path: Path) -> None:
    """Sets how long a task may be tried again, from the start of its first try.

    That is what Argo makes of `backoffMaxDuration`; past it there is no further try. kfp cuts it to
    an hour, which one try may take alone.
    """
    text = path.read_text("utf-8")
    spec, platforms = yaml.safe_load_all(text)
    deadlines = platforms["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for component in [spec["root"], *spec["components"].values()]:
        for task in component.get("dag", {}).get("tasks", {}).values():
            if retry := task.get("retryPolicy"):
                label = spec["components"][task["componentRef"]["name"]]["executorLabel"]
                one_try = int(deadlines[label]["activeDeadlineSeconds"])
                pauses = [PAUSE * PAUSE_FACTOR**n for n in range(retry["maxRetryCount"])]
                longest = (retry["maxRetryCount"] + 1) * one_try + int(sum(pauses))
                retry["backoffMaxDuration"] = f"{longest}s"
    header = [line for line in text.splitlines(keepends=True) if line.startswith("# ")]
    path.write_text("".join(header) + yaml.safe_dump_all([spec, platforms]), "utf-8")


def _kfp_pipeline(config: Config) -> Any:
    ir = node_ir.compile_for_cluster(config)
    nodes = {node.pipeline_node.node_info.id: node.pipeline_node for node in ir.nodes}
    if unknown := sorted(set(config.kubeflow.nodes) - set(nodes)):
        raise UsageError(f"kubeflow.nodes: no such node: {unknown[0]}; nodes: {', '.join(nodes)}")

    arguments = {node_id: _arguments(config, node_id, list(nodes)) for node_id in (*nodes, REPORT)}
    for node_id in nodes:
        arguments[node_id] += ["--ir", node_ir.pack(node_ir.only_node(ir, node_id))]
    # Made before the pipeline: KFP refuses to define a pipeline, as the GPU's, within another one.
    make = {node_id: _node_component(config, node_id, arguments[node_id]) for node_id in nodes}

    @dsl.pipeline(name=config.name, description="sentiflow: sentences to a served classifier")
    def package(
        data_path: str = config.data.path or "",
        epochs: int = AS_CONFIGURED,
        overrides: str = "",
    ) -> None:
        given = dict(
            run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
            data_path=data_path,
            epochs=epochs,
            overrides=overrides,
        )
        report = _report(config, arguments[REPORT])(**given)
        _place(report, config.kubeflow.pods.model_copy(update={"retries": 0}), config)
        with dsl.ExitHandler(report, name="nodes"):
            tasks: dict[str, dsl.PipelineTask] = {}
            for node_id, node in nodes.items():  # TFX's compiler has sorted them
                task = make[node_id](**given)
                task.after(*(tasks[upstream] for upstream in node.upstream_nodes))
                tasks[node_id] = task.set_display_name(node_id).set_caching_options(False)
                if not _on_gpu(config, node_id):
                    _place(task, _pod(config, node_id), config)

    return package


def _arguments(config: Config, node_id: str, nodes: list[str]) -> list[str]:
    return [
        *("--node", node_id),
        *("--nodes", ",".join(nodes)),
        *("--config", config.model_dump_json()),
        *("--code", source_fingerprint()),
    ]


def _node_component(config: Config, node_id: str, arguments: list[str]) -> Callable[..., Any]:
    if _on_gpu(config, node_id):
        return _gpu_group(config, node_id, arguments)
    make = _with_metrics if node_id == "Evaluator" else _with_artifacts
    return make(_name(node_id), config.kubeflow.image, arguments)


def _on_gpu(config: Config, node_id: str) -> bool:
    return node_id in GPU_NODES and config.kubeflow.gpu.count > 0


def _pod(config: Config, node_id: str) -> PodSettings:
    """`kubeflow.pods` with what `kubeflow.nodes` sets for this node."""
    kubeflow = config.kubeflow
    common = kubeflow.pods
    if _on_gpu(config, node_id):  # the machines with GPUs are others
        machine = {
            "node_selector": kubeflow.gpu.node_selector,
            "tolerations": kubeflow.gpu.tolerations,
        }
        common = common.model_copy(update=machine)
    own = kubeflow.nodes.get(node_id, PodSettings())
    return common.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


def _gpu_group(config: Config, node_id: str, arguments: list[str]) -> Callable[..., Any]:
    """A pipeline of two tasks: without a GPU, look into the cache; with it, run what is not there.

    So a run whose outputs are in the cache asks for no GPU at all.
    """
    name = _name(node_id)
    gpu = config.kubeflow.gpu

    @dsl.pipeline(name=name)
    def group(run_id: str, data_path: str, epochs: int, overrides: str) -> None:
        given = dict(run_id=run_id, data_path=data_path, epochs=epochs, overrides=overrides)
        lookup = _lookup(f"{name}_cache", config.kubeflow.image, arguments)(**given)
        _place(lookup, config.kubeflow.pods, config).set_display_name(f"{node_id} cache")
        with dsl.If(lookup.outputs["needed"] == "true", name="not-cached"):
            task = _with_artifacts(f"{name}_gpu", gpu.image, arguments)(**given)
            _place(task, _pod(config, node_id), config, hide_gpu=False)
            task.set_display_name(f"{node_id} on GPU")
            task.set_accelerator_type(gpu.resource).set_accelerator_limit(gpu.count)

    return group


def _with_artifacts(name: str, image: str, arguments: list[str]) -> Callable[..., Any]:
    def node(
        run_id: str, data_path: str, epochs: int, overrides: str, artifacts: Output[Markdown]
    ) -> ContainerSpec:
        outputs = {"artifacts": artifacts.path}
        return _container(image, arguments, outputs)

    return _component(name, node)


def _with_metrics(name: str, image: str, arguments: list[str]) -> Callable[..., Any]:
    def node(
        run_id: str,
        data_path: str,
        epochs: int,
        overrides: str,
        artifacts: Output[Markdown],
        metrics: Output[Metrics],
        confusion_matrix: Output[ClassificationMetrics],
    ) -> ContainerSpec:
        outputs = {
            "artifacts": artifacts.path,
            "metrics": metrics.path,
            "confusion_matrix": confusion_matrix.path,
        }
        return _container(image, arguments, outputs)

    return _component(name, node)


def _lookup(name: str, image: str, arguments: list[str]) -> Callable[..., Any]:
    def node(
        run_id: str,
        data_path: str,
        epochs: int,
        overrides: str,
        artifacts: Output[Markdown],
        needed: dsl.OutputPath(str),  # type: ignore[valid-type]
    ) -> ContainerSpec:
        outputs = {"artifacts": artifacts.path, "needed": needed}
        return _container(image, [*arguments, "--cache-only"], outputs)

    return _component(name, node)


def _report(config: Config, arguments: list[str]) -> Callable[..., Any]:
    """The task that runs last, however the others ended."""

    def report(
        run_id: str,
        data_path: str,
        epochs: int,
        overrides: str,
        page: Output[HTML],
        record: Output[Artifact],
        metrics: Output[Metrics],
        confusion_matrix: Output[ClassificationMetrics],
    ) -> ContainerSpec:
        outputs = {
            "page": page.path,
            "record": record.path,
            "metrics": metrics.path,
            "confusion_matrix": confusion_matrix.path,
        }
        return _container(config.kubeflow.image, arguments, outputs)

    return _component(REPORT, report)


def _component(name: str, function: Callable[..., ContainerSpec]) -> Callable[..., Any]:
    function.__name__ = name  # KFP names the component after the function
    return dsl.container_component(function)


def _container(image: str, arguments: list[str], outputs: dict[str, Any]) -> ContainerSpec:
    """The command of a task; KFP fills in its placeholders when the task starts."""
    paths = [part for name, path in outputs.items() for part in ("--output", name, path)]
    executor_input = ["--executor-input", dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER]
    return ContainerSpec(
        image=image,
        command=["python", "-m", "pipeline.kubeflow.task"],
        args=[*arguments, *executor_input, *paths],
    )


def _place(
    task: dsl.PipelineTask, pod: PodSettings, config: Config, hide_gpu: bool = True
) -> dsl.PipelineTask:
    """Sets what the task's pod asks for, mounts and may know."""
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
    kubernetes.use_secret_as_env(task, config.kubeflow.metadata_secret, CREDENTIALS)
    kubernetes.set_security_context(task, run_as_user=USER, run_as_group=USER, run_as_non_root=True)
    kubernetes.empty_dir_mount(task, volume_name="tmp", mount_path="/tmp")
    if config.kubeflow.volume_claim:
        kubernetes.mount_pvc(task, config.kubeflow.volume_claim, config.kubeflow.root)
    if hide_gpu:
        for name, value in HIDDEN_GPU.items():
            task.set_env_variable(name, value)
    return task


def _name(node_id: str) -> str:
    """`SentenceExampleGen` as `sentence_example_gen`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node_id).lower()
