"""WordVectors: the TFX component that chooses the words and their vectors for a corpus."""

import json

from tfx import types
from tfx.dsl.components.base import base_beam_component, base_driver
from tfx.orchestration import data_types_utils
from tfx.orchestration.portable import base_driver as portable_base_driver
from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import driver_output_pb2
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.errors import SentiflowError
from components.executors import beam_executor_at
from components.settings import TextSettings, VectorsSettings
from components.word_vectors import artifact, source
from components.word_vectors.subwords import find_subwords
from schema import features

EXAMPLES = "examples"

SETTINGS = "settings"
TEXT_SETTINGS = "text"
DIMENSION = "dimension"
CODE_FINGERPRINT = "code_fingerprint"
# Set by the driver.
VECTORS_FINGERPRINT = "vectors_fingerprint"
REFUSAL = "refusal"


class WordVectorsSpec(ComponentSpec):
    """Parameters, input and output of WordVectors."""

    PARAMETERS = {
        SETTINGS: ExecutionParameter(type=str),
        TEXT_SETTINGS: ExecutionParameter(type=str),
        DIMENSION: ExecutionParameter(type=int),
        CODE_FINGERPRINT: ExecutionParameter(type=str),
    }
    INPUTS = {EXAMPLES: ChannelParameter(type=standard_artifacts.Examples)}
    OUTPUTS = {features.WORD_VECTORS: ChannelParameter(type=artifact.SelectedVectors)}


class Driver(base_driver.BaseDriver, portable_base_driver.BaseDriver):
    """Fingerprints the vectors' files when the step runs; that is part of the cache key."""

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Adds the fingerprint to the execution properties."""
        given = execution_info.exec_properties
        settings = VectorsSettings.model_validate_json(given[SETTINGS])
        try:
            found = [*source.find_files(settings)]
            if settings.subwords:
                found += find_subwords(settings)
            added = {VECTORS_FINGERPRINT: json.dumps(source.fingerprint(found))}
        except SentiflowError as error:
            # The launcher would leave the execution RUNNING for ever; the executor raises this.
            added = {REFUSAL: str(error)}
        output = driver_output_pb2.DriverOutput()
        for key, value in {**given, **added}.items():
            data_types_utils.set_metadata_value(output.exec_properties[key], value)
        return output


class WordVectors(base_beam_component.BaseBeamComponent):
    """Chooses words and vectors; output `word_vectors`: SelectedVectors."""

    SPEC_CLASS = WordVectorsSpec
    EXECUTOR_SPEC = beam_executor_at("components.word_vectors.executor.Executor")
    DRIVER_CLASS = Driver

    def __init__(
        self,
        examples: types.BaseChannel,
        settings: VectorsSettings,
        text: TextSettings,
        dimension: int,
        code_fingerprint: str,
    ):
        """Wires the component.

        Args:
          examples: its train split is the corpus.
          settings: where the vectors are, and how many words to add.
          text: the tokeniser's settings and the bounds of the vocabulary.
          dimension: that the vectors must have, without those of sub-words.
          code_fingerprint: makes TFX's cache notice changed code.
        """
        super().__init__(
            WordVectorsSpec(
                examples=examples,
                settings=settings.model_dump_json(exclude={"fine_tune_after"}),
                text=text.model_dump_json(exclude={"max_length"}),
                dimension=dimension,
                code_fingerprint=code_fingerprint,
                word_vectors=types.Channel(type=artifact.SelectedVectors),
            )
        )
