"""Reads vectors from literal bytes."""

import pytest

from components.word_vectors.formats import open_vectors
from components.word_vectors.source import VectorFiles


@pytest.fixture
def read(tmp_path):
    """read(name, content, dimension, words=None): {word: [values]} of a file of these bytes."""

    def read(name, content, dimension, words=None):
        path = tmp_path / name
        path.write_bytes(content)
        words_path = None
        if words is not None:
            words_path = tmp_path / "words"
            words_path.write_bytes(words)
        found = VectorFiles(str(path), str(words_path) if words_path else None)
        with open_vectors(found, dimension) as reader:
            return [(entry.word, reader.parse(entry).tolist()) for entry in reader]

    return read
