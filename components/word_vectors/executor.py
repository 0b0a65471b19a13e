"""What runs WordVectors: counts the corpus's words, then goes through the vectors once."""

import os
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.errors import UsageError
from components.settings import TextSettings, VectorsSettings
from components.text import tokenize
from components.word_vectors import artifact, source
from components.word_vectors.component import (
    DIMENSION,
    EXAMPLES,
    REFUSAL,
    SETTINGS,
    TEXT_SETTINGS,
)
from components.word_vectors.corpus import read_corpus, write_corpus
from components.word_vectors.formats import open_vectors
from components.word_vectors.selection import select_words
from components.word_vectors.subwords import find_subwords, subword_vectors
from schema import features


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
        path = os.path.join(self._get_tmp_dir(), "corpus.json")
        with self._make_beam_pipeline() as pipeline:
            write_corpus(pipeline, pattern, text, path)
        return read_corpus(path)


def are_tokens(settings: TextSettings):
    """Makes a function that tells which of some words are one token, spelt the same."""

    def check(words: list[str]) -> list[bool]:
        given = tf.constant(words, tf.string)
        tokens = tokenize(given, settings.lowercase, settings.split_hyphens)
        single = tf.equal(tokens.row_lengths(), 1)
        joined = tf.strings.reduce_join(tokens, axis=1)
        return tf.logical_and(single, tf.equal(joined, given)).numpy().tolist()

    return check
