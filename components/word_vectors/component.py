"""WordVectors: the TFX component that chooses the words and their vectors for a corpus."""

import json
import os
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import schema_utils
from tfx import types
from tfx.dsl.components.base import base_beam_component, base_beam_executor, base_driver
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.orchestration import data_types_utils
from tfx.orchestration.portable import base_driver as portable_base_driver
from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import driver_output_pb2
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.utils import io_utils
from tfx_bsl.public.tfxio import TFExampleRecord

from components.errors import SentiflowError, UsageError
from components.settings import TextSettings, VectorsSettings
from components.text import tokenize
from components.transform import corpus_vocabulary
from components.word_vectors import artifact, source
from components.word_vectors.formats import open_vectors
from components.word_vectors.selection import select_words
from components.word_vectors.subwords import find_subwords, subword_vectors
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


class Executor(base_beam_executor.BaseBeamExecutor):
    """Counts the words of train and takes their vectors, and those of further words."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Fills the SelectedVectors artifact.

        Raises:
          UsageError: the vectors are not there, or have another dimension.
          DataRefused: their file is broken.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        if refusal := exec_properties.get(REFUSAL):
            raise UsageError(refusal)
        settings = VectorsSettings.model_validate_json(exec_properties[SETTINGS])
        text = TextSettings.model_validate_json(exec_properties[TEXT_SETTINGS])
        dimension = exec_properties[DIMENSION]
        train = artifact_utils.get_split_uri(input_dict[EXAMPLES], features.TRAIN)
        corpus = self._corpus(io_utils.all_files_pattern(train), text)
        with open_vectors(source.find_files(settings), dimension) as reader:
            words, vectors, coverage = select_words(
                reader, corpus, settings.extra_words, are_tokens(text), dimension
            )
        subwords = None
        if settings.subwords:
            subwords = subword_vectors(find_subwords(settings), words, settings.subword_dim)
            coverage = coverage.model_copy(update={"subword_dim": settings.subword_dim})
        uri = artifact_utils.get_single_uri(output_dict[features.WORD_VECTORS])
        artifact.write(uri, words, vectors, subwords, coverage)

    def _corpus(self, pattern: str, text: TextSettings) -> list[tuple[str, int]]:
        """The vocabulary of the examples with the words' occurrences, in its order."""
        spec = {features.TEXT: tf.io.FixedLenFeature([], tf.string)}
        examples = TFExampleRecord(
            pattern,
            schema=schema_utils.schema_from_feature_spec(spec),
            telemetry_descriptors=[features.WORD_VECTORS],
        )

        def count(inputs):
            tokens = tokenize(inputs[features.TEXT], text.lowercase, text.split_hyphens)
            corpus_vocabulary(tokens, text, store_frequency=True)
            return inputs  # tft wants something; only the vocabulary is used

        folder = self._get_tmp_dir()
        graph = os.path.join(folder, "graph")
        with self._make_beam_pipeline() as pipeline:
            with tft_beam.Context(temp_dir=os.path.join(folder, "tft")):
                rows = pipeline | "Read" >> examples.BeamSource()
                analyzed = (rows, examples.TensorAdapterConfig()) | tft_beam.AnalyzeDataset(count)
                analyzed | "Write" >> tft_beam.WriteTransformFn(graph)
        with tf.io.gfile.GFile(
            tft.TFTransformOutput(graph).vocabulary_file_by_name(features.VOCABULARY)
        ) as file:
            lines = [line.rstrip("\n").split(" ", 1) for line in file]
        return [(word, int(occurrences)) for occurrences, word in lines]


class WordVectors(base_beam_component.BaseBeamComponent):
    """Chooses words and vectors; output `word_vectors`: SelectedVectors."""

    SPEC_CLASS = WordVectorsSpec
    EXECUTOR_SPEC = BeamExecutorSpec(Executor)
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


def are_tokens(settings: TextSettings):
    """Makes a function that tells which of some words are one token, spelt the same."""

    def check(words: list[str]) -> list[bool]:
        given = tf.constant(words, tf.string)
        tokens = tokenize(given, settings.lowercase, settings.split_hyphens)
        single = tf.equal(tokens.row_lengths(), 1)
        joined = tf.strings.reduce_join(tokens, axis=1)
        return tf.logical_and(single, tf.equal(joined, given)).numpy().tolist()

    return check
