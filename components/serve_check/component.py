"""ServeCheck, the last test of a model: TFX's InfraValidator with this project's server.

TFX's own needs TensorFlow Serving in Docker or Kubernetes, and cannot run on open-source Kubeflow
Pipelines 2; what it writes, an InfraBlessing, is the same, and Pusher reads it.
"""

from tfx import types
from tfx.dsl.components.base import base_component
from tfx.types import component_spec, standard_artifacts

from components.executors import executor_at
from components.settings import ServeCheckSettings


class ServeCheckSpec(component_spec.ComponentSpec):
    """What goes in and comes out."""

    PARAMETERS = {
        "settings": component_spec.ExecutionParameter(type=str),  # ServeCheckSettings as JSON
        "model_name": component_spec.ExecutionParameter(type=str),
        "code_fingerprint": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = {"blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing)}


class ServeCheck(base_component.BaseComponent):
    """Serves the candidate with this project's server and checks what it answers, and how fast."""

    SPEC_CLASS = ServeCheckSpec
    EXECUTOR_SPEC = executor_at("components.serve_check.executor.Executor")

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        settings: ServeCheckSettings,
        model_name: str,
        code_fingerprint: str,
    ):
        """Wires the component.

        Args:
          model: the exported candidate.
          examples: raw examples; sentences of the eval split are asked.
          settings: how often to ask, and the bounds.
          model_name: under which it is served.
          code_fingerprint: makes TFX's cache notice changed code.
        """
        super().__init__(
            ServeCheckSpec(
                model=model,
                examples=examples,
                settings=settings.model_dump_json(),
                model_name=model_name,
                code_fingerprint=code_fingerprint,
                blessing=types.Channel(type=standard_artifacts.InfraBlessing),
            )
        )
