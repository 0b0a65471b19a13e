"""From a configuration to a run, or to recurring runs, on Kubeflow Pipelines."""

import json
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kfp_server_api import (
    V2beta1CronSchedule,
    V2beta1Experiment,
    V2beta1Pipeline,
    V2beta1PipelineVersionReference,
    V2beta1RecurringRun,
    V2beta1Run,
    V2beta1RuntimeConfig,
    V2beta1Trigger,
)

from components.errors import SentiflowError, UsageError
from pipeline.config import Config
from pipeline.console import silent_stderr
from pipeline.packages import Package, package_name
from pipeline.submission.api import Api
from pipeline.submission.package import content_hash, node_names, version_name


@dataclass(frozen=True)
class Target:
    """Where and as whom the pipeline runs."""

    experiment: str | None = None  # None: the pipeline's name, created if need be
    namespace: str | None = None  # None: an installation for a single user
    service_account: str | None = None  # None: the installation's


@dataclass(frozen=True)
class Version:
    """A version of a pipeline on the server."""

    pipeline_id: str
    version_id: str
    name: str
    uploaded: bool  # False: the server had this content already


@dataclass(frozen=True)
class Submission:
    """What the server has made of a package."""

    pipeline: str  # its name
    version: Version
    experiment: str  # its name
    id: str  # of the run or the recurring run
    url: str
    cron: str | None = None  # six fields; None: this is a run
    replaced: tuple[str, ...] = ()  # ids of recurring runs
    node_names: dict[str, str] = field(default_factory=dict)  # of the package

    def as_dict(self) -> dict[str, Any]:
        """The same for a program."""
        started: dict[str, Any] = {"id": self.id, "url": self.url}
        if self.cron:
            started |= {"cron": self.cron, "replaced": list(self.replaced)}
        return {
            "pipeline": {"name": self.pipeline, "id": self.version.pipeline_id},
            "version": {
                "name": self.version.name,
                "id": self.version.version_id,
                "uploaded": self.version.uploaded,
            },
            "experiment": self.experiment,
            "recurring_run" if self.cron else "run": started,
        }


def submit(
    api: Api,
    config: Config,
    parameters: dict[str, Any],
    target: Target,
    cron: str | None = None,
    package: Package = "train",
) -> Submission:
    """Compiles and uploads a pipeline, then starts a run of it or schedules runs.

    Args:
      api: the server.
      config: the resolved configuration; its name begins the pipeline's and the recurring run's,
        and is the experiment's.
      parameters: runtime parameters of the package that are not to have their defaults.
      target: where it runs.
      cron: six fields: schedule runs instead of starting one.
      package: which pipeline.

    Raises:
      UsageError: unknown experiment, or a call that the server refuses.
      SentiflowError: the server failed.
    """
    # Compiling takes half a minute: first look for what else may be wrong.
    name = package_name(config.name, package)
    experiment = target.experiment or config.name
    experiment_id = find_experiment(api, experiment, target.namespace)
    if experiment_id is None and target.experiment:
        place = f" in namespace {target.namespace}" if target.namespace else ""
        raise UsageError(
            f"--experiment {experiment}: no such experiment{place} at {api.host}; create it there,"
            " or leave the option out"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.yaml"
        with silent_stderr():
            from pipeline.kubeflow_runner import compile_package

            compile_package(config, path, package)
        names = node_names(path)
        version = upload(api, path, name, target.namespace)
    if experiment_id is None:
        experiment_id = create_experiment(api, experiment, target.namespace)
    what: dict[str, Any] = {
        "experiment_id": experiment_id,
        "pipeline_version_reference": V2beta1PipelineVersionReference(
            pipeline_id=version.pipeline_id, pipeline_version_id=version.version_id
        ),
        "runtime_config": V2beta1RuntimeConfig(parameters=parameters),
        "service_account": target.service_account,
    }
    if cron is None:
        run_id = start_run(api, name, what)
        url = api.url(f"runs/details/{run_id}")
        return Submission(name, version, experiment, run_id, url, node_names=names)
    recurring_id, replaced = schedule_runs(api, name, what, cron)
    url = api.url(f"recurringrun/details/{recurring_id}")
    return Submission(name, version, experiment, recurring_id, url, cron, tuple(replaced), names)


def find_experiment(api: Api, name: str, namespace: str | None) -> str | None:
    """The id of an experiment by its name, None if there is no such experiment."""
    found = api.pages(
        api.experiments.experiment_service_list_experiments,
        "experiments",
        filter=_named(name),
        **_in(namespace),
    )
    return _id(found[0], "experiment_id") if found else None


def create_experiment(api: Api, name: str, namespace: str | None) -> str:
    """Creates an experiment and returns its id."""
    experiment = api.call(
        api.experiments.experiment_service_create_experiment,
        V2beta1Experiment(display_name=name, namespace=namespace),
    )
    return _id(experiment, "experiment_id")


def upload(api: Api, package: Path, name: str, namespace: str | None) -> Version:
    """Makes the package a version of the pipeline `name`, unless its content is one already.

    Args:
      api: the server.
      package: compiled pipeline, YAML.
      name: of the pipeline, created if need be.
      namespace: that owns the pipeline; None: shared, or an installation for a single user.
    """
    pipeline_id = _pipeline_id(api, name, namespace)
    digest = content_hash(package)
    versions = api.pages(
        api.pipelines.pipeline_service_list_pipeline_versions,
        "pipeline_versions",
        pipeline_id=pipeline_id,
    )
    for known in versions:
        if (known.display_name or "").endswith(f"-{digest}"):
            known_id = _id(known, "pipeline_version_id")
            return Version(pipeline_id, known_id, known.display_name, uploaded=False)
    version = version_name(name, digest)
    uploaded = api.call(
        api.uploads.upload_pipeline_version,
        str(package),
        name=version,
        pipelineid=pipeline_id,
    )
    return Version(pipeline_id, _id(uploaded, "pipeline_version_id"), version, uploaded=True)


def start_run(api: Api, name: str, what: dict[str, Any]) -> str:
    """Starts a run and returns its id.

    Args:
      api: the server.
      name: the time is added to it.
      what: the fields that V2beta1Run and V2beta1RecurringRun have in common.
    """
    run = V2beta1Run(display_name=f"{name} {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", **what)
    return _id(api.call(api.runs.run_service_create_run, run), "run_id")


def schedule_runs(api: Api, name: str, what: dict[str, Any], cron: str) -> tuple[str, list[str]]:
    """Creates a recurring run, then deletes those of the same name in the experiment.

    In this order a failure never leaves the pipeline without a schedule.

    Args:
      api: the server.
      name: of the recurring run.
      what: as for `start_run`.
      cron: six fields.

    Returns:
      The id of the recurring run, and the ids of those that it replaces.

    Raises:
      SentiflowError: an old one could not be deleted; names it, because both are enabled now.
    """
    service = api.recurring_runs
    known = api.pages(
        service.recurring_run_service_list_recurring_runs,
        "recurring_runs",
        experiment_id=what["experiment_id"],
    )
    replaced = [_id(old, "recurring_run_id") for old in known if old.display_name == name]
    recurring_run = V2beta1RecurringRun(
        display_name=name,
        mode="ENABLE",
        # A missed night is not made up for, and no run overtakes another: the next one sees
        # the same data and more.
        no_catchup=True,
        max_concurrency="1",
        trigger=V2beta1Trigger(cron_schedule=V2beta1CronSchedule(cron=cron)),
        **what,
    )
    created = api.call(service.recurring_run_service_create_recurring_run, recurring_run)
    created_id = _id(created, "recurring_run_id")
    for old in replaced:
        try:
            api.call(service.recurring_run_service_delete_recurring_run, old)
        except SentiflowError as error:
            raise SentiflowError(
                f"the new recurring run {created_id} is enabled, but the old one {old} is still"
                f" there; delete it: {api.url(f'recurringrun/details/{old}')} ({error})"
            ) from None
    return created_id, replaced


def _pipeline_id(api: Api, name: str, namespace: str | None) -> str:
    found = api.pages(
        api.pipelines.pipeline_service_list_pipelines,
        "pipelines",
        filter=_named(name),
        **_in(namespace),
    )
    if found:
        return _id(found[0], "pipeline_id")
    pipeline = V2beta1Pipeline(display_name=name, name=name, namespace=namespace)
    created = api.call(api.pipelines.pipeline_service_create_pipeline, pipeline)
    return _id(created, "pipeline_id")


def _named(name: str) -> str:
    predicate = {"operation": "EQUALS", "key": "display_name", "stringValue": name}
    return json.dumps({"predicates": [predicate]})


def _in(namespace: str | None) -> dict[str, str]:
    return {"namespace": namespace} if namespace else {}


def _id(thing: Any, field: str) -> str:
    """The id of something that the server returned; the client reads any JSON without complaint."""
    value = getattr(thing, field)
    if not value:
        raise SentiflowError(f"the server's answer has no {field}: not Kubeflow Pipelines' API?")
    return str(value)
