"""ProfileGen as a TFX node: a model and Examples in, the profile of the eval split out.

The profile goes with the model that it is of (components/pusher.py): who compares new text with it
needs neither the metadata store nor the data.
"""

from tfx import types
from tfx.dsl.components.base import base_component
from tfx.types import component_spec, standard_artifacts

from components.artifacts import ReferenceProfile
from components.executors import executor_at


class ProfileGenSpec(component_spec.ComponentSpec):
    """What goes in and comes out."""

    PARAMETERS = {
        "max_rows": component_spec.ExecutionParameter(type=int),
        "code_fingerprint": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = {"profile": component_spec.ChannelParameter(type=ReferenceProfile)}


class ProfileGen(base_component.BaseComponent):
    """Profiles eval as the model reads it; output `profile`: a ReferenceProfile artifact."""

    SPEC_CLASS = ProfileGenSpec
    EXECUTOR_SPEC = executor_at("components.drift.executor.Executor")

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        max_rows: int,
        code_fingerprint: str,
    ):
        """Wires the component.

        Args:
          model: the exported candidate.
          examples: raw examples with the split eval.
          max_rows: rows of eval that are used.
          code_fingerprint: makes TFX's cache notice changed code.
        """
        super().__init__(
            ProfileGenSpec(
                model=model,
                examples=examples,
                max_rows=max_rows,
                code_fingerprint=code_fingerprint,
                profile=types.Channel(type=ReferenceProfile),
            )
        )
