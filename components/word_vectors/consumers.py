"""TFX's Transform, Tuner and Trainer with one more input: the selected word vectors.

All tell their user's function of their inputs, but TFX fixes which inputs there are. These add the
artifact's address to `custom_config` when the step runs: `custom_config["word_vectors"]`.
"""

import json
from typing import Any

from tfx import types
from tfx.components.trainer import component as trainer_component
from tfx.components.trainer import executor as trainer_executor
from tfx.components.transform import component as transform_component
from tfx.components.transform import executor as transform_executor
from tfx.components.tuner import component as tuner_component
from tfx.components.tuner import executor as tuner_executor
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec, ExecutorClassSpec
from tfx.types import artifact_utils
from tfx.types.component_spec import ChannelParameter
from tfx.types.standard_component_specs import CUSTOM_CONFIG_KEY

from components.word_vectors.artifact import SelectedVectors
from schema.features import WORD_VECTORS


def _add_input(component: BaseComponent, word_vectors: types.BaseChannel | None) -> None:
    if word_vectors is not None:
        spec = component.spec  # made by TFX's constructor, of TFX's class
        spec.INPUTS = {**spec.INPUTS, WORD_VECTORS: ChannelParameter(type=SelectedVectors)}
        spec.inputs[WORD_VECTORS] = word_vectors


def _told(input_dict: dict, exec_properties: dict[str, Any]) -> dict[str, Any]:
    """The execution properties, with the address of the word vectors in `custom_config`."""
    if WORD_VECTORS not in input_dict:
        return exec_properties
    custom_config = json.loads(exec_properties[CUSTOM_CONFIG_KEY])
    custom_config[WORD_VECTORS] = artifact_utils.get_single_uri(input_dict[WORD_VECTORS])
    return {**exec_properties, CUSTOM_CONFIG_KEY: json.dumps(custom_config)}


class TransformExecutor(transform_executor.Executor):
    """See the module."""

    def Do(self, input_dict, output_dict, exec_properties):
        """As TFX's."""
        super().Do(input_dict, output_dict, _told(input_dict, exec_properties))


class TunerExecutor(tuner_executor.Executor):
    """See the module."""

    def Do(self, input_dict, output_dict, exec_properties):
        """As TFX's."""
        super().Do(input_dict, output_dict, _told(input_dict, exec_properties))


class TrainerExecutor(trainer_executor.GenericExecutor):
    """See the module."""

    def Do(self, input_dict, output_dict, exec_properties):
        """As TFX's."""
        super().Do(input_dict, output_dict, _told(input_dict, exec_properties))


class Transform(transform_component.Transform):
    """TFX's Transform; `word_vectors`: channel of SelectedVectors, or None."""

    EXECUTOR_SPEC = BeamExecutorSpec(TransformExecutor)

    def __init__(self, *, word_vectors: types.BaseChannel | None, **given):
        super().__init__(**given)
        _add_input(self, word_vectors)


class Tuner(tuner_component.Tuner):
    """TFX's Tuner; `word_vectors`: channel of SelectedVectors, or None."""

    EXECUTOR_SPEC = ExecutorClassSpec(TunerExecutor)

    def __init__(self, *, word_vectors: types.BaseChannel | None, **given):
        super().__init__(**given)
        _add_input(self, word_vectors)


class Trainer(trainer_component.Trainer):
    """TFX's Trainer; `word_vectors`: channel of SelectedVectors, or None."""

    EXECUTOR_SPEC = ExecutorClassSpec(TrainerExecutor)

    def __init__(self, *, word_vectors: types.BaseChannel | None, **given):
        super().__init__(**given)
        _add_input(self, word_vectors)
