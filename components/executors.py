"""Executors by their path: a component is defined without importing what runs it."""

from typing import TypeVar

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec, ExecutorClassSpec

Spec = TypeVar("Spec", bound=ExecutorClassSpec)


def executor_at(path: str) -> ExecutorClassSpec:
    """A component's `EXECUTOR_SPEC`.

    Args:
      path: dotted, of module and class; `pipeline.fingerprint` follows it as it follows an import.
    """
    return _with_path(ExecutorClassSpec(BaseExecutor), path)


def beam_executor_at(path: str) -> BeamExecutorSpec:
    """As `executor_at`, for a component that runs on Beam."""
    return _with_path(BeamExecutorSpec(BaseExecutor), path)


def _with_path(spec: Spec, path: str) -> Spec:
    spec._class_path = path  # TFX would import the class to find out
    return spec
