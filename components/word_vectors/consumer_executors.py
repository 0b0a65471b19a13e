"""What runs TFX's Transform, Tuner and Trainer, told of the selected word vectors."""

import json
from typing import Any

from tfx.components.trainer import executor as trainer_executor
from tfx.components.transform import executor as transform_executor
from tfx.components.tuner import executor as tuner_executor
from tfx.types import artifact_utils
from tfx.types.standard_component_specs import CUSTOM_CONFIG_KEY

from schema.features import WORD_VECTORS


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
