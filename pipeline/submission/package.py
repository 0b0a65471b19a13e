"""The compiled package: its version name and its nodes."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import yaml

HASH_LENGTH = 12


def content_hash(package: Path) -> str:
    """The first hexadecimal digits of the package's SHA-256."""
    return hashlib.sha256(package.read_bytes()).hexdigest()[:HASH_LENGTH]


def version_name(pipeline: str, digest: str) -> str:
    """`sentiflow-20261123-030000-1a2b3c4d5e6f`: UTC time and content.

    Where Kubeflow Pipelines keeps pipelines as Kubernetes objects, a version's name has to be one
    of an object, unique in its namespace: so it is lower case and starts with the pipeline's.
    """
    return f"{pipeline}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{digest}"


def node_names(package: Path) -> dict[str, str]:
    """The nodes' display names, by their task names and by themselves; groups are no nodes.

    Argo's nodes have the task names; a server may show the display names instead.
    """
    spec = next(yaml.safe_load_all(package.read_text("utf-8")))
    groups = [spec["root"], *spec["components"].values()]
    tasks = [task for group in groups for task in group.get("dag", {}).get("tasks", {}).items()]
    names = {
        key: task.get("taskInfo", {}).get("name", key)
        for key, task in tasks
        if "dag" not in spec["components"][task["componentRef"]["name"]]
    }
    return {name: name for name in names.values()} | names
