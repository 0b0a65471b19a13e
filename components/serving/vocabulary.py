"""Which words of a sentence a served model knows; for the page to try it."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from components.settings import TextSettings
from components.text import tokenize
from schema import features


@dataclass(frozen=True)
class Token:
    """A token as the model sees it."""

    text: str
    known: bool


class Vocabulary:
    """A model's vocabulary file, behind the same tokenisation that stands in the model's graph.

    Args:
      directory: the version's folder.

    Raises:
      OSError: it has no vocabulary.
    """

    def __init__(self, directory: Path) -> None:
        info = json.loads((directory / features.MODEL_INFO).read_text(encoding="utf-8"))
        stated = info["config"].get("text", {})
        known = {key: stated[key] for key in TextSettings.model_fields if key in stated}
        settings = TextSettings.model_validate(known)
        self._max_length = settings.max_length
        lines = (directory / "assets" / features.VOCABULARY).read_bytes().split(b"\n")
        self._words = frozenset(filter(None, lines))
        graph = tf.Graph()
        with graph.as_default():
            text = tf.compat.v1.placeholder(tf.string, [None])
            tokens = tokenize(text, settings.lowercase, settings.split_hyphens)
            outputs = [tokens.flat_values, tokens.row_splits]
        self._session = tf.compat.v1.Session(graph=graph)
        self._tokenize = self._session.make_callable(outputs, [text])

    def tokens(self, rows: np.ndarray) -> list[list[Token]]:
        """The tokens of sentences, as many as the model reads.

        Args:
          rows: object [rows], bytes.
        """
        flat, splits = self._tokenize(rows)
        return [
            [
                Token(word.decode(errors="replace"), word in self._words)
                for word in flat[start:end][: self._max_length]
            ]
            for start, end in zip(splits[:-1], splits[1:], strict=True)
        ]
