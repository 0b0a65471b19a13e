"""The SelectedVectors artifact: the vocabulary, its vectors, and how well they cover the corpus."""

import os
from types import SimpleNamespace

import numpy as np
from tfx.dsl.io import fileio
from tfx.types.artifact import Artifact

from components.word_vectors.coverage import Coverage
from schema import features

WORDS = features.VOCABULARY  # a word a line, in the order of the ids
VECTORS = "vectors.npy"
SUBWORDS = "subwords.npy"
COVERAGE = "coverage.json"


class SelectedVectors(Artifact):
    """Words with their vectors: `vocabulary`, `vectors.npy`, `subwords.npy` and `coverage.json`.

    The rows of the arrays, float32 [words, dimension], are the lines of `vocabulary`; NaN stands
    where the vectors lack the word. `subwords.npy` is there if sub-words are used. `coverage.json`
    is a `Coverage`.
    """

    TYPE_NAME = "SelectedVectors"


def write(
    uri: str,
    words: list[str],
    vectors: np.ndarray,
    subwords: np.ndarray | None,
    coverage: Coverage,
) -> None:
    """Writes the files to the folder `uri`, here or on a remote store."""
    with fileio.open(os.path.join(uri, WORDS), "w") as file:
        file.write("".join(f"{word}\n" for word in words))
    for name, array in ((VECTORS, vectors), (SUBWORDS, subwords)):
        if array is not None:
            with fileio.open(os.path.join(uri, name), "wb") as file:
                # Not `file` itself: numpy writes past it, and does not tell that a disk is full.
                np.save(SimpleNamespace(write=file.write), array)
    with fileio.open(os.path.join(uri, COVERAGE), "w") as file:
        file.write(coverage.model_dump_json(indent=1))


def read_vectors(uri: str) -> list[np.ndarray]:
    """What `write` was given: the vectors, and those of sub-words if there are any."""
    paths = [os.path.join(uri, name) for name in (VECTORS, SUBWORDS)]
    return [_read_array(path) for path in paths if fileio.exists(path)]


def _read_array(path: str) -> np.ndarray:
    with fileio.open(path, "rb") as file:
        return np.lib.format.read_array(file)


def read_coverage(uri: str) -> Coverage:
    """What `write` was given."""
    with fileio.open(os.path.join(uri, COVERAGE)) as file:
        return Coverage.model_validate_json(file.read())
