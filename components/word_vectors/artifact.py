"""The SelectedVectors artifact: the vocabulary, its vectors, and how well they cover the corpus."""

import os

import numpy as np
import tensorflow as tf
from tfx.types.artifact import Artifact

from components.word_vectors.coverage import Coverage
from schema import features

WORDS = features.VOCABULARY  # a word a line, in the order of the ids
VECTORS = "vectors.npy"
COVERAGE = "coverage.json"


class SelectedVectors(Artifact):
    """Words with their vectors: `vocabulary`, `vectors.npy` and `coverage.json`.

    The rows of `vectors.npy`, float32 [words, dimension], are the lines of `vocabulary`; NaN stands
    where the vectors lack the word. `coverage.json` is a `Coverage`.
    """

    TYPE_NAME = "SelectedVectors"


def write(uri: str, words: list[str], vectors: np.ndarray, coverage: Coverage) -> None:
    """Writes the three files to the folder `uri`, here or on a remote store."""
    with tf.io.gfile.GFile(os.path.join(uri, WORDS), "w") as file:
        file.write("".join(f"{word}\n" for word in words))
    with tf.io.gfile.GFile(os.path.join(uri, VECTORS), "wb") as file:
        np.save(file, vectors)
    with tf.io.gfile.GFile(os.path.join(uri, COVERAGE), "w") as file:
        file.write(coverage.model_dump_json(indent=1))


def read_vectors(uri: str) -> np.ndarray:
    """What `write` was given: float32 [words, dimension]."""
    with tf.io.gfile.GFile(os.path.join(uri, VECTORS), "rb") as file:
        return np.lib.format.read_array(file)


def read_coverage(uri: str) -> Coverage:
    """What `write` was given."""
    with tf.io.gfile.GFile(os.path.join(uri, COVERAGE)) as file:
        return Coverage.model_validate_json(file.read())
