"""What can be compiled for Kubeflow Pipelines, and what it is called there."""

from typing import Literal, get_args

Package = Literal["train", "batch", "drift"]
PACKAGES: tuple[Package, ...] = get_args(Package)


def package_name(pipeline: str, package: Package) -> str:
    """The name in Kubeflow Pipelines: `sentiflow`, `sentiflow-batch`, `sentiflow-drift`."""
    return pipeline if package == "train" else f"{pipeline}-{package}"
