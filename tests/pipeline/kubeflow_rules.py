"""What open-source Kubeflow Pipelines 2.16 rejects or ignores in a package, as problems."""

import re
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2
from kfp.pipeline_spec import pipeline_spec_pb2

SCHEMA_VERSION = "2.1.0"
NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LONGEST_NAME = 63  # of a label, which Argo makes of it
MOST_ARGUMENT_BYTES = 16_000  # of one task
MOST_PACKAGE_BYTES = 500_000  # Argo's object holds the package twice and may have 1 MB
GPU_EXECUTORS = ("exec-trainer-gpu", "exec-tuner-gpu")


def read_package(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pipeline spec and the platform spec of a package, as plain values."""
    spec, platforms = yaml.safe_load_all(path.read_text("utf-8"))
    return spec, platforms


def problems(spec: dict[str, Any], platforms: dict[str, Any]) -> list[str]:
    """Everything that is wrong with a package; empty for a good one."""
    try:
        json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
        json_format.ParseDict(platforms, pipeline_spec_pb2.PlatformSpec())
    except json_format.ParseError as error:
        return [f"not a package: {error}"]
    found = []
    if spec["schemaVersion"] != SCHEMA_VERSION:
        found.append(f"schema version {spec['schemaVersion']}")
    if len(yaml.safe_dump_all([spec, platforms]).encode()) > MOST_PACKAGE_BYTES:
        found.append("package too large")
    for name, parameter in spec["root"].get("inputDefinitions", {}).get("parameters", {}).items():
        if "defaultValue" not in parameter:
            found.append(f"parameter {name} without default")
    for name, executor in spec["deploymentSpec"]["executors"].items():
        found += [f"{name}: {problem}" for problem in _executor_problems(name, executor)]
    for name, task in _tasks(spec):
        found += [f"{name}: {problem}" for problem in _task_problems(name, task, spec)]
    for name in spec["components"]:
        if not _is_name(name):
            found.append(f"component name {name}")
    configs = platforms["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for name, config in configs.items():
        try:
            json_format.ParseDict(config, kubernetes_executor_config_pb2.KubernetesExecutorConfig())
        except json_format.ParseError as error:
            found.append(f"{name}: platform configuration: {error}")
    return found + [
        f"{name}: no platform configuration"
        for name in set(spec["deploymentSpec"]["executors"]) - set(configs)
    ]


def _executor_problems(name: str, executor: dict[str, Any]) -> list[str]:
    if set(executor) != {"container"}:
        return [f"executor kind {', '.join(executor)}: only containers run"]
    container = executor["container"]
    found = []
    size = sum(len(argument.encode()) for argument in container.get("args", []))
    if size > MOST_ARGUMENT_BYTES:
        found.append(f"{size} bytes of arguments")
    if not container.get("command"):
        found.append("no command: Argo would have to ask the image's registry for one")
    accelerator = container.get("resources", {}).get("accelerator")
    if accelerator and name not in GPU_EXECUTORS:
        found.append("asks for a GPU")
    return found


def _task_problems(name: str, task: dict[str, Any], spec: dict[str, Any]) -> list[str]:
    found = []
    if not _is_name(name):
        found.append("task name")
    if task.get("cachingOptions", {}).get("enableCache"):
        found.append("KFP's cache is on")
    if task["componentRef"]["name"] not in spec["components"]:
        found.append("no such component")
    return found


def _tasks(spec: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    dags = [spec["root"], *spec["components"].values()]
    return [item for dag in dags if "dag" in dag for item in dag["dag"]["tasks"].items()]


def _is_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None and len(name) <= LONGEST_NAME
