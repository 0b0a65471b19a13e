"""The words of a corpus with their occurrences, counted on Beam."""

import json
from collections import Counter
from collections.abc import Iterator

import apache_beam as beam
import tensorflow as tf

from components.settings import TextSettings
from components.text import tokenize
from schema import features

BATCH_ROWS = 4096


def write_corpus(pipeline: beam.Pipeline, pattern: str, settings: TextSettings, path: str) -> None:
    """Adds to a pipeline what counts the tokens of raw examples.

    The outcome is what `components.transform.corpus_vocabulary` finds, in its order.

    Args:
      pipeline: gets the steps.
      pattern: of gzipped TFRecord files of tf.Example.
      settings: of the tokeniser, and the bounds of the vocabulary.
      path: of the file that `read_corpus` reads.
    """
    (
        pipeline
        | "Read" >> beam.io.ReadFromTFRecord(pattern)
        | "Batch" >> beam.BatchElements(BATCH_ROWS, BATCH_ROWS)
        | "Count" >> beam.ParDo(_CountTokens(settings.lowercase, settings.split_hyphens))
        | "Sum" >> beam.CombinePerKey(sum)
        | "Frequent" >> beam.Filter(lambda counted, least: counted[1] >= least, settings.min_count)
        | "Most" >> beam.combiners.Top.Of(settings.vocab_size, key=_rank)
        | "Write" >> beam.Map(_write, path)
    )


def read_corpus(path: str) -> list[tuple[str, int]]:
    """Words and occurrences, the most frequent first; equal ones in reverse byte order."""
    with tf.io.gfile.GFile(path) as file:
        return [(word, count) for word, count in json.load(file)]


class _CountTokens(beam.DoFn):
    """Serialized examples -> (token, occurrences in the batch)."""

    def __init__(self, lowercase: bool, split_hyphens: bool):
        self._settings = lowercase, split_hyphens

    def process(self, batch: list[bytes]) -> Iterator[tuple[bytes, int]]:
        """Counts the tokens of a batch."""
        spec = {features.TEXT: tf.io.FixedLenFeature([], tf.string)}
        text = tf.io.parse_example(batch, spec)[features.TEXT]
        tokens = tokenize(text, *self._settings).flat_values
        yield from Counter(tokens.numpy().tolist()).items()


def _rank(counted: tuple[bytes, int]) -> tuple[int, bytes]:
    word, occurrences = counted
    return occurrences, word


def _write(most: list[tuple[bytes, int]], path: str) -> None:
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(json.dumps([(word.decode(), count) for word, count in most]))
