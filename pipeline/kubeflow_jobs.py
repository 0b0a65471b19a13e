"""The packages besides training: predictions for files, and the watch for drift.

Each is a container that runs what the command line runs, on the volume that the training's nodes
share; neither needs the metadata database.
"""

from typing import Any

from kfp import dsl
from kfp.dsl import HTML, Artifact, ContainerSpec, Metrics, Output

from components.errors import UsageError
from pipeline.config import Config
from pipeline.kubeflow.task import AS_CONFIGURED, BATCH, DRIFT, SERVED
from pipeline.kubeflow_containers import component, container, place, task_arguments
from pipeline.packages import package_name


def batch_pipeline(config: Config) -> Any:
    """`sentiflow batch` as a package of one task.

    Raises:
      UsageError: there is no volume.
    """
    _needs_volume(config)
    arguments = task_arguments(config, BATCH, [BATCH])

    def job(
        input: str, output: str, model: str, overrides: str, summary: Output[Artifact]
    ) -> ContainerSpec:
        return container(config.kubeflow.image, arguments, {"summary": summary.path})

    run = component(BATCH, job)

    @dsl.pipeline(
        name=package_name(config.name, "batch"), description="sentiflow: predictions for files"
    )
    def package(
        input: str = "",
        output: str = f"{config.kubeflow.root}/predictions",
        model: str = "",
        overrides: str = "",
    ) -> None:
        task = run(input=input, output=output, model=model, overrides=overrides)
        place(task, config.kubeflow.pods, config, with_metadata=False)

    return package


def drift_pipeline(config: Config, training: Any) -> Any:
    """`sentiflow drift` as a package, with the training as a part that starts when it is needed.

    A part, and not another run: to start that, the pod would need the right to create runs.

    Args:
      config: the resolved configuration.
      training: the training pipeline.

    Raises:
      UsageError: there is no volume.
    """
    _needs_volume(config)
    arguments = task_arguments(config, DRIFT, [DRIFT])

    def job(
        log: str,
        data: str,
        version: int,
        retrain: bool,
        overrides: str,
        page: Output[HTML],
        report: Output[Artifact],
        measures: Output[Metrics],
        drifted: dsl.OutputPath(str),  # type: ignore[valid-type]
        train: dsl.OutputPath(str),  # type: ignore[valid-type]
    ) -> ContainerSpec:
        artifacts = {"page": page.path, "report": report.path, "measures": measures.path}
        return container(
            config.kubeflow.image, arguments, {**artifacts, "drifted": drifted, "train": train}
        )

    run = component(DRIFT, job)

    @dsl.pipeline(
        name=package_name(config.name, "drift"), description="sentiflow: new text against old"
    )
    def package(
        log: str = config.serving.request_log.path or "",
        data: str = "",
        version: int = SERVED,
        retrain: bool = False,
        data_path: str = config.data.path or "",
        epochs: int = AS_CONFIGURED,
        overrides: str = "",
    ) -> None:
        task = run(log=log, data=data, version=version, retrain=retrain, overrides=overrides)
        place(task, config.kubeflow.pods, config, with_metadata=False)
        with dsl.If(task.outputs["train"] == "true", name="retrain"):
            trained = training(data_path=data_path, epochs=epochs, overrides=overrides)
            trained.set_caching_options(False)

    return package


def _needs_volume(config: Config) -> None:
    if not config.kubeflow.volume_claim:
        raise UsageError(
            "kubeflow.volume_claim: batch and drift read the model from a mounted volume; expected "
            "one, not a bucket"
        )
