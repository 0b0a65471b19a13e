"""TFX's Evaluator executor, which also knows the linear baseline and writes plain JSON."""

import logging
import os

# In this order: the import of the whole package completes tensorflow_model_analysis, which the
# executor's own module needs.
from tfx.components import Evaluator as _  # noqa: F401, I001
from tfx.components.evaluator import constants, executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_component_specs
from tfx.types.artifact import Artifact
from tfx.utils import io_utils, path_utils

from components.evaluation import outcome
from components.evaluation.component import BEAT_BASELINE_BY, LINEAR_BASELINE
from components.evaluation.extractors import read_labels
from components.linear_baseline import result

log = logging.getLogger(__name__)


class Executor(executor.Executor):
    """Evaluates as TFX does; who reads the outcome then needs no TensorFlow."""

    def Do(self, input_dict, output_dict, exec_properties):
        """Evaluates, blesses and writes `outcome.json`; see the component's spec for the keys."""
        candidate = _exported(input_dict, standard_component_specs.MODEL_KEY)
        if input_dict.get(standard_component_specs.BASELINE_MODEL_KEY):
            blessed = _exported(input_dict, standard_component_specs.BASELINE_MODEL_KEY)
            classes = read_labels(blessed)
            if not set(classes) & set(read_labels(candidate)):
                log.warning(
                    "not compared with the blessed model, whose classes are all others: %s",
                    ", ".join(classes),
                )
                input_dict = {**input_dict, standard_component_specs.BASELINE_MODEL_KEY: []}
        super().Do(input_dict, output_dict, exec_properties)
        missed = outcome.write(
            artifact_utils.get_single_uri(output_dict[standard_component_specs.EVALUATION_KEY]),
            candidate,
            result.read(artifact_utils.get_single_uri(input_dict[LINEAR_BASELINE])),
            exec_properties.get(BEAT_BASELINE_BY),
        )
        if missed:
            _withhold(
                artifact_utils.get_single_instance(
                    output_dict[standard_component_specs.BLESSING_KEY]
                )
            )


def _exported(input_dict: dict[str, list[Artifact]], key: str) -> str:
    """The folder of the SavedModel that an input has."""
    return path_utils.serving_model_path(artifact_utils.get_single_uri(input_dict[key]))


def _withhold(blessing: Artifact) -> None:
    """Takes back the blessing, if TFX gave it: it does not know of the linear baseline."""
    blessed = os.path.join(blessing.uri, constants.BLESSED_FILE_NAME)
    if fileio.exists(blessed):
        fileio.remove(blessed)
    io_utils.write_string_file(os.path.join(blessing.uri, constants.NOT_BLESSED_FILE_NAME), "")
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSED_KEY, constants.NOT_BLESSED_VALUE
    )
