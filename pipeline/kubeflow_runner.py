"""Turns the pipeline into a package for Kubeflow Pipelines: a container task for each TFX node.

TFX's own KubeflowV2DagRunner emits what open-source Kubeflow Pipelines rejects; docs/kubeflow.md
says what. Here every task runs TFX's Launcher on its node (`pipeline.kubeflow.task`), so metadata
and cache are TFX's own, as on one machine.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kfp import dsl
from kfp.dsl import HTML, Artifact, ClassificationMetrics, ContainerSpec, Markdown, Metrics, Output

from components.errors import UsageError
from pipeline.config import Config
from pipeline.gpus import GPU_STEPS
from pipeline.kubeflow import node_ir
from pipeline.kubeflow.task import AS_CONFIGURED, REPORT
from pipeline.kubeflow_containers import component, container, place, task_arguments, write_package
from pipeline.kubeflow_jobs import batch_pipeline, drift_pipeline
from pipeline.kubeflow_settings import PodSettings
from pipeline.packages import Package


def compile_package(config: Config, path: Path, package: Package = "train") -> None:
    """Writes a package: pipeline spec and platform spec, as YAML.

    The same configuration and code give the same bytes.

    Args:
      config: the resolved configuration.
      path: of the file; must end in .yaml.
      package: which of them.

    Raises:
      UsageError: `kubeflow.nodes` names a node that the pipeline does not have, the path is no
        .yaml file that can be written, or a package other than `train` has no volume.
    """
    match package:
        case "train":
            pipeline = _kfp_pipeline(config)
        case "batch":
            pipeline = batch_pipeline(config)
        case "drift":
            pipeline = drift_pipeline(config, _kfp_pipeline(config))
    write_package(pipeline, path)


def _kfp_pipeline(config: Config) -> Any:
    ir = node_ir.compile_for_cluster(config)
    nodes = {node.pipeline_node.node_info.id: node.pipeline_node for node in ir.nodes}
    if unknown := sorted(set(config.kubeflow.nodes) - set(nodes)):
        raise UsageError(f"kubeflow.nodes: no such node: {unknown[0]}; nodes: {', '.join(nodes)}")

    arguments = {
        node_id: task_arguments(config, node_id, list(nodes)) for node_id in (*nodes, REPORT)
    }
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
        place(report, config.kubeflow.pods.model_copy(update={"retries": 0}), config)
        with dsl.ExitHandler(report, name="nodes"):
            tasks: dict[str, dsl.PipelineTask] = {}
            for node_id, node in nodes.items():  # TFX's compiler has sorted them
                task = make[node_id](**given)
                task.after(*(tasks[upstream] for upstream in node.upstream_nodes))
                tasks[node_id] = task.set_display_name(node_id).set_caching_options(False)
                if not _on_gpu(config, node_id):
                    place(task, _pod(config, node_id), config)

    return package


def _node_component(config: Config, node_id: str, arguments: list[str]) -> Callable[..., Any]:
    if _on_gpu(config, node_id):
        return _gpu_group(config, node_id, arguments)
    make = _with_metrics if node_id == "Evaluator" else _with_artifacts
    return make(_name(node_id), config.kubeflow.image, arguments)


def _on_gpu(config: Config, node_id: str) -> bool:
    return node_id in GPU_STEPS and config.kubeflow.gpu.count > 0


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
        place(lookup, config.kubeflow.pods, config).set_display_name(f"{node_id} cache")
        with dsl.If(lookup.outputs["needed"] == "true", name="not-cached"):
            task = _with_artifacts(f"{name}_gpu", gpu.image, arguments)(**given)
            place(task, _pod(config, node_id), config, hide_gpu=False)
            task.set_display_name(f"{node_id} on GPU")
            task.set_accelerator_type(gpu.resource).set_accelerator_limit(gpu.count)

    return group


def _with_artifacts(name: str, image: str, arguments: list[str]) -> Callable[..., Any]:
    def node(
        run_id: str, data_path: str, epochs: int, overrides: str, artifacts: Output[Markdown]
    ) -> ContainerSpec:
        outputs = {"artifacts": artifacts.path}
        return container(image, arguments, outputs)

    return component(name, node)


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
        return container(image, arguments, outputs)

    return component(name, node)


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
        return container(image, [*arguments, "--cache-only"], outputs)

    return component(name, node)


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
        return container(config.kubeflow.image, arguments, outputs)

    return component(REPORT, report)


def _name(node_id: str) -> str:
    """`SentenceExampleGen` as `sentence_example_gen`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node_id).lower()
