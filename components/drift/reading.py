"""From sentences and answers to a profile: the words are those that the model itself reads."""

import random
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from components.drift.profile import AnsweredSentence, TextProfile, profile
from components.drift.request_log import Answer
from components.ingest.reader import read_rows
from components.ingest.rows import Row
from components.serving.predict import Predictor
from components.serving.vocabulary import Vocabulary
from components.settings import DataSettings

BATCH_ROWS = 256


def profile_answers(answers: Sequence[Answer], vocabulary: Vocabulary) -> TextProfile:
    """The profile of sentences and answers.

    Args:
      answers: of the model whose vocabulary it is.
      vocabulary: cuts the sentences into tokens as the model does, and knows those it knows.
    """
    return profile(_as_read(answers, vocabulary))


def answer(texts: Sequence[str], predictor: Predictor) -> list[Answer]:
    """What the model says to sentences, in their order."""
    return [Answer(p.text, p.label, p.probabilities[p.label]) for p in predictor(texts)]


def sample_sentences(
    paths: Iterable[str], settings: DataSettings, most: int
) -> tuple[list[str], int]:
    """Draws sentences evenly from data files, in one pass; the same files give the same sample.

    Vitter, Random Sampling with a Reservoir, 1985 (algorithm R).

    Args:
      paths: .csv, .tsv, .jsonl or .parquet, each also .gz; need no label column.
      settings: names of the columns, and limits.
      most: size of the sample.

    Returns:
      The sentences, and how many records could not be read.

    Raises:
      DataRefused: a file as a whole cannot be read.
    """
    drawn: list[str] = []
    rejected = seen = 0
    generator = random.Random(1)
    for path in paths:
        for record in read_rows(path, settings, require_label=False):
            if not isinstance(record, Row):
                rejected += 1
                continue
            seen += 1
            if len(drawn) < most:
                drawn.append(record.text)
            elif (place := generator.randrange(seen)) < most:
                drawn[place] = record.text
    return drawn, rejected


def _as_read(answers: Sequence[Answer], vocabulary: Vocabulary) -> Iterator[AnsweredSentence]:
    for start in range(0, len(answers), BATCH_ROWS):
        batch = answers[start : start + BATCH_ROWS]
        texts = np.array([row.text.encode(errors="replace") for row in batch], dtype=object)
        for row, tokens in zip(batch, vocabulary.tokens(texts), strict=True):
            unknown = sum(not token.known for token in tokens)
            words = [token.text for token in tokens]
            yield AnsweredSentence(words, unknown, row.label, row.confidence)
